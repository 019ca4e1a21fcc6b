"""One served model, as a pattern asks for it, and what both stacks make of it alike."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from llmd_constructs import catalogue
from llmd_constructs.addons.autoscaling import Autoscaler
from llmd_constructs.addons.disruption import DisruptionBudget
from llmd_constructs.addons.monitoring import Metrics
from llmd_constructs.addons.network_policies import ModelNetworkPolicies, Traffic
from llmd_constructs.application import Application, Component
from llmd_constructs.config.deployment import Adapter, Autoscaling, Engine, Scheduler, Stack
from llmd_constructs.context import Context
from llmd_constructs.manifest import JsonObject, Kind
from llmd_constructs.serving.engine import Scheme, VllmEngine, resolve_image
from llmd_constructs.serving.features import (
    EXPERT_PARALLEL,
    Features,
    Role,
    kv_events,
    kv_transfer,
    lora,
    prefill_keep_alive,
)
from llmd_constructs.serving.llmd_names import ROLE
from llmd_constructs.serving.picker import PickerProfile
from llmd_constructs.serving.placement import place
from llmd_constructs.serving.routes import GkeBackendPolicies, Route
from llmd_constructs.serving.workload import Workload

RouteKind = Literal["root", "path", "body"]
"""At `/`, below `/<namespace>/<name>`, or by the `model` field of the request's body."""


@dataclass(frozen=True)
class Side:
    """Replicas of one kind, as a pattern asks for them."""

    node_pool: str
    replicas: int
    engine: Engine
    autoscaling: Autoscaling | None = None


@dataclass(frozen=True)
class ModelRequest:
    """One model as a pattern asks for it."""

    name: str
    namespace: str
    stack: Stack
    model: str
    main: Side
    """All replicas, or the decode side."""
    prefill: Side | None = None
    """The prefill side of a disaggregated deployment."""
    scheduler: Scheduler = field(default_factory=Scheduler)
    route: RouteKind = "root"
    prefix_caching: bool = False
    precise: bool = False
    """Route by what replicas report to have in their cache."""
    expert_parallel: bool = False
    nodes: int = 1
    """Nodes that hold one replica."""
    adapters: tuple[Adapter, ...] = ()
    request_timeout_seconds: int = 600


class ServedModel(Component):
    """What a model needs on either stack. The stacks' own classes build on it."""

    def __init__(
        self, scope: Application | Component, id: str, context: Context, request: ModelRequest
    ) -> None:
        """Keep what is asked for; the stack renders it."""
        super().__init__(scope, id)
        self.context = context
        self.request = request

    def engine(self, side: Side, *, role: Role, source: str, scheme: Scheme, port: int) -> VllmEngine:
        """The engine of one side.

        Args:
            side: Replicas, pool and settings.
            role: What the side does.
            source: Where vLLM reads the weights.
            scheme: What it serves.
            port: Where it serves.
        """
        request = self.request
        placement = place(self.context.environment.node_pool(side.node_pool))
        features = Features()
        # Over several nodes KServe's preset says it itself.
        if request.expert_parallel and (request.nodes == 1 or request.stack == "llm-d"):
            features += EXPERT_PARALLEL
        if request.precise:
            features += kv_events(request.model, port)
        if role != "both":
            features += kv_transfer(tpu=placement.is_tpu, role=role)
        if role == "prefill":
            features += prefill_keep_alive()
        features += lora(request.adapters, self.context.environment.platform.secrets)
        return VllmEngine(
            settings=side.engine,
            model=catalogue.model(request.model),
            placement=placement,
            image=resolve_image(side.engine, placement),
            source=source,
            scheme=scheme,
            prefix_caching=request.prefix_caching,
            features=features,
            data_parallel=request.nodes > 1 and not placement.is_tpu,
            port=port,
            longest_request_seconds=request.request_timeout_seconds if side.autoscaling else None,
        )

    def profile(self, render: str | None = None) -> PickerProfile:
        """What the picker has to do."""
        request = self.request
        return PickerProfile(
            weights=request.scheduler.weights,
            lora=bool(request.adapters),
            render=render,
            model=request.model,
            disaggregated=request.prefill is not None,
        )

    def route(self, name: str, rules: list[JsonObject]) -> None:
        """An HTTPRoute of this model."""
        Route(
            self,
            "route",
            name=name,
            namespace=self.request.namespace,
            gateway=self.context.environment.platform.gateway,
            rules=rules,
            part_of=self.context.name,
        )

    def gke_policies(self, id: str, name: str, kind: Kind) -> None:
        """Health check and timeout of a backend, where the gateway is GKE's."""
        if self.context.environment.platform.gateway.provider != "gke":
            return
        GkeBackendPolicies(
            self,
            id,
            name=name,
            namespace=self.request.namespace,
            kind=kind,
            timeout_seconds=self.request.request_timeout_seconds,
            part_of=self.context.name,
        )

    @property
    def talks_inside(self) -> bool:
        """Whether the model's pods talk to each other."""
        return self.request.nodes > 1 or self.request.prefill is not None

    def around(self, traffic: Traffic, workloads: Sequence[Workload]) -> None:
        """Disruption budgets, autoscalers, metrics and network policies."""
        for workload in workloads:
            self._budget(traffic, workload)
            self._autoscaler(workload)
            self._metrics(traffic, workload)
        if self.context.environment.platform.network_policies:
            ModelNetworkPolicies(
                self,
                "network-policies",
                context=self.context,
                name=self.request.name,
                namespace=self.request.namespace,
                traffic=traffic,
                metrics_ports=sorted({workload.engine.port for workload in workloads}),
            )

    def _budget(self, traffic: Traffic, workload: Workload) -> None:
        """One for each side: a budget over both would let only one pod of either go."""
        if workload.most_replicas == 1:
            return
        DisruptionBudget(
            self,
            f"disruption-{workload.role}",
            name=self.request.name if workload.role == "both" else f"{self.request.name}-{workload.role}",
            namespace=self.request.namespace,
            selector=_selector(traffic, workload),
            part_of=self.context.name,
        )

    def _autoscaler(self, workload: Workload) -> None:
        if workload.autoscaling:
            Autoscaler(
                self,
                f"autoscaler-{workload.role}",
                name=workload.name,
                namespace=self.request.namespace,
                target=workload.kind,
                least=workload.replicas,
                settings=workload.autoscaling,
                part_of=self.context.name,
            )

    def _metrics(self, traffic: Traffic, workload: Workload) -> None:
        if self.context.environment.platform.monitoring:
            Metrics(
                self,
                f"metrics-{workload.role}",
                name=workload.name,
                namespace=self.request.namespace,
                selector=_selector(traffic, workload),
                port=workload.engine.port,
                part_of=self.context.name,
                secure=workload.engine.scheme == "HTTPS",
            )


def _selector(traffic: Traffic, workload: Workload) -> dict[str, str]:
    """Labels of one side's pods that answer."""
    return {**traffic.model_servers, **({} if workload.role == "both" else {ROLE: workload.role})}
