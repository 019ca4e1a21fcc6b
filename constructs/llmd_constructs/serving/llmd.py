"""A model served without KServe: Deployment, Service, InferencePool."""

from dataclasses import dataclass
from functools import cached_property

from llmd_constructs.application import Application, Component
from llmd_constructs.catalogue import PickerRelease, auxiliary
from llmd_constructs.config.deployment import Scheduler
from llmd_constructs.config.platform import Secrets
from llmd_constructs.labels import recommended
from llmd_constructs.manifest import (
    DEPLOYMENT,
    INFERENCE_POOL,
    LEADER_WORKER_SET,
    SERVICE,
    SERVICE_ACCOUNT,
    JsonObject,
    compact,
)
from llmd_constructs.serving.engine import MODEL_SERVER_PORT, VllmEngine
from llmd_constructs.serving.features import hugging_face_token
from llmd_constructs.serving.llmd_names import ROLE, LlmdNames
from llmd_constructs.serving.multi_node import group_annotations, leader_worker_set
from llmd_constructs.serving.picker import PickerProfile
from llmd_constructs.serving.workload import Workload

CONTAINER = "vllm"
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - the container's own; workers of one engine talk through it
CACHE_FOLDER = "/cache"
"""Weights and compiled programs. The image's own home folder may not be writable."""
SCHEDULING_SECONDS = 1800
"""Time for the autoscaler to bring a node with an accelerator."""
DECODE_PORT = 8200
"""vLLM's port behind the routing sidecar, which has 8000 (llm-d, pd-disaggregation)."""


@dataclass(frozen=True)
class LlmdService:
    """One model behind one InferencePool, resolved."""

    name: str
    namespace: str
    picker: PickerRelease
    profile: PickerProfile
    scheduler: Scheduler
    secrets: Secrets

    @cached_property
    def names(self) -> LlmdNames:
        """Names of the objects."""
        return LlmdNames(self.name)


class ModelServer(Component):
    """The vLLM workload with its account."""

    def __init__(
        self, scope: Application | Component, id: str, service: LlmdService, workload: Workload, part_of: str
    ) -> None:
        """Render one workload of one model."""
        super().__init__(scope, id)
        self._service = service
        self._workload = workload
        name, namespace = workload.name, service.namespace
        self._labels = recommended(service.name, "model-server", part_of)
        self.add(
            SERVICE_ACCOUNT.manifest(
                name,
                namespace,
                labels=self._labels,
                imagePullSecrets=pull_secrets(service.secrets, workload.engine),
                automountServiceAccountToken=False,
            ),
        )
        if workload.nodes > 1:
            group = leader_worker_set(
                self._pod(), workload, self._labels, service.names.model_server_selector
            )
            self.add(
                LEADER_WORKER_SET.manifest(
                    name, namespace, labels=self._labels, annotations=group_annotations(workload), spec=group
                ),
            )
        else:
            self.add(DEPLOYMENT.manifest(name, namespace, labels=self._labels, spec=self._deployment()))

    def _token(self) -> list[JsonObject]:
        """The Hugging Face token, unless adapters have brought it already."""
        engine = self._workload.engine
        token = hugging_face_token(self._service.secrets, optional=not engine.model.gated)
        brought = {variable["name"] for variable in engine.features.env}
        return [] if token["name"] in brought else [token]

    def _deployment(self) -> JsonObject:
        workload = self._workload
        selector = self._service.names.model_server_selector
        own = selector if workload.role == "both" else {**selector, ROLE: workload.role}
        return compact(
            replicas=workload.fixed_replicas,
            selector={"matchLabels": own},
            strategy=rolling_update_in_place(),
            # Loading takes longer than Kubernetes' ten minutes, after which Argo CD would call it a failure.
            progressDeadlineSeconds=workload.engine.startup_seconds + SCHEDULING_SECONDS,
            template={
                "metadata": {"labels": {**self._labels, **selector, ROLE: workload.role}},
                "spec": self._pod(),
            },
        )

    def _pod(self) -> JsonObject:
        engine = self._workload.engine
        placement = engine.placement
        return compact(
            serviceAccountName=self._workload.name,
            automountServiceAccountToken=False,
            nodeSelector=placement.node_selector,
            tolerations=placement.tolerations,
            terminationGracePeriodSeconds=engine.termination_grace_period_seconds,
            securityContext={"seccompProfile": {"type": "RuntimeDefault"}},
            initContainers=[routing_sidecar(engine.port)] if self._workload.sidecar else [],
            containers=[
                engine.container(
                    CONTAINER,
                    env=[*cache_environment(), *self._token()],
                    securityContext=container_security_context(engine.image.user),
                    volumeMounts=[
                        {"name": "cache", "mountPath": CACHE_FOLDER},
                        {"name": "shm", "mountPath": SHARED_MEMORY},
                    ],
                ),
            ],
            volumes=[
                {"name": "cache", "emptyDir": {}},
                {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "2Gi"}},
            ],
        )


class ModelService(Component):
    """A Service in front of all replicas, for requests that need no picker."""

    def __init__(self, scope: Application | Component, id: str, service: LlmdService, part_of: str) -> None:
        """Render the Service of one model."""
        super().__init__(scope, id)
        port = {"name": "http", "port": MODEL_SERVER_PORT, "targetPort": MODEL_SERVER_PORT, "protocol": "TCP"}
        self.add(
            SERVICE.manifest(
                service.names.model_service,
                service.namespace,
                labels=recommended(service.name, "model-server", part_of),
                spec={"selector": service.names.model_server_selector, "ports": [port]},
            ),
        )


class Pool(Component):
    """The InferencePool of one model, with exactly one endpoint picker (failure F-75)."""

    def __init__(self, scope: Application | Component, id: str, service: LlmdService, part_of: str) -> None:
        """Render the pool."""
        super().__init__(scope, id)
        names = service.names
        picker = {
            "kind": SERVICE.kind,
            "name": names.picker,
            "port": {"number": service.picker.ports.grpc},
            "failureMode": service.scheduler.failure_mode,
        }
        self.add(
            INFERENCE_POOL.manifest(
                names.pool,
                service.namespace,
                labels=recommended(service.name, "inference-pool", part_of),
                spec={
                    "selector": {"matchLabels": names.model_server_selector},
                    "targetPorts": [{"number": MODEL_SERVER_PORT}],
                    "endpointPickerRef": picker,
                },
            ),
        )


def pull_secrets(secrets: Secrets, engine: VllmEngine) -> list[JsonObject]:
    """Registry credentials, where the engine's registry wants some."""
    pull = secrets.image_pull_secret
    return [{"name": pull.name}] if pull and engine.image.pull_secret else []


def routing_sidecar(model_server_port: int) -> JsonObject:
    """Takes the pod's requests, has the prompt prefilled where the picker says, then lets this pod decode."""
    return {
        "name": "routing-proxy",
        "image": auxiliary("routing-sidecar").image,
        "restartPolicy": "Always",
        "args": [
            f"--port={MODEL_SERVER_PORT}",
            f"--vllm-port={model_server_port}",
            "--kv-connector=nixlv2",
            "--secure-proxy=false",
        ],
        "ports": [{"name": "proxy", "containerPort": MODEL_SERVER_PORT, "protocol": "TCP"}],
        "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "2Gi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def rolling_update_in_place() -> JsonObject:
    """Replace pods where they are: a spare accelerator node is rarely there (failure F-32)."""
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}


def container_security_context(user: int | None) -> JsonObject:
    """As little as vLLM needs. Images that run as root are let, and nothing more."""
    return compact(
        allowPrivilegeEscalation=False,
        capabilities={"drop": ["ALL"]},
        runAsNonRoot=True if user not in (0, None) else None,
    )


def cache_environment() -> list[JsonObject]:
    """Send every cache to the one writable folder."""
    return [
        {"name": "HOME", "value": CACHE_FOLDER},
        {"name": "HF_HOME", "value": f"{CACHE_FOLDER}/huggingface"},
        {"name": "VLLM_CACHE_ROOT", "value": f"{CACHE_FOLDER}/vllm"},
    ]
