"""Where the pods of a workload go: node pool, accelerator, and what follows from both."""

from dataclasses import dataclass
from functools import cached_property
from math import prod

from llmd_constructs import catalogue
from llmd_constructs.catalogue import Accelerator, MachineType
from llmd_constructs.config.cluster import NodePool
from llmd_constructs.manifest import JsonObject

GKE_NODE_POOL = "cloud.google.com/gke-nodepool"
"""Label that GKE puts on every node with the name of its pool."""


@dataclass(frozen=True)
class Placement:
    """A node pool with an accelerator, seen from a pod that needs it."""

    pool: NodePool
    machine: MachineType
    accelerator: Accelerator
    chips_per_node: int
    """Chips or GPUs of one node. A pod takes all of them: TPUs cannot be shared, GPUs are not."""
    topology: str | None
    """TPU topology label value; `None` on GPUs."""
    hosts: int
    """Nodes that form one slice; 1 unless the topology is multi-host."""

    @property
    def is_tpu(self) -> bool:
        """Whether the accelerator is a TPU."""
        return self.accelerator.kind == "tpu"

    @property
    def devices_per_node(self) -> int:
        """Devices that the framework sees on one node; TPU v5p and v7x have two cores per chip."""
        return self.chips_per_node * self.accelerator.cores_per_chip

    @cached_property
    def node_selector(self) -> dict[str, str]:
        """Labels that pick the nodes.

        GKE's admission check refuses a TPU pod without both accelerator and topology (seed 001).
        """
        selector = {self.accelerator.node_label_key: self.accelerator.node_label_value}
        if self.accelerator.topology_label_key and self.topology:
            selector[self.accelerator.topology_label_key] = self.topology
        return selector

    @cached_property
    def tolerations(self) -> list[JsonObject]:
        """Toleration of the taint that GKE puts on accelerator nodes."""
        taint = self.accelerator.taint
        return [{"key": taint.key, "operator": "Equal", "value": taint.value, "effect": taint.effect}]

    @property
    def accelerator_resources(self) -> dict[str, str]:
        """The extended resource, all chips of the node. Requests have to equal limits."""
        return {self.accelerator.resource: str(self.chips_per_node)}

    @cached_property
    def host_requests(self) -> dict[str, str]:
        """CPU and memory: half of the node, which leaves room for GKE's own pods and the picker's sidecars."""
        return {
            "cpu": str(max(1, self.machine.vcpus // 2)),
            "memory": f"{int(self.machine.memory_gb // 2)}Gi",
        }

    @cached_property
    def ephemeral_gib(self) -> int:
        """Disk of one node that pods can fill, as GKE leaves it (plan-node-sizes).

        Ten percent is kept for eviction, and of a boot disk half, 35 % and 6 GiB, or 100 GiB: the least of the three.
        """
        if self.machine.local_ssd_gib:
            return int(self.machine.local_ssd_gib * 0.9)
        capacity = self.pool.boot_disk_gb * 1e9 / 2**30
        return int(capacity - 0.1 * capacity - min(0.5 * capacity, 6 + 0.35 * capacity, 100))

    @cached_property
    def environment(self) -> dict[str, str]:
        """Variables that tell libtpu the shape of its host. Empty on GPUs and on multi-host slices.

        On multi-host slices GKE's webhook sets them, and a second value would contradict it.
        """
        if not self.is_tpu:
            return {}
        if self.hosts > 1 or not self.machine.chips_per_host_bounds:
            return {"PJRT_DEVICE": "TPU"}
        return {
            "TPU_CHIPS_PER_HOST_BOUNDS": self.machine.chips_per_host_bounds,
            "TPU_HOST_BOUNDS": "1,1,1",
            "PJRT_DEVICE": "TPU",
        }


def default_topology(machine: MachineType) -> str | None:
    """The single-host topology of a TPU machine type."""
    return next((shape.topology for shape in machine.topologies if shape.hosts == 1), None)


def topology_chips(topology: str) -> int:
    """Chips of a topology: `2x4` has 8."""
    return prod(int(side) for side in topology.split("x"))


def has_accelerator(pool: NodePool) -> bool:
    """Whether its nodes have TPUs or GPUs.

    Raises:
        UnknownEntry: The machine type is not in the catalogue.
    """
    return bool(catalogue.machine_type(pool.machine_type).accelerator or pool.accelerator)


def place(pool: NodePool) -> Placement:
    """Resolve a node pool.

    Raises:
        UnknownEntry: The machine type or the accelerator is not in the catalogue.
        ValueError: The pool has no accelerator, or a topology that its machine type does not offer.
    """
    machine = catalogue.machine_type(pool.machine_type)
    accelerator_id = machine.accelerator or (pool.accelerator.type if pool.accelerator else None)
    if accelerator_id is None:
        raise ValueError(
            f"node pool {pool.name} ({pool.machine_type}) has no accelerator; "
            "name a pool with TPUs or GPUs, or attach GPUs to this one with `accelerator`",
        )
    accelerator = catalogue.accelerator(accelerator_id)
    chips = machine.chips or (pool.accelerator.count if pool.accelerator else 0)
    topology = (pool.topology or default_topology(machine)) if accelerator.kind == "tpu" else None
    hosts = machine.hosts(topology) if topology else 1
    if hosts is None:
        offered = ", ".join(shape.topology for shape in machine.topologies)
        raise ValueError(f"{pool.machine_type} has no topology {topology}; choose one of {offered}")
    return Placement(pool, machine, accelerator, chips, topology, hosts)
