"""An LLMInferenceService, and what has to stand beside it."""

from dataclasses import dataclass, field, replace
from functools import cached_property

from llmd_constructs.application import Application, Component
from llmd_constructs.catalogue import KServeRelease, PickerRelease, picker_release
from llmd_constructs.config.deployment import Scheduler
from llmd_constructs.config.platform import Gateway, Secrets
from llmd_constructs.emit.yaml_text import yaml_text
from llmd_constructs.labels import recommended
from llmd_constructs.manifest import SERVICE, SERVICE_ACCOUNT, JsonObject, compact, llm_inference_service
from llmd_constructs.serving.engine import MODEL_SERVER_PORT, TLS_FOLDER, VllmEngine
from llmd_constructs.serving.kserve_names import KServeNames
from llmd_constructs.serving.picker import KSERVE_0_15_WEIGHTS, PickerProfile, picker_args, picker_config
from llmd_constructs.serving.workload import Workload

MODEL_FOLDER = "/mnt/models"
"""Where KServe's storage initialiser puts the weights."""


@dataclass(frozen=True)
class KServeService:
    """One model behind one LLMInferenceService, resolved."""

    name: str
    namespace: str
    main: Workload
    """All replicas, or the decode side."""
    release: KServeRelease
    gateway: Gateway
    scheduler: Scheduler
    secrets: Secrets
    profile: PickerProfile = field(default_factory=PickerProfile)
    prefill: Workload | None = None
    """The prefill side."""

    @property
    def engine(self) -> VllmEngine:
        """The engine that answers."""
        return self.main.engine

    @cached_property
    def names(self) -> KServeNames:
        """Names of the children."""
        return KServeNames(self.name)

    @property
    def picker(self) -> PickerRelease:
        """The picker release that KServe's preset starts."""
        return picker_release(self.release.picker)

    @property
    def owns_route(self) -> bool:
        """Whether the route is ours: GKE refuses KServe's, which sets `timeouts` (failure F-02)."""
        return self.gateway.provider == "gke"

    @property
    def picker_pool_api(self) -> str:
        """The InferencePool API that the picker watches: the one that KServe's own preset and role name."""
        return self.release.pool_apis[-1]


class LlmInferenceService(Component):
    """The LLMInferenceService and the ServiceAccount through which it reaches weights and registries."""

    def __init__(self, scope: Application | Component, id: str, service: KServeService, part_of: str) -> None:
        """Render the service of one model."""
        super().__init__(scope, id)
        self._service = service
        self._labels = recommended(service.name, "model-server", part_of)
        self.add(self._service_account())
        kind = llm_inference_service(service.release.api_version)
        self.add(kind.manifest(service.name, service.namespace, labels=self._labels, spec=self._spec()))
        if service.owns_route:
            self.add(self._plain_http_service())

    def _service_account(self) -> JsonObject:
        """The storage initialiser reads the token from the account's secrets, not from the container's env."""
        secrets = self._service.secrets
        return SERVICE_ACCOUNT.manifest(
            self._service.name,
            self._service.namespace,
            labels=self._labels,
            secrets=[{"name": secrets.hugging_face_token.name}] if self._wants_token else [],
            imagePullSecrets=self._pull_secrets(),
            # The P/D sidecar that KServe adds looks its pool up.
            automountServiceAccountToken=self._service.prefill is not None,
        )

    @property
    def _wants_token(self) -> bool:
        """KServe makes no pod while a Secret that the account lists is missing: so only where one is sure to be."""
        service = self._service
        return service.engine.model.gated or service.secrets.provider == "external-secrets"

    def _pull_secrets(self) -> list[JsonObject]:
        pull = self._service.secrets.image_pull_secret
        return [{"name": pull.name}] if pull else []

    def _spec(self) -> JsonObject:
        service = self._service
        return compact(
            model=self._model(),
            **self._workload(service.main),
            router=self._router(),
            prefill=self._prefill(),
        )

    def _model(self) -> JsonObject:
        service = self._service
        model = service.engine.model
        return {"uri": f"hf://{model.id}", "name": model.id}

    def _prefill(self) -> JsonObject | None:
        return self._workload(self._service.prefill) if self._service.prefill else None

    def _workload(self, workload: Workload) -> JsonObject:
        """Replicas and pods; over several nodes also how the model is spread, from which KServe makes its groups."""
        pod = self._template(workload)
        if workload.nodes == 1:
            return compact(replicas=workload.fixed_replicas, template=pod)
        engine = workload.engine
        local = engine.placement.devices_per_node // engine.tensor_parallel_size
        parallelism = compact(
            data=local * workload.nodes,
            dataLocal=local,
            tensor=engine.tensor_parallel_size if engine.tensor_parallel_size > 1 else None,
            expert=True,
        )
        return compact(replicas=workload.fixed_replicas, parallelism=parallelism, template=pod, worker=pod)

    def _router(self) -> JsonObject:
        service = self._service
        route = {"http": {"refs": [{"name": service.names.own_route}]}} if service.owns_route else {}
        gateway = {"name": service.gateway.name, "namespace": service.gateway.namespace}
        # Webhooks before 0.17 refuse a named gateway beside a managed route.
        managed = not route and service.release.default_gateway == f"{gateway['namespace']}/{gateway['name']}"
        return {
            "route": route,
            "gateway": {} if managed else {"refs": [gateway]},
            "scheduler": self._scheduler(),
        }

    def _scheduler(self) -> JsonObject:
        """Empty where KServe's own picker fits; else as the release takes a configuration."""
        service = self._service
        image = service.scheduler.image
        if service.release.scheduler_config == "config-inline":
            wanted = service.profile.weights or service.profile.lora
            return compact(
                config={"inline": picker_config(service.picker, service.profile)} if wanted else None,
                replicas=service.scheduler.replicas if service.scheduler.replicas > 1 else None,
                template={"containers": [{"name": "main", "image": image}]} if image else None,
            )
        if not service.profile.weights and not image and service.engine.scheme == "HTTPS":
            return {}
        weights = service.profile.weights or KSERVE_0_15_WEIGHTS
        config = picker_config(service.picker, replace(service.profile, weights=weights))
        return {
            "template": {"containers": [compact(name="main", image=image, args=self._picker_args(config))]}
        }

    def _picker_args(self, config: JsonObject) -> list[str]:
        """All flags of the picker: where the preset has some, the list replaces them as a whole."""
        service = self._service
        return picker_args(
            service.picker,
            pool=service.names.pool,
            namespace=service.namespace,
            pool_group=service.picker_pool_api.partition("/")[0],
            metrics_scheme=service.engine.scheme.lower(),
            more={"secure-serving": True, "cert-path": TLS_FOLDER, "config-text": yaml_text(config)},
        )

    def _template(self, workload: Workload) -> JsonObject:
        engine = workload.engine
        container = engine.container("main", env=[], securityContext=self._security_context())
        if workload.nodes > 1:
            container = _by_preset(container, engine)
        return compact(
            serviceAccountName=self._service.name,
            imagePullSecrets=self._pull_secrets(),
            nodeSelector=engine.placement.node_selector,
            tolerations=engine.placement.tolerations,
            terminationGracePeriodSeconds=engine.termination_grace_period_seconds,
            containers=[container],
        )

    def _security_context(self) -> JsonObject:
        """What the presets say differently from release to release, and vLLM's images need.

        They write outside the mounted folders, and some run as root (failure F-35k).
        """
        return compact(
            readOnlyRootFilesystem=False,
            runAsNonRoot=False if self._service.engine.image.user == 0 else None,
        )

    def _plain_http_service(self) -> JsonObject:
        """The backend of everything that is not inference.

        KServe's own Service says `appProtocol: https` and is reconciled back to it, so that GKE's gateway
        speaks TLS to a server that does not (seed 000, accepted limitation; domain section 6, option O1).
        """
        return SERVICE.manifest(
            self._service.names.own_service,
            self._service.namespace,
            labels=self._labels,
            spec={
                "selector": self._service.names.model_server_selector,
                "ports": [
                    {
                        "name": "http",
                        "port": MODEL_SERVER_PORT,
                        "targetPort": MODEL_SERVER_PORT,
                        "protocol": "TCP",
                    }
                ],
            },
        )


def _by_preset(container: JsonObject, engine: VllmEngine) -> JsonObject:
    """A container of a group: KServe's preset knows leader and workers, and takes further flags from a variable."""
    own = {
        key: value
        for key, value in container.items()
        if key not in ("command", "args", "ports", *engine.probes)
    }
    flags = " ".join(engine.tuning_args)
    return {**own, "env": [*own.get("env", []), {"name": "VLLM_ADDITIONAL_ARGS", "value": flags}]}
