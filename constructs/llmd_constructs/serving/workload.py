"""Replicas of one kind, on either stack."""

from dataclasses import dataclass

from llmd_constructs.config.deployment import Autoscaling, most_replicas
from llmd_constructs.manifest import DEPLOYMENT, LEADER_WORKER_SET, Kind
from llmd_constructs.serving.engine import VllmEngine
from llmd_constructs.serving.features import Role


@dataclass(frozen=True)
class Workload:
    """Replicas of one kind: all of a model's, or its prefill or decode side."""

    name: str
    """Name of the object that Kubernetes runs, whoever writes it."""
    replicas: int
    engine: VllmEngine
    role: Role = "both"
    nodes: int = 1
    """Nodes that hold one replica."""
    sidecar: bool = False
    """Whether requests come in through the routing sidecar, which asks for prefill first."""
    autoscaling: Autoscaling | None = None
    """What adds replicas; `replicas` is then the fewest."""

    @property
    def kind(self) -> Kind:
        """What Kubernetes runs."""
        return LEADER_WORKER_SET if self.nodes > 1 else DEPLOYMENT

    @property
    def fixed_replicas(self) -> int | None:
        """Replicas as a manifest says them: not at all, where an autoscaler does."""
        return None if self.autoscaling else self.replicas

    @property
    def most_replicas(self) -> int:
        """Replicas under full load."""
        return most_replicas(self)
