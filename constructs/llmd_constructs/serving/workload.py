"""Replicas of one kind, on either stack."""

from dataclasses import dataclass

from llmd_constructs.serving.engine import VllmEngine
from llmd_constructs.serving.features import Role


@dataclass(frozen=True)
class Workload:
    """Replicas of one kind: all of a model's, or its prefill or decode side."""

    name: str
    replicas: int
    engine: VllmEngine
    role: Role = "both"
    nodes: int = 1
    """Nodes that hold one replica."""
    sidecar: bool = False
    """Whether requests come in through the routing sidecar, which asks for prefill first."""
