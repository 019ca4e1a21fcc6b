"""Kubeconform judges every rendered file by the real schemas."""

from pathlib import Path

import pytest

from llmd_tools import kubeconform
from llmd_tools.judges.crd_sets import NOT_SERVED, crd_sets
from llmd_tools.judges.plugin import Judged
from llmd_tools.judges.rendered import environments

pytestmark = pytest.mark.cluster

MINORS = ("1.33", "1.34", "1.35")
MATRIX_SETS = ("gateway-api", "inference-extension-1.5", "kserve-0.20", "gke-gateway", "istio", "lws")
"""CRDs of what the cells render."""


@pytest.mark.parametrize("name", list(environments()))
def test_every_file_fits_its_schema(name: str, judged: Judged) -> None:
    """Each file is what its schema says, strictly, in three minor versions; kinds without one are the known ones."""
    environment = environments()[name]
    manifests = environment.objects.values()
    sets = crd_sets(environment.plan, {manifest["apiVersion"] for manifest in manifests})
    rendered = {f"{manifest['apiVersion']} {manifest['kind']}" for manifest in manifests}
    for minor in MINORS:
        report = kubeconform.validate(environment.folders, minor, sets)
        assert not report.failures, "\n".join(map(str, report.failures))
        assert report.objects == len(environment.objects)
        assert set(report.skipped) == rendered & NOT_SERVED.keys()
    unjudged = tuple(f"{kind} has no schema in any registry" for kind in sorted(rendered & NOT_SERVED.keys()))
    judged("schema", name, len(environment.objects) * len(MINORS), unjudged)


def test_every_cell_of_the_matrix_fits_its_schema(judged: Judged) -> None:
    """Every pattern on every stack, gateway and accelerator is what the schemas say."""
    cells = Path(__file__).parents[2] / "snapshots" / "matrix"
    report = kubeconform.validate([cells], MINORS[1], MATRIX_SETS)
    assert not report.failures, "\n".join(map(str, report.failures))
    assert set(report.skipped) <= NOT_SERVED.keys()
    judged(
        "schema",
        "matrix",
        report.objects,
        tuple(f"{kind} has no schema in any registry" for kind in report.skipped),
    )
