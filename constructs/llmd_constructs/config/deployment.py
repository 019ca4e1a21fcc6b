"""The deployments: which model runs in which pattern, on which stack, on which nodes."""

import re
from typing import Annotated, Literal, Protocol

from pydantic import AfterValidator, Field, StringConstraints

from llmd_constructs.config.base import DeploymentName, DnsLabel, Flag, Model, Whole, in_words
from llmd_constructs.config.errors import shown

Stack = Literal["kserve", "llm-d"]
Dtype = Literal["auto", "half", "float16", "bfloat16", "float32"]
FailureMode = Literal["FailOpen", "FailClose"]
Replicas = Annotated[Whole, Field(ge=1, le=1000)]
LONGEST_REQUEST_SECONDS = 3600
"""What GKE's gateway allows (GCPBackendPolicy, https://docs.cloud.google.com/kubernetes-engine/docs/how-to/configure-gateway-resources)."""
_FLAG = re.compile(r"--[a-zA-Z0-9][-_.a-zA-Z0-9]*(=[\s\S]*)?")


def _one_flag(item: str) -> str:
    """Refuse what vLLM would not read as one flag: each item is one word of its command line."""
    if _FLAG.fullmatch(item):
        return item
    name, _, value = item.partition(" ")
    if value.strip() and "=" not in name and _FLAG.fullmatch(name):
        raise ValueError(f"{shown(item)} is one word to vLLM; write {name}={value.strip()}")
    raise ValueError(f"{shown(item)} is no flag; write --flag, or --flag=value in one item")


Argument = Annotated[
    str,
    AfterValidator(_one_flag),
    Field(
        json_schema_extra={
            "pattern": f"^{_FLAG.pattern}$",
            "patternErrorMessage": "must be --flag or --flag=value",
        }
    ),
]
"""One flag of vLLM's, with its value."""


class Engine(Model):
    """vLLM settings. What is left out is derived from model, accelerator and pattern."""

    image: str | None = None
    """Container image. Default: the catalogue's image for the accelerator."""
    dtype: Dtype | None = None
    """Weight and activation type. Default: `bfloat16`, or `half` where the accelerator has no bfloat16."""
    max_model_len: Annotated[Whole, Field(ge=128)] | None = None
    """Context length in tokens, prompt and answer together. Default: the model's own."""
    tensor_parallel_size: Annotated[Whole, Field(ge=1)] | None = None
    """Chips one copy of the model is split over. Default: all chips of a replica."""
    gpu_memory_utilization: Annotated[float, Field(gt=0, le=1)] | None = None
    """Share of accelerator memory that vLLM may take. Default: vLLM's own 0.9; less on small GPUs."""
    max_num_seqs: Annotated[Whole, Field(ge=1)] | None = None
    """Requests decoded at once. Default: vLLM's own."""
    max_num_batched_tokens: Annotated[Whole, Field(ge=1)] | None = None
    """Tokens handled in one step. Default: vLLM's own."""
    block_size: Annotated[Whole, Field(ge=1)] | None = None
    """KV-cache block in tokens. Default: vLLM's own."""
    kv_cache_dtype: Literal["auto", "fp8", "fp8_e5m2", "fp8_e4m3"] | None = None
    """KV-cache type. Default: the weights' type."""
    quantization: Literal["awq", "gptq", "bitsandbytes", "fp8", "int8", "mxfp4"] | None = None
    """Weight quantisation. Default: as the model is published."""
    extra_args: tuple[Argument, ...] = ()
    """More vLLM flags, one list item each, as `--flag=value`."""
    env: dict[str, str] = Field(default_factory=dict)
    """More environment variables of the vLLM container."""


class Scheduler(Model):
    """The endpoint picker of an InferencePool."""

    image: str | None = None
    """Container image. Default: the release's image."""
    weights: dict[str, Annotated[float, Field(gt=0)]] | None = None
    """Scorer plugin to weight, such as `prefix-cache-scorer: 3`. Default: the release's own."""
    failure_mode: FailureMode = "FailOpen"
    """What the gateway does while the picker is away: any replica (`FailOpen`) or none (`FailClose`)."""
    replicas: Annotated[Whole, Field(ge=1, le=5)] = 1
    """Picker pods. More than one means leader election: one is active."""


class Autoscaling(Model):
    """A HorizontalPodAutoscaler that follows the requests waiting in vLLM. Needs `platform.monitoring`."""

    max_replicas: Annotated[Replicas, Field(ge=2)]
    """Most replicas; `replicas` is the fewest. All of them have to fit into the node pool."""
    waiting_requests: Annotated[Whole, Field(ge=1)] = 5
    """Requests waiting in a replica, on average, above which one is added."""


class Adapter(Model):
    """A LoRA adapter served beside its base model."""

    name: DnsLabel
    """Name that clients put into `model`."""
    uri: Annotated[
        str,
        StringConstraints(pattern=r"^hf://\S+$"),
        in_words("must begin with hf://; vLLM itself fetches adapters from Hugging Face only"),
    ]
    """The adapter on Hugging Face."""


class _Scales(Protocol):
    @property
    def replicas(self) -> int: ...

    @property
    def autoscaling(self) -> Autoscaling | None: ...


def most_replicas(settings: _Scales) -> int:
    """Replicas under full load."""
    return settings.autoscaling.max_replicas if settings.autoscaling else settings.replicas


class _Deployment(Model):
    """What all patterns share."""

    name: DeploymentName
    """Name of the deployment, of its Argo CD application and of most of its objects."""
    stack: Stack
    """`kserve`: an LLMInferenceService. `llm-d`: Deployment, InferencePool and picker without KServe."""
    namespace: DnsLabel
    """Namespace of the workload."""
    enabled: Flag = True
    """Render it. A disabled deployment is checked all the same."""
    scheduler: Scheduler = Scheduler()
    """The endpoint picker."""
    route: Literal["root", "path"] | None = None
    """Where the gateway serves it: at `/`, or below `/<namespace>/<name>`. Default: `path` on KServe, else `root`."""
    request_timeout_seconds: Annotated[Whole, Field(ge=30, le=LONGEST_REQUEST_SECONDS)] = 600
    """Longest request, from the first byte in to the last byte out; a replica that is scaled away answers as long."""


class SinglePoolDeployment(_Deployment):
    """What patterns with one model on one node pool share."""

    model: str
    """Model id, as on Hugging Face."""
    node_pool: DnsLabel
    """Node pool its replicas run on."""
    engine: Engine = Engine()
    """vLLM settings."""


class SingleReplica(SinglePoolDeployment):
    """Pattern 1: one replica of one model."""

    pattern: Literal["single-replica"]
    """Pattern 1."""


class PrefixCache(SinglePoolDeployment):
    """Pattern 3: several replicas of one model, requests routed to the replica that knows the prefix."""

    pattern: Literal["prefix-cache"]
    """Pattern 3."""
    replicas: Replicas
    """Copies of the model."""
    autoscaling: Autoscaling | None = None
    """Add and remove replicas with the load. Default: `replicas`, always."""
    routing: Literal["approximate", "precise"] = "approximate"
    """`approximate`: the picker remembers what it sent where. `precise`: replicas report their cache (KV events)."""


class ServedModel(Model):
    """One of the models behind a multi-model gateway."""

    name: DeploymentName
    """Name of this model's objects."""
    model: str
    """Model id, as on Hugging Face."""
    node_pool: DnsLabel
    """Node pool its replicas run on."""
    replicas: Replicas = 1
    """Copies of the model."""
    autoscaling: Autoscaling | None = None
    """Add and remove replicas with the load. Default: `replicas`, always."""
    adapters: tuple[Adapter, ...] = ()
    """LoRA adapters served beside it."""
    engine: Engine = Engine()
    """vLLM settings."""


class MultiModel(_Deployment):
    """Pattern 2: several models behind one gateway."""

    pattern: Literal["multi-model"]
    """Pattern 2."""
    routing: Literal["path", "body"] = "path"
    """`path`: each model has its own path. `body`: the `model` field of the request decides."""
    models: Annotated[tuple[ServedModel, ...], Field(min_length=1)]
    """The models."""


class MixtureOfExperts(SinglePoolDeployment):
    """Pattern 4: a mixture-of-experts model, its experts spread over chips and nodes."""

    pattern: Literal["mixture-of-experts"]
    """Pattern 4."""
    replicas: Replicas = 1
    """Copies of the model, each over `nodesPerReplica` nodes."""
    autoscaling: Autoscaling | None = None
    """Add and remove replicas with the load. Default: `replicas`, always."""
    nodes_per_replica: Annotated[Whole, Field(ge=1, le=64)] = 1
    """Nodes that hold one copy. More than one makes a LeaderWorkerSet."""


class Phase(Model):
    """The prefill or the decode side of a disaggregated deployment."""

    replicas: Replicas = 1
    """Replicas of this side."""
    autoscaling: Autoscaling | None = None
    """Add and remove replicas with the load. Default: `replicas`, always."""
    node_pool: DnsLabel | None = None
    """Node pool of this side. Default: the deployment's."""
    engine: Engine | None = None
    """vLLM settings of this side. Default: the deployment's."""


class PrefillDecode(SinglePoolDeployment):
    """Pattern 5: prefill and decode on replicas of their own, with the KV cache handed over."""

    pattern: Literal["prefill-decode"]
    """Pattern 5."""
    prefill: Phase = Phase()
    """The side that reads prompts."""
    decode: Phase = Phase()
    """The side that writes answers."""


Deployment = Annotated[
    SingleReplica | MultiModel | PrefixCache | MixtureOfExperts | PrefillDecode,
    Field(discriminator="pattern"),
]
"""One deployment, told apart by `pattern`."""
