"""Nodes that exist in the API server alone, for its scheduler to place pods on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Node:
    """A node with what a scheduler looks at.

    Attributes:
        name: Its name.
        labels: Its labels beside hostname, architecture and operating system, which every node has.
        taints: Its taints, as `key`, `value` and `effect`.
        capacity: What it can hold, such as `{"cpu": "180", "memory": "720Gi", "google.com/tpu": "4"}`; all of it is
            allocatable. `pods` is 110 if it is not named.
    """

    name: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    taints: tuple[Mapping[str, str], ...] = ()
    capacity: Mapping[str, str] = field(default_factory=dict[str, str])

    def manifest(self) -> dict[str, Any]:
        """The Node object."""
        capacity = {"pods": "110", **self.capacity}
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": self.name,
                "labels": {
                    "kubernetes.io/arch": "amd64",
                    "kubernetes.io/hostname": self.name,
                    "kubernetes.io/os": "linux",
                    **self.labels,
                },
            },
            "spec": {"taints": [dict(taint) for taint in self.taints]},
            "status": {"capacity": capacity, "allocatable": capacity},
        }
