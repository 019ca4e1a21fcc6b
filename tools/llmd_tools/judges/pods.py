"""Pods that nobody makes here, and what the scheduler says of those there are."""

from collections.abc import Iterator, Mapping
from typing import Any

from llmd_tools.cluster import ControlPlane

LWS = "leaderworkerset.x-k8s.io/v1"


def group_pods(group: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every leader and worker of a LeaderWorkerSet, which needs a controller of its own."""
    spec, metadata = group["spec"], group["metadata"]
    template = spec["leaderWorkerTemplate"]
    worker = template["workerTemplate"]
    leader = template.get("leaderTemplate", worker)
    for replica in range(spec.get("replicas", 1)):
        for index in range(template["size"]):
            name = f"{metadata['name']}-{replica}" + (f"-{index}" if index else "")
            part = worker if index else leader
            yield {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "name": name,
                    "namespace": metadata["namespace"],
                    "labels": {
                        **part.get("metadata", {}).get("labels", {}),
                        "leaderworkerset.sigs.k8s.io/name": metadata["name"],
                    },
                },
                "spec": part["spec"],
            }


def wanted(workload: Mapping[str, Any]) -> int:
    """How many pods a Deployment or a LeaderWorkerSet asks for."""
    spec = workload["spec"]
    size = spec["leaderWorkerTemplate"]["size"] if workload["kind"] == "LeaderWorkerSet" else 1
    return int(spec.get("replicas", 1)) * int(size)


def is_placed(pod: Mapping[str, Any]) -> bool:
    """Whether the scheduler has found a node for a pod."""
    return bool(pod["spec"].get("nodeName"))


def why_pending(pod: Mapping[str, Any]) -> str:
    """What the scheduler says of a pod that has no node; empty before it has looked."""
    conditions = pod.get("status", {}).get("conditions", [])
    said = [each.get("message", "") for each in conditions if each["type"] == "PodScheduled"]
    return said[0] if said else ""


def why_missing(cluster: ControlPlane, namespace: str) -> list[str]:
    """Why a controller could not make pods: its own events, such as a Pod Security level that is broken."""
    events = cluster.server.list("v1", "Event", namespace)
    return sorted({each["message"] for each in events if each.get("reason") == "FailedCreate"})
