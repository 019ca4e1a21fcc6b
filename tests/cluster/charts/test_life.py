"""Releases on a real API server: tried out, installed, upgraded, rolled back, tested and taken away."""

from collections.abc import Generator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmd_constructs.manifest import KINDS
from llmd_tools.cluster import ControlPlane, Node, wait_until
from llmd_tools.crds import crd_files
from llmd_tools.helm import PROGRAMS, Helm, templated
from llmd_tools.judges.charts import charts, values_files
from llmd_tools.judges.comparison import lost
from llmd_tools.schemas import custom_resource_definitions

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("charts")]

CRDS = (
    "gateway-api",
    "inference-extension-1.5",
    "kserve-0.20",
    "gke-gateway",
    "istio",
    "lws",
    "cert-manager",
    "trust-manager",
    "external-secrets",
    "managed-prometheus",
)
NAMESPACE = "some"
RELEASE = "any"
MANAGED_BY = "app.kubernetes.io/managed-by"
CHATS = Path(__file__).with_name("chat-test-succeeds.yaml")


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest) -> Generator[ControlPlane]:
    """A cluster with every CRD that a chart has objects of, a node, and chat tests that succeed."""
    with ControlPlane() as running:
        running.install(_definitions())
        running.create_nodes([Node("general", capacity={"cpu": "8", "memory": "32Gi"})])
        running.apply([_namespace(NAMESPACE)])
        running.simulate(CHATS)
        yield running
        running.keep = request.session.testsfailed > 0


def _definitions() -> Iterator[dict[str, Any]]:
    """CRDs of the kinds that we render, and of no other: each costs the server time.

    Kinds whose CRD no registry serves are open to any field; what they may say is not judged here.
    """
    stand_ins = Path(__file__).parents[3] / "tools" / "stand-ins"
    kinds = {(kind.group, kind.kind) for kind in KINDS}
    for file in (*crd_files(*CRDS), *stand_ins.rglob("*.yaml")):
        for definition in custom_resource_definitions(file):
            if (definition["spec"]["group"], definition["spec"]["names"]["kind"]) in kinds:
                yield definition


def _namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


@pytest.fixture(params=sorted(PROGRAMS), ids=lambda major: f"helm{major}")
def helm(request: pytest.FixtureRequest, server: ControlPlane, tmp_path: Path) -> Helm:
    """One major of Helm, as the cluster's administrator."""
    return Helm(request.param, tmp_path, server.kubeconfig)


def _other_values(chart: Path) -> list[str]:
    """Options that make another release of a chart: an environment's values, if there is one.

    Not for namespaces: one that an upgrade deletes is still going when a rollback brings it again.
    """
    found = [each for each in values_files() if each.chart == chart and chart.name != "platform-namespaces"]
    return ["--values", str(found[0].path)] if found else ["--set", "environment=other"]


def _rendered(helm: Helm, chart: Path, options: Iterable[str] = ()) -> list[dict[str, Any]]:
    text = helm("template", RELEASE, chart, "--namespace", NAMESPACE, "--skip-tests", *options)
    return [each.manifest for each in templated(text)]


def _key(manifest: Mapping[str, Any]) -> tuple[str, str, str, str]:
    metadata = manifest["metadata"]
    return manifest["apiVersion"], manifest["kind"], metadata["name"], metadata.get("namespace", "")


def _live(server: ControlPlane, manifest: Mapping[str, Any]) -> dict[str, Any] | None:
    live = server.server.get(*_key(manifest))
    return None if live is None or "deletionTimestamp" in live["metadata"] else live


def _assert_live(server: ControlPlane, wanted: list[dict[str, Any]], gone: list[dict[str, Any]]) -> None:
    """What a revision renders is there field by field, and what only another renders is not."""
    for manifest in wanted:
        live = _live(server, manifest)
        assert live is not None, _key(manifest)
        assert list(lost(_owned(manifest), live)) == [], _key(manifest)
    names = {_key(manifest)[1:] for manifest in wanted}
    left = [each for each in gone if _key(each)[1:] not in names and _live(server, each) is not None]
    assert not [_key(each) for each in left]


def _wait_until_gone(server: ControlPlane, manifests: list[dict[str, Any]]) -> None:
    """Not by Helm's own `--wait`: Helm 4 misses an object that goes before it looks, and waits for it in vain."""
    wait_until(
        "nothing of the release is left",
        lambda: not any(server.server.get(*_key(each)) for each in manifests),
        programs=server.programs,
        seconds=180,
    )


def _prepare(server: ControlPlane, manifests: list[dict[str, Any]]) -> None:
    """Every namespace is there that the objects are in, and none that is among them."""
    own = [each for each in manifests if each["kind"] == "Namespace"]
    for each in own:
        server.server.delete(*_key(each))
    needed = {each["metadata"].get("namespace", NAMESPACE) for each in manifests}
    going = [each for each in map(_namespace, sorted(needed)) if not _live(server, each)]
    _wait_until_gone(server, [*own, *going])
    server.apply([_namespace(name) for name in sorted(needed)])


def _owned(manifest: dict[str, Any]) -> dict[str, Any]:
    """As Helm installs it: whoever manages it by the template, Helm says that it does."""
    metadata = manifest["metadata"]
    return {
        **manifest,
        "metadata": {**metadata, "labels": {**metadata.get("labels", {}), MANAGED_BY: "Helm"}},
    }


def test_a_release_lives(helm: Helm, server: ControlPlane, chart: Path) -> None:
    """A dry run changes nothing and prints notes; installing, upgrading and rolling back bring what they render."""
    options = _other_values(chart)
    first, second = _rendered(helm, chart), _rendered(helm, chart, options)
    _prepare(server, [*first, *second])
    where = ["--namespace", NAMESPACE]
    dry = helm("install", RELEASE, chart, *where, "--dry-run=server")
    assert "NOTES:" in dry
    assert "<no value>" not in dry
    _assert_live(server, [], first)
    try:
        helm("install", RELEASE, chart, *where)
        _assert_live(server, first, second)
        helm("upgrade", RELEASE, chart, *where, *options)
        _assert_live(server, second, first)
        helm("rollback", RELEASE, "1", *where)
        _assert_live(server, first, second)
    finally:
        helm("uninstall", RELEASE, *where, "--ignore-not-found")
    _wait_until_gone(server, [*first, *second])


def _models() -> list[Any]:
    return [
        pytest.param(path, id=name) for name, path in charts().items() if (path / "templates/tests").is_dir()
    ]


@pytest.mark.parametrize("name", ["kserve-single-replica", "llm-d-single-replica"])
def test_the_test_of_a_release_leaves_no_policy_behind(helm: Helm, server: ControlPlane, name: str) -> None:
    """The policies that let the test ask are there while it asks, and afterwards only its Pod is.

    Helm 4.2.1 waits out its whole time for each policy that goes, and for each that is not there to begin with.
    """
    model, where = charts()[name], ["--namespace", NAMESPACE]
    hooks = [
        each.manifest
        for each in templated(
            helm("template", RELEASE, model, *where, "--set", "networkPolicies.enabled=true")
        )
        if each.template.startswith("templates/tests/")
    ]
    assert {each["kind"] for each in hooks} == {"NetworkPolicy", "Pod"}
    try:
        helm("install", RELEASE, model, *where, "--set", "networkPolicies.enabled=true")
        told = helm("test", RELEASE, *where, "--timeout", "10s")
    finally:
        helm("uninstall", RELEASE, *where, "--ignore-not-found")
    assert "Succeeded" in told
    there = {_key(each)[1] for each in hooks if _live(server, each)}
    for each in hooks:
        server.server.delete(*_key(each))
    assert there == {"Pod"}


@pytest.mark.parametrize("model", _models())
def test_the_test_is_allowed_where_pods_are_restricted(helm: Helm, server: ControlPlane, model: Path) -> None:
    """The API server takes the test's Pod in a namespace of the strictest Pod Security level."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    strict = {**_namespace("strict"), "metadata": {"name": "strict", "labels": labels}}
    server.apply([strict])
    rendered = templated(helm("template", RELEASE, model, "--namespace", "strict"))
    pods = [each.manifest for each in rendered if each.manifest["kind"] == "Pod"]
    assert pods
    assert [str(each) for each in server.apply(pods, dry_run=True) if not each.accepted] == []


def test_an_object_that_is_not_the_releases_own_is_left_alone(helm: Helm, server: ControlPlane) -> None:
    """Helm installs nothing over an object of somebody else, and says which."""
    chart = charts()["llm-d-single-replica"]
    foreign = next(each for each in _rendered(helm, chart) if each["kind"] == "ServiceAccount")
    server.apply([yaml.safe_load(yaml.safe_dump(foreign))], field_manager="somebody")
    done = helm.run("install", RELEASE, chart, "--namespace", NAMESPACE)
    server.server.delete(*_key(foreign))
    assert done.returncode
    assert foreign["metadata"]["name"] in done.stderr
