"""What docs/scaling.md says about switching autoscaling on, by the real API server."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmd_tools.cluster import ControlPlane

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("control-plane")]

DOCS = Path(__file__).parents[2] / "docs/scaling.md"


def _synced(name: str, **spec: Any) -> dict[str, Any]:
    """A Deployment as Argo CD applies it."""
    labels = {"app": name}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "main", "image": "example.com/image"}]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {**spec, "selector": {"matchLabels": labels}, "template": template},
    }


def _handed_over(name: str) -> dict[str, Any]:
    """The object that the page tells to apply, for another name."""
    [text] = re.findall(r"<<EOF\n\s*(.+)\n\s*EOF", DOCS.read_text("utf-8"))
    said = yaml.safe_load(text)
    return {**said, "metadata": {"name": name, "namespace": "default"}}


def _replicas(cluster: ControlPlane, name: str) -> int:
    found = cluster.server.get("apps/v1", "Deployment", name, "default")
    assert found is not None
    return found["spec"]["replicas"]


@pytest.mark.parametrize(("name", "hands_over", "left"), [("falls", False, 1), ("stays", True, 2)])
def test_replicas_that_git_gives_up_fall_unless_they_have_another_owner(
    cluster: ControlPlane, name: str, hands_over: bool, left: int
) -> None:
    """Kubernetes puts its default in place of a number that nobody owns."""
    cluster.apply([_synced(name, replicas=2)], field_manager="argocd-controller")
    if hands_over:
        cluster.apply([_handed_over(name)], field_manager="handover")
    cluster.apply([_synced(name)], field_manager="argocd-controller")
    assert _replicas(cluster, name) == left
