"""vLLM: its command, flags, environment and probes."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from llmd_constructs import catalogue
from llmd_constructs.catalogue import EngineImage, Model
from llmd_constructs.config.deployment import LONGEST_REQUEST_SECONDS, Engine
from llmd_constructs.manifest import JsonObject, compact
from llmd_constructs.serving.features import Features
from llmd_constructs.serving.placement import Placement

MODEL_SERVER_PORT = 8000
"""Port of vLLM's HTTP API, of the pool and of every Service in front of it."""
TLS_FOLDER = "/var/run/kserve/tls"
"""Where KServe mounts the certificate that it issues to the pod."""
HEALTH_PATH = "/health"
MODELS_PATH = "/v1/models"
PRE_STOP_SECONDS = 15
"""Time for the gateway to take the pod out of rotation (llm-d, graceful shutdown)."""
SMALL_GPU_GB = 16
SECONDS_PER_GIB = 10
"""Slow but usual for a download from Hugging Face: 100 MB/s."""
DRAIN_SECONDS = 45
"""Time for running requests to end in an update, where the engine can wait (llm-d, graceful shutdown)."""

Scheme = Literal["HTTP", "HTTPS"]


def resolve_image(settings: Engine, placement: Placement) -> EngineImage:
    """The engine image and what is known about it.

    An image that the catalogue does not hold, such as a mirror, is taken to behave like the default one.
    """
    default = catalogue.default_engine(placement.accelerator.kind)
    if settings.image is None:
        return default
    if settings.image in catalogue.ids("engine_image"):
        return catalogue.engine_image(settings.image)
    return default.model_copy(update={"image": settings.image})


def is_small_gpu(placement: Placement) -> bool:
    """Whether vLLM is given less of the memory than usual."""
    return not placement.is_tpu and placement.accelerator.memory_gb <= SMALL_GPU_GB


@dataclass(frozen=True)
class VllmEngine:
    """One vLLM container, resolved from settings, model and placement."""

    settings: Engine
    model: Model
    placement: Placement
    image: EngineImage
    source: str
    """Where vLLM reads the weights: a folder, or the model's id on Hugging Face."""
    scheme: Scheme = "HTTP"
    """`HTTPS` where KServe issues certificates and the gateway checks them."""
    prefix_caching: bool = False
    features: Features = field(default_factory=Features)
    """What the pattern adds."""
    data_parallel: bool = False
    """Copies of the attention layers on every device instead of one copy split over all of them."""
    port: int = MODEL_SERVER_PORT
    longest_request_seconds: int | None = None
    """How long a replica that an autoscaler takes away may go on answering."""

    @property
    def tensor_parallel_size(self) -> int:
        """Devices one copy is split over: all of the replica's, unless set; one where data runs in parallel."""
        if self.settings.tensor_parallel_size:
            return self.settings.tensor_parallel_size
        return 1 if self.data_parallel else self.placement.devices_per_node * self.placement.hosts

    @property
    def dtype(self) -> str | None:
        """`half` where the accelerator has no bfloat16; else vLLM reads it from the model."""
        return self.settings.dtype or (None if self.placement.accelerator.bf16 else "half")

    @property
    def memory_utilization(self) -> float | None:
        """The user's share; on a GPU of 16 GB less than vLLM's own 0.9, which leaves no room for CUDA graphs.

        Source: seed 003 (0.85), and 0.75 with prefix caching as its pattern 3 ran.
        """
        if self.settings.gpu_memory_utilization or self.placement.is_tpu:
            return self.settings.gpu_memory_utilization
        return (0.75 if self.prefix_caching else 0.85) if is_small_gpu(self.placement) else None

    @property
    def command(self) -> list[str]:
        """The container's command, without flags.

        It is always set, because the presets' own commands differ from release to release (domain table 4.3).
        """
        return list(self.image.command)

    @cached_property
    def tuning_args(self) -> list[str]:
        """Flags that say how the engine works, but not what it serves, where, and over how many devices."""
        settings = self.settings
        flags: dict[str, object | None] = {
            "dtype": self.dtype,
            "max-model-len": settings.max_model_len,
            "gpu-memory-utilization": self.memory_utilization,
            "max-num-seqs": settings.max_num_seqs,
            "max-num-batched-tokens": settings.max_num_batched_tokens,
            "block-size": settings.block_size,
            "kv-cache-dtype": settings.kv_cache_dtype,
            "quantization": settings.quantization,
            "shutdown-timeout": self._drain_seconds
            if "--shutdown-timeout" in self.image.added_flags
            else None,
        }
        named = [f"--{name}={value}" for name, value in flags.items() if value is not None]
        switches = ["--enable-prefix-caching"] if self.prefix_caching else []
        return [*named, *switches, *self.features.args, *settings.extra_args]

    @cached_property
    def args(self) -> list[str]:
        """All flags, each one list item."""
        model = [self.source] if self.command[-1] == "serve" else [f"--model={self.source}"]
        parallel = self.tensor_parallel_size
        tensor = [f"--tensor-parallel-size={parallel}"] if parallel > 1 else []
        served = [f"--served-model-name={self.model.id}", f"--port={self.port}"]
        return [*model, *served, *tensor, *self._tls_args, *self.tuning_args]

    @property
    def _tls_args(self) -> list[str]:
        if self.scheme == "HTTP":
            return []
        return [f"--ssl-certfile={TLS_FOLDER}/tls.crt", f"--ssl-keyfile={TLS_FOLDER}/tls.key"]

    @property
    def environment(self) -> list[JsonObject]:
        """Variables of the accelerator, then the user's own."""
        merged = {**self.placement.environment, **self.settings.env}
        return [{"name": name, "value": value} for name, value in merged.items()]

    @property
    def resources(self) -> JsonObject:
        """Whole accelerator; CPU and memory by the node; disk for weights that are downloaded."""
        chips = self.placement.accelerator_resources
        disk = {"ephemeral-storage": f"{ephemeral_gib(self.model)}Gi"}
        return {"requests": {**self.placement.host_requests, **disk, **chips}, "limits": chips}

    @property
    def startup_seconds(self) -> int:
        """How long the engine may take to answer for the first time."""
        usual = 3600 if self.placement.is_tpu else 1800
        return max(usual, int(900 + self.model.weight_gib * SECONDS_PER_GIB))

    @property
    def probes(self) -> JsonObject:
        """Startup, liveness and readiness, all with the server's scheme.

        The startup budget covers download and compilation: 60 minutes on TPU, 30 on GPU (llm-d guides), and more
        for weights that take longer to fetch.
        """
        return {
            "startupProbe": self._probe(
                MODELS_PATH, period=30, timeout=5, failures=self.startup_seconds // 30
            ),
            "livenessProbe": self._probe(HEALTH_PATH, period=10, timeout=5, failures=3),
            "readinessProbe": self._probe(MODELS_PATH, period=5, timeout=2, failures=3),
        }

    def _probe(self, path: str, *, period: int, timeout: int, failures: int) -> JsonObject:
        return {
            "httpGet": {"path": path, "port": self.port, "scheme": self.scheme},
            "periodSeconds": period,
            "timeoutSeconds": timeout,
            "failureThreshold": failures,
        }

    @property
    def termination_grace_period_seconds(self) -> int:
        """Pre-stop, draining, and a quarter of a minute to tear down; vLLM itself ends when it has drained."""
        drain = LONGEST_REQUEST_SECONDS if self.longest_request_seconds else DRAIN_SECONDS
        return PRE_STOP_SECONDS + drain + 15

    @property
    def _drain_seconds(self) -> int:
        """Updates are rare and wait for nodes; an autoscaler removes replicas every day, the busy ones too."""
        return self.longest_request_seconds or DRAIN_SECONDS

    def container(self, name: str, *, env: list[JsonObject], **stack: object) -> JsonObject:
        """The container, with variables and fields (mounts, security) of the stack around it."""
        return compact(
            name=name,
            image=self.image.image,
            command=self.command,
            args=self.args,
            env=[*self.environment, *self.features.env, *env],
            ports=[
                {"name": self.scheme.lower(), "containerPort": self.port, "protocol": "TCP"},
                *self.features.ports,
            ],
            resources=self.resources,
            **self.probes,
            lifecycle={"preStop": {"exec": {"command": ["sleep", str(PRE_STOP_SECONDS)]}}},
            **stack,
        )


def ephemeral_gib(model: Model) -> int:
    """Disk for the downloaded weights: their size and a fifth, in whole GiB (failure F-35h)."""
    return int(model.weight_gib * 1.2) + 2
