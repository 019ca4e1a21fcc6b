"""A model served by llm-d without KServe."""

from collections.abc import Sequence

from llmd_constructs.addons.monitoring import Metrics
from llmd_constructs.addons.network_policies import Traffic
from llmd_constructs.application import Application, Component
from llmd_constructs.context import Context
from llmd_constructs.manifest import INFERENCE_POOL, SERVICE, JsonObject
from llmd_constructs.platform.istio import PickerTls
from llmd_constructs.serving.endpoint_picker import EndpointPicker
from llmd_constructs.serving.engine import MODEL_SERVER_PORT
from llmd_constructs.serving.features import Role
from llmd_constructs.serving.llmd import DECODE_PORT, LlmdService, ModelServer, ModelService, Pool
from llmd_constructs.serving.llmd_names import LlmdNames
from llmd_constructs.serving.model import ModelRequest, ServedModel, Side
from llmd_constructs.serving.render import RenderService, render_url
from llmd_constructs.serving.routes import model_rule, model_rules, pool_backend, service_backend
from llmd_constructs.serving.workload import Workload


class LlmdModel(ServedModel):
    """Model servers, picker, pool, route and policies of one model."""

    def __init__(
        self, scope: Application | Component, id: str, context: Context, request: ModelRequest
    ) -> None:
        """Render the model."""
        super().__init__(scope, id, context, request)
        platform = context.environment.platform
        names = LlmdNames(request.name)
        service = LlmdService(
            name=request.name,
            namespace=request.namespace,
            picker=context.picker,
            profile=self.profile(render_url(names, request.namespace) if request.precise else None),
            scheduler=request.scheduler,
            secrets=platform.secrets,
        )
        workloads = self._workloads(names)
        for workload in workloads:
            ModelServer(self, workload.role, service, workload, context.name)
        ModelService(self, "model-service", service, context.name)
        if request.precise:
            RenderService(self, "render", service, request.model, context.name)
        EndpointPicker(self, "picker", service, context.name)
        Pool(self, "pool", service, context.name)
        if platform.gateway.provider == "istio":
            PickerTls(
                self, "picker-tls", service=names.picker, namespace=request.namespace, part_of=context.name
            )
        self.gke_policies("pool-policies", names.pool, INFERENCE_POOL)
        if request.route != "body":
            self.gke_policies("service-policies", names.model_service, SERVICE)
        self.route(names.route, self._rules(names, context.picker.inference_paths))
        self.around(
            Traffic(
                names.model_server_selector,
                names.picker_selector,
                service.picker.ports,
                group=names.group_selector if self.talks_inside else None,
                render=names.render_selector if request.precise else None,
                picker_metrics=service.picker.ports.metrics,
            ),
            workloads,
        )
        if platform.monitoring:
            Metrics(
                self,
                "metrics-picker",
                name=names.picker,
                namespace=request.namespace,
                selector=names.picker_selector,
                port=service.picker.ports.metrics,
                part_of=context.name,
            )

    def _workloads(self, names: LlmdNames) -> list[Workload]:
        request = self.request
        if request.prefill is None:
            return [self._workload(request.main, "both", names.model_server)]
        return [
            self._workload(request.prefill, "prefill", names.prefill),
            self._workload(request.main, "decode", names.model_server),
        ]

    def _workload(self, side: Side, role: Role, name: str) -> Workload:
        decodes = role == "decode"
        engine = self.engine(
            side,
            role=role,
            source=self.request.model,
            scheme="HTTP",
            port=DECODE_PORT if decodes else MODEL_SERVER_PORT,
        )
        return Workload(
            name,
            side.replicas,
            engine,
            role,
            self.request.nodes,
            sidecar=decodes,
            autoscaling=side.autoscaling,
        )

    def _rules(self, names: LlmdNames, paths: Sequence[str]) -> list[JsonObject]:
        request = self.request
        pool = pool_backend(names.pool, INFERENCE_POOL)
        if request.route == "body":
            return [model_rule(request.model, pool)]
        base = f"/{request.namespace}/{request.name}" if request.route == "path" else ""
        return model_rules(base, paths, pool, service_backend(names.model_service))
