"""Each health check, judged by Argo CD's own evaluator."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from llmd_constructs.argocd.settings import health_checks, settings
from llmd_constructs.emit.yaml_text import yaml_text
from llmd_tools import go, groups, kubeconform
from llmd_tools.argocd.health import judge
from llmd_tools.build import versions
from llmd_tools.errors import ToolError

FIXTURES = Path(__file__).parents[1] / "fixtures/health"
EXPECT = "# expect: "
CRDS = (
    "argocd",
    "gke-gateway",
    "inference-extension-1.0",
    "istio",
    "kserve-0.20",
    "llm-d",
    "lws",
    "managed-prometheus",
    "trust-manager",
)
NO_CRD = {"networking.gke.io/v1 GCPRoutingExtension", "sailoperator.io/v1 Istio"}
"""Kinds whose CRD no registry serves; the shape of their fixtures' status is taken from documentation."""

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def argocd_cm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Argo CD's settings, as they are rendered."""
    file = tmp_path_factory.mktemp("settings") / "argocd-cm.yaml"
    file.write_text(yaml_text(settings("argocd")))
    return file


@pytest.mark.parametrize("kind", sorted(health_checks()))
def test_a_check_gives_every_fixture_its_state(kind: str, argocd_cm: Path) -> None:
    """Argo CD finds the state that a fixture's name begins with, and the message that it states."""
    fixtures = sorted((FIXTURES / kind).glob("*.yaml"))
    with ThreadPoolExecutor(4) as pool:
        verdicts = pool.map(partial(judge, settings=argocd_cm), fixtures)
    wrong = [
        f"{fixture.stem}: {verdict.status}: {verdict.message}"
        for fixture, verdict in zip(fixtures, verdicts, strict=True)
        if verdict.status.lower() != fixture.stem.partition("-")[0]
        or _expected(fixture) not in verdict.message
    ]
    assert not wrong, "\n".join(wrong)


def _expected(fixture: Path) -> str:
    first = fixture.read_text().partition("\n")[0]
    return first.removeprefix(EXPECT) if first.startswith(EXPECT) else ""


def test_fixtures_are_objects_that_the_api_server_knows(tmp_path: Path) -> None:
    """Each fixture, status included, fits the real CRD; where none is served, that is said."""
    for fixture in FIXTURES.glob("*/*.yaml"):
        # A manifest may not say its generation: the API server counts it.
        text = fixture.read_text().replace("\n  generation: 2\n", "\n")
        (tmp_path / f"{fixture.parent.name}-{fixture.name}").write_text(text)
    report = kubeconform.validate([tmp_path], "1.34", CRDS)
    assert not report.failures, "\n".join(map(str, report.failures))
    assert set(report.skipped) == NO_CRD


def test_no_check_replaces_one_of_argo_cd() -> None:
    """Argo CD has no check of its own for these kinds; where it gets one, ours has to go."""
    module = "github.com/argoproj/argo-cd/v3"
    group = groups.group("argocd")
    pin = f"{module}@{versions(group)[module]}"
    built_in = go.download([pin], group.folder)[pin].folder / "resource_customizations"
    assert built_in.is_dir()
    ours = {kind: built_in.joinpath(*kind.split("_"), "health.lua") for kind in health_checks()}
    assert not [kind for kind, file in ours.items() if file.exists()]


def test_a_check_that_fails_is_an_error(tmp_path: Path) -> None:
    """A check that breaks is told apart from one that says Unknown."""
    manifest, broken = tmp_path / "bundle.yaml", tmp_path / "argocd-cm.yaml"
    manifest.write_text("apiVersion: trust.cert-manager.io/v1alpha1\nkind: Bundle\nmetadata: {name: ca}\n")
    key = "resource.customizations.health.trust.cert-manager.io_Bundle"
    cm = settings("argocd")
    broken.write_text(yaml_text({**cm, "data": {key: "return obj.status.conditions\n"}}))
    with pytest.raises(ToolError, match="attempt to index"):
        judge(manifest, broken)
