"""The real scheduler judges every pod, on nodes like those of the environment's own pools at their maxima."""

import pytest

from llmd_tools.judges.plugin import Judged
from llmd_tools.judges.pods import is_placed, why_missing, why_pending
from llmd_tools.judges.rehearsal import Rehearsal

pytestmark = pytest.mark.cluster


def test_every_pod_is_made(rehearsal: Rehearsal) -> None:
    """Every workload gets as many pods as it asks for; nothing, such as Pod Security, keeps them away."""
    refused = [str(each) for each in rehearsal.groups if not each.accepted]
    missing = [
        reason for namespace in rehearsal.namespaces for reason in why_missing(rehearsal.cluster, namespace)
    ]
    assert not refused + missing, "\n".join(refused + missing)
    assert len(rehearsal.pods) == rehearsal.wanted_pods


def test_every_pod_finds_a_node(rehearsal: Rehearsal, judged: Judged) -> None:
    """All pods of the environment fit at once: accelerators, CPU, memory and disk."""
    pods = rehearsal.pods
    pending = [f"{pod['metadata']['name']}: {why_pending(pod)}" for pod in pods if not is_placed(pod)]
    assert not pending, "\n".join(pending)
    judged("scheduler", rehearsal.rendered.name, len(pods))
