"""A model on KServe: an LLMInferenceService and what stands beside it."""

from llmd_constructs.addons.network_policies import Traffic
from llmd_constructs.application import Application, Component
from llmd_constructs.catalogue import KServeRelease
from llmd_constructs.context import Context
from llmd_constructs.manifest import INFERENCE_POOL, SERVICE
from llmd_constructs.platform.istio import BodyForwarding, PickerTls
from llmd_constructs.serving.engine import MODEL_SERVER_PORT
from llmd_constructs.serving.features import Role
from llmd_constructs.serving.kserve import MODEL_FOLDER, KServeService, LlmInferenceService
from llmd_constructs.serving.kserve_names import KServeNames
from llmd_constructs.serving.model import ModelRequest, ServedModel, Side
from llmd_constructs.serving.routes import model_rule, model_rules, pool_backend, service_backend
from llmd_constructs.serving.workload import Workload

PRESET_POOL_RULES = (0, 1)
"""Rules of KServe's own HTTPRoute that lead to the pool at release 0.15: completions, chat completions."""
PRESET_DECODE_PORT = 8001
"""vLLM's port behind the routing sidecar that KServe's decode preset adds."""


class KServeModel(ServedModel):
    """One LLMInferenceService with its route and policies."""

    def __init__(
        self,
        scope: Application | Component,
        id: str,
        context: Context,
        request: ModelRequest,
        release: KServeRelease,
    ) -> None:
        """Render the model."""
        super().__init__(scope, id, context, request)
        platform = context.environment.platform
        role: Role = "decode" if request.prefill else "both"
        service = KServeService(
            name=request.name,
            namespace=request.namespace,
            main=self._workload(request.main, role),
            prefill=self._workload(request.prefill, "prefill") if request.prefill else None,
            release=release,
            gateway=platform.gateway,
            scheduler=request.scheduler,
            secrets=platform.secrets,
            profile=self.profile(),
        )
        LlmInferenceService(self, "service", service, context.name)
        if service.owns_route:
            self._own_route(service)
        else:
            self._preset_route(service)
        names = service.names
        self.around(
            Traffic(
                names.model_server_selector,
                names.picker_selector,
                service.picker.ports,
                group=names.group_selector if self.talks_inside else None,
                asks_api_server=request.prefill is not None,
            ),
            [workload for workload in (service.main, service.prefill) if workload],
        )

    def _workload(self, side: Side, role: Role) -> Workload:
        engine = self.engine(
            side,
            role=role,
            source=MODEL_FOLDER,
            scheme="HTTPS" if self.context.serves_tls else "HTTP",
            port=PRESET_DECODE_PORT if role == "decode" else MODEL_SERVER_PORT,
        )
        names = KServeNames(self.request.name)
        single = names.prefill if role == "prefill" else names.workload
        return Workload(
            names.workload_group if self.request.nodes > 1 else single,
            side.replicas,
            engine,
            role,
            self.request.nodes,
            autoscaling=side.autoscaling,
        )

    def _own_route(self, service: KServeService) -> None:
        """GKE's gateway: our route, with a policy for each backend."""
        request, names = self.request, service.names
        pool = pool_backend(names.pool, INFERENCE_POOL)
        base = f"/{request.namespace}/{request.name}"
        rules = model_rules(base, service.picker.inference_paths, pool, service_backend(names.own_service))
        if request.route == "body":
            rules.append(model_rule(request.model, pool))
        self.route(names.own_route, rules)
        self.gke_policies("pool-policies", names.pool, INFERENCE_POOL)
        self.gke_policies("service-policies", names.own_service, SERVICE)

    def _preset_route(self, service: KServeService) -> None:
        """Istio's gateway: KServe's route, and what its release leaves to us."""
        context, request, names = self.context, self.request, service.names
        if request.route == "body":
            self.route(
                names.own_route, [model_rule(request.model, pool_backend(names.pool, context.read_pool))]
            )
        if not service.release.istio_destination_rules:
            PickerTls(
                self,
                "picker-tls",
                service=names.picker_service,
                namespace=request.namespace,
                part_of=context.name,
            )
        if context.istio and context.istio.body_forwarding_filter:
            BodyForwarding(
                self,
                "body-forwarding",
                gateway=service.gateway,
                route=names.route,
                namespace=request.namespace,
                rules=PRESET_POOL_RULES,
                part_of=context.name,
            )
