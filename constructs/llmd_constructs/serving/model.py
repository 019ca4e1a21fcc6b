"""One served model on either stack, with its route and policies."""

from dataclasses import dataclass, field

from llmd_constructs import catalogue
from llmd_constructs.addons.disruption import DisruptionBudget
from llmd_constructs.addons.network_policies import ModelNetworkPolicies, Traffic
from llmd_constructs.application import Application, Component, Wave
from llmd_constructs.config.deployment import Engine, Scheduler, Stack
from llmd_constructs.context import Context
from llmd_constructs.manifest import INFERENCE_POOL, SERVICE
from llmd_constructs.platform.istio import BodyForwarding, PickerTls
from llmd_constructs.serving.endpoint_picker import EndpointPicker
from llmd_constructs.serving.engine import Scheme, VllmEngine, resolve_image
from llmd_constructs.serving.kserve import MODEL_FOLDER, KServeService, LlmInferenceService
from llmd_constructs.serving.llmd import LlmdService, ModelServer, Pool
from llmd_constructs.serving.placement import place
from llmd_constructs.serving.routes import GkeBackendPolicies, Route, kserve_rules, path_rule, pool_backend

KSERVE_POOL_RULES = (0, 1)
"""Rules of KServe's own HTTPRoute that lead to the pool at release 0.15: completions, chat completions."""


@dataclass(frozen=True)
class ModelRequest:
    """One model as a pattern asks for it."""

    name: str
    namespace: str
    stack: Stack
    model: str
    node_pool: str
    replicas: int = 1
    engine: Engine = field(default_factory=Engine)
    scheduler: Scheduler = field(default_factory=Scheduler)
    prefix_caching: bool = False
    request_timeout_seconds: int = 600


class ServedModel(Component):
    """Everything that one model needs."""

    def __init__(
        self, scope: Application | Component, id: str, context: Context, request: ModelRequest
    ) -> None:
        """Render the model on its stack."""
        super().__init__(scope, id)
        self._context = context
        self._request = request
        if request.stack == "kserve":
            self._kserve()
        else:
            self._llmd()

    def _engine(self, source: str, scheme: Scheme) -> VllmEngine:
        request = self._request
        placement = place(self._context.environment.node_pool(request.node_pool))
        return VllmEngine(
            settings=request.engine,
            model=catalogue.model(request.model),
            placement=placement,
            image=resolve_image(request.engine, placement),
            source=source,
            scheme=scheme,
            prefix_caching=request.prefix_caching,
        )

    def _kserve(self) -> None:
        context, request = self._context, self._request
        platform = context.environment.platform
        release = context.kserve
        if release is None:
            raise ValueError(f"deployment {request.name} uses KServe, and platform.kserve is not set")
        service = KServeService(
            name=request.name,
            namespace=request.namespace,
            replicas=request.replicas,
            engine=self._engine(MODEL_FOLDER, "HTTPS" if context.serves_tls else "HTTP"),
            release=release,
            gateway=platform.gateway,
            scheduler=request.scheduler,
            secrets=platform.secrets,
        )
        names = service.names
        LlmInferenceService(self, "service", service, context.name)
        if service.owns_route:
            rules = kserve_rules(
                request.namespace, request.name, pool_backend(names.pool, INFERENCE_POOL), names.own_service
            )
            self._route(names.own_route, rules)
            self._gke_policies(names.pool, "pool")
            GkeBackendPolicies(
                self,
                "service-policies",
                name=names.own_service,
                namespace=request.namespace,
                kind=SERVICE,
                timeout_seconds=request.request_timeout_seconds,
                part_of=context.name,
            )
        elif context.istio and context.istio.body_forwarding_filter:
            BodyForwarding(
                self,
                "body-forwarding",
                gateway=platform.gateway,
                route=names.route,
                namespace=request.namespace,
                rules=KSERVE_POOL_RULES,
                part_of=context.name,
            )
        self._around(Traffic(names.model_server_selector, names.picker_selector, service.picker.ports))

    def _llmd(self) -> None:
        context, request = self._context, self._request
        platform = context.environment.platform
        service = LlmdService(
            name=request.name,
            namespace=request.namespace,
            replicas=request.replicas,
            engine=self._engine(request.model, "HTTP"),
            picker=context.picker,
            gateway=platform.gateway,
            scheduler=request.scheduler,
            secrets=platform.secrets,
        )
        names = service.names
        ModelServer(self, "model-server", service, context.name)
        EndpointPicker(self, "picker", service, context.name)
        Pool(self, "pool", service, context.name)
        if platform.gateway.provider == "gke":
            self._gke_policies(names.pool, "pool")
        else:
            PickerTls(
                self, "picker-tls", service=names.picker, namespace=request.namespace, part_of=context.name
            )
        self._route(names.route, [path_rule("/", pool_backend(names.pool, INFERENCE_POOL))], wave=Wave.ROUTES)
        self._around(Traffic(names.model_server_selector, names.picker_selector, service.picker.ports))

    def _route(self, name: str, rules: list[dict[str, object]], wave: Wave | None = None) -> None:
        Route(
            self,
            "route",
            name=name,
            namespace=self._request.namespace,
            gateway=self._context.environment.platform.gateway,
            rules=rules,
            part_of=self._context.name,
            wave=wave,
        )

    def _gke_policies(self, pool: str, id: str) -> None:
        GkeBackendPolicies(
            self,
            f"{id}-policies",
            name=pool,
            namespace=self._request.namespace,
            kind=INFERENCE_POOL,
            timeout_seconds=self._request.request_timeout_seconds,
            part_of=self._context.name,
        )

    def _around(self, traffic: Traffic) -> None:
        """What both stacks have in common."""
        context, request = self._context, self._request
        if request.replicas > 1:
            DisruptionBudget(
                self,
                "disruption",
                name=request.name,
                namespace=request.namespace,
                selector=traffic.model_servers,
                part_of=context.name,
            )
        if context.environment.platform.network_policies:
            ModelNetworkPolicies(
                self,
                "network-policies",
                context=context,
                name=request.name,
                namespace=request.namespace,
                traffic=traffic,
            )
