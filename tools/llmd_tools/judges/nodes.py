"""Nodes as GKE makes them from a node pool: labels, taints, and what is left for pods.

Reservations: https://docs.cloud.google.com/kubernetes-engine/docs/concepts/plan-node-sizes
"""

from collections.abc import Iterator, Mapping

from llmd_constructs import catalogue
from llmd_constructs.config.cluster import Cluster, NodePool
from llmd_constructs.serving.placement import GKE_NODE_POOL, Placement, place
from llmd_tools.cluster import Node

_MI = 1024**2
_GI = 1024**3
_CPU_RESERVED = ((1, 0.06), (1, 0.01), (2, 0.005), (float("inf"), 0.0025))
"""Share of the first core, the second, the next two, and all others."""
_MEMORY_RESERVED = ((4, 0.25), (4, 0.20), (8, 0.10), (112, 0.06), (float("inf"), 0.02))
"""Share of the first 4 GiB, the next 4, 8, 112, and all others."""
_EVICTION_MI = 100
"""Memory below which the kubelet evicts."""
_LOCAL_SSD_RESERVED_GIB = 100
"""Of local SSDs, at most; GKE uses those that come with a machine for ephemeral storage."""


def nodes(cluster: Cluster) -> Iterator[Node]:
    """Every node that the cluster can have: its pools at their maxima."""
    for pool in cluster.node_pools:
        yield from (node(pool, f"gke-{pool.name}-{index}") for index in range(pool.max_nodes))


def node(pool: NodePool, name: str) -> Node:
    """One node of a pool."""
    machine = catalogue.machine_type(pool.machine_type)
    placement = place(pool) if machine.accelerator or pool.accelerator else None
    capacity = {
        "cpu": f"{allocatable_cpu(machine.vcpus)}m",
        "memory": f"{allocatable_memory(machine.memory_gb)}Mi",
        "ephemeral-storage": f"{_allocatable_disk(pool)}Gi",
    }
    if placement is None:
        return Node(name, {GKE_NODE_POOL: pool.name}, (), capacity)
    labels = {GKE_NODE_POOL: pool.name, **placement.node_selector}
    return Node(name, labels, (_taint(placement),), capacity | placement.accelerator_resources)


def _taint(placement: Placement) -> Mapping[str, str]:
    taint = placement.accelerator.taint
    return {"key": taint.key, "value": taint.value, "effect": taint.effect}


def allocatable_cpu(vcpus: int) -> int:
    """Millicores for pods."""
    return int((vcpus - _reserved(vcpus, _CPU_RESERVED)) * 1000)


def allocatable_memory(memory_gb: float) -> int:
    """MiB for pods. Compute Engine's gigabytes of memory are binary."""
    return int((memory_gb - _reserved(memory_gb, _MEMORY_RESERVED)) * _GI / _MI) - _EVICTION_MI


def allocatable_disk(boot_disk_gb: int) -> int:
    """GiB of a boot disk for pods: a tenth is kept from being full, and a good third is the system's."""
    size = boot_disk_gb * 1000**3 / _GI
    return int(size - size / 10 - min(size / 2, 6 + 0.35 * size, 100))


def _allocatable_disk(pool: NodePool) -> int:
    local = catalogue.machine_type(pool.machine_type).local_ssd_gib
    return int(local * 0.9) - _LOCAL_SSD_RESERVED_GIB if local else allocatable_disk(pool.boot_disk_gb)


def _reserved(size: float, steps: tuple[tuple[float, float], ...]) -> float:
    reserved = 0.0
    for width, share in steps:
        part = min(size, width)
        reserved += part * share
        size -= part
    return reserved
