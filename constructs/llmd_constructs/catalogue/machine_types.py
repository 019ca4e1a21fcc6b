"""Compute Engine machine types: their size and the accelerators they carry."""

from functools import cache

from ._table import Entry, Table, Value, read_table


class Topology(Value):
    """A slice shape that a node pool of a TPU machine type can have.

    Attributes:
        topology: The shape, as in the node label: `2x2`, `2x2x1`.
        hosts: Nodes in the slice; 1 is single-host.
    """

    topology: str
    hosts: int


class MachineType(Entry):
    """One machine type.

    Attributes:
        name: As Compute Engine calls it.
        vcpus: Virtual CPUs.
        memory_gb: Main memory in GB.
        accelerator: The accelerator built into it, if any.
        chips: Chips or GPUs per host; 0 without a built-in accelerator.
        attachable: Accelerators that a node pool may attach to it; the pool then says how many.
        topologies: Slice shapes; TPUs only.
        local_ssd_gib: Local SSD that GKE uses for ephemeral storage by itself; 0 where there is none.
        gpu_network: What connects its GPUs to those of another host, beside the pods' network; GPUs only.
        chips_per_host_bounds: The host's own shape as `TPU_CHIPS_PER_HOST_BOUNDS` wants it; TPUs only.
    """

    name: str
    vcpus: int
    memory_gb: float
    accelerator: str | None = None
    chips: int = 0
    attachable: tuple[str, ...] = ()
    topologies: tuple[Topology, ...] = ()
    local_ssd_gib: int = 0
    gpu_network: str | None = None
    chips_per_host_bounds: str | None = None

    def hosts(self, topology: str) -> int | None:
        """How many nodes a slice of this shape has, or None where the shape is impossible."""
        return next((t.hosts for t in self.topologies if t.topology == topology), None)


@cache
def machine_types() -> Table[MachineType]:
    """All machine types, by name."""
    return read_table("machine_types.yaml", MachineType, key="name")
