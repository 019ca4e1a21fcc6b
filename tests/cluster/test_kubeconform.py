"""Kubeconform with real schemas."""

from pathlib import Path

import pytest

from llmd_tools.kubeconform import validate

pytestmark = pytest.mark.cluster

_MANIFESTS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: example.com/image, %s: []}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: route}
spec: {%s: [{name: gateway}]}
---
apiVersion: example.com/v1
kind: Widget
metadata: {name: widget}
"""


@pytest.mark.parametrize("minor", ["1.33", "1.34", "1.35"])
def test_right_manifests_pass(tmp_path: Path, minor: str) -> None:
    """Built-in kinds and kinds of CRDs are judged; one that nobody knows is listed."""
    (tmp_path / "all.yaml").write_text(_MANIFESTS % ("ports", "parentRefs"))
    report = validate([tmp_path], minor, ["gateway-api"])
    assert (report.objects, report.failures, report.skipped) == (3, (), {"example.com/v1 Widget": 1})


def test_misspelt_fields_fail(tmp_path: Path) -> None:
    """Each misspelt field is named by its place, in built-in kinds and in those of CRDs."""
    file = tmp_path / "all.yaml"
    file.write_text(_MANIFESTS % ("prots", "parentRef"))
    assert [str(failure) for failure in validate([tmp_path], "1.34", ["gateway-api"]).failures] == [
        f"{file}: Deployment web: spec.template.spec.containers.0: additional properties 'prots' not allowed",
        f"{file}: HTTPRoute route: spec: additional properties 'parentRef' not allowed",
    ]
