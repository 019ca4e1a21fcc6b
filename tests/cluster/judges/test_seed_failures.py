"""The scheduling failures of the seeds, let past the rules: the real scheduler leaves their pods pending, and says why."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from llmd_tools.cluster import ControlPlane, wait_until
from llmd_tools.judges.nodes import nodes
from llmd_tools.judges.pods import is_placed, why_pending
from llmd_tools.judges.rendered import environments

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("bare")]

ENVIRONMENT = "llmd-helm-kserve-tpu"
"""Seed 000: three nodes of four chips."""
ACCELERATOR, TOPOLOGY = "cloud.google.com/gke-tpu-accelerator", "cloud.google.com/gke-tpu-topology"

Pod = dict[str, Any]


def _accelerator(pod: Pod) -> None:
    pod["nodeSelector"][ACCELERATOR] = "tpu-v6e"


def _topology(pod: Pod) -> None:
    pod["nodeSelector"][TOPOLOGY] = "2x2x1"


def _toleration(pod: Pod) -> None:
    del pod["tolerations"]


def _whole_host(pod: Pod) -> None:
    resources = pod["containers"][0]["resources"]
    for part in ("requests", "limits"):
        resources[part]["google.com/tpu"] = "8"


def _nothing(_: Pod) -> None:
    """As rendered."""


@pytest.fixture(scope="module")
def seed(bare: ControlPlane) -> Pod:
    """The model server's pod of the seed's environment, and the environment's nodes."""
    rendered = environments()[ENVIRONMENT]
    bare.create_nodes(nodes(rendered.plan.environment.cluster))
    [service] = rendered.of_kind("LLMInferenceService")
    pod = deepcopy(service["spec"]["template"])
    del pod["serviceAccountName"]
    pod.pop("imagePullSecrets", None)
    return pod


@pytest.mark.parametrize(
    ("fault", "replicas", "reason"),
    [
        pytest.param(
            _accelerator, 1, "didn't match Pod's node affinity/selector", id="wrong accelerator label"
        ),
        pytest.param(_topology, 1, "didn't match Pod's node affinity/selector", id="wrong topology"),
        pytest.param(_toleration, 1, "had untolerated taint", id="no toleration"),
        pytest.param(_whole_host, 1, "Insufficient google.com/tpu", id="more chips than a host has"),
        pytest.param(_nothing, 4, "Insufficient google.com/tpu", id="more replicas than nodes"),
    ],
)
def test_failure_stays_pending(
    bare: ControlPlane, seed: Pod, fault: Callable[[Pod], None], replicas: int, reason: str
) -> None:
    """One pod finds no node, and the scheduler's reason is the one that the seed reports; without the fault all fit."""
    spec = deepcopy(seed)
    fault(spec)
    names = [f"server-{index}" for index in range(replicas)]
    pods = [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec} for name in names]
    assert all(each.accepted for each in bare.apply(pods))

    def judged() -> list[dict[str, Any]]:
        return bare.server.list("v1", "Pod", "default")

    wait_until(
        "the scheduler has judged every pod",
        lambda: all(is_placed(pod) or why_pending(pod) for pod in judged()),
        programs=bare.programs,
    )
    pending = [why_pending(pod) for pod in judged() if not is_placed(pod)]
    for name in names:
        bare.kubectl("delete", "pod", name, "--now", "--wait=false")
        bare.kubectl("delete", "pod", name, "--force", "--grace-period=0", "--ignore-not-found")
    assert len(pending) == 1
    assert reason in pending[0]
