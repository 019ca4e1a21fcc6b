"""Accelerators as GKE offers them: labels, taint, resource and memory."""

from functools import cache
from typing import Literal

from ._table import Entry, Table, Value, read_table

AcceleratorKind = Literal["tpu", "gpu"]


class Taint(Value):
    """The taint that GKE puts on the nodes of an accelerator."""

    key: str
    value: str
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]


class Accelerator(Entry):
    """One chip or GPU.

    Attributes:
        id: Our name for it.
        title: The vendor's name for it.
        kind: Cloud TPU or NVIDIA GPU.
        node_label_key: The node label that names the accelerator.
        node_label_value: Its value on the nodes that carry this one.
        topology_label_key: The node label that names the slice's shape; TPUs only.
        resource: The extended resource that a container requests.
        taint: The taint on its nodes.
        memory_gb: Memory per chip as the vendor states it, in GB.
        memory_gib: Memory per chip that a program can use, in GiB.
        cores_per_chip: Devices that the framework sees per chip; tensor parallelism counts these.
        bf16: Whether it computes in bfloat16.
        fp8: Whether it computes in 8-bit floating point.
        compute_capability: CUDA compute capability; GPUs only.
        min_gke: The first GKE version with node pools of it, where GKE states one.
        quota_metric: The quota that its on-demand use counts against.
        zones: Zones known to offer it on GKE; empty where no list was read, so no proof of absence.
    """

    id: str
    title: str
    kind: AcceleratorKind
    node_label_key: str
    node_label_value: str
    topology_label_key: str | None = None
    resource: str
    taint: Taint
    memory_gb: float
    memory_gib: float
    cores_per_chip: int = 1
    bf16: bool
    fp8: bool
    compute_capability: str | None = None
    min_gke: str | None = None
    quota_metric: str
    zones: tuple[str, ...] = ()


@cache
def accelerators() -> Table[Accelerator]:
    """All accelerators, by id."""
    return read_table("accelerators.yaml", Accelerator)
