"""Accelerators as a chart names them: the machine type, and what is not plain from it.

`ct6e-standard-4t` is a single-host slice, `ct6e-standard-4t:4x4` one of four hosts, `n1-standard-4:nvidia-t4x2` a
general-purpose machine with two GPUs attached.
"""

from typing import Any

from llmd_constructs import catalogue
from llmd_constructs.config.cluster import NodePool
from llmd_constructs.serving.placement import default_topology

ATTACHED = (1, 2, 4)
"""GPUs that N1 machines can have (Compute Engine: GPU machine types, N1)."""

MOST_HOSTS = 64
"""Nodes that one replica may have."""


def accelerator_ids(*, multi_host: bool) -> tuple[str, ...]:
    """Every machine with an accelerator, in the catalogue's order."""
    ids: list[str] = []
    for name in catalogue.ids("machine_type"):
        machine = catalogue.machine_type(name)
        ids.extend(f"{name}:{gpu}x{count}" for gpu in machine.attachable for count in ATTACHED)
        if not machine.accelerator:
            continue
        ids.append(name)
        slices = [shape.topology for shape in machine.topologies if 1 < shape.hosts <= MOST_HOSTS]
        ids.extend(f"{name}:{topology}" for topology in slices if multi_host)
    return tuple(ids)


def accelerator_id(pool: NodePool) -> str:
    """The name of a node pool's accelerator."""
    machine = catalogue.machine_type(pool.machine_type)
    if pool.accelerator and not machine.accelerator:
        return f"{pool.machine_type}:{pool.accelerator.type}x{pool.accelerator.count}"
    if pool.topology and pool.topology != default_topology(machine):
        return f"{pool.machine_type}:{pool.topology}"
    return pool.machine_type


def node_pool(accelerator: str, name: str) -> dict[str, Any]:
    """A node pool with such nodes, and room for anything."""
    machine, _, extra = accelerator.partition(":")
    pool: dict[str, Any] = {"name": name, "machineType": machine, "maxNodes": 1000, "bootDiskGb": 65536}
    if extra and extra[0].isdigit():
        return {**pool, "topology": extra}
    if extra:
        gpu, _, count = extra.rpartition("x")
        return {**pool, "accelerator": {"type": gpu, "count": int(count)}}
    return pool
