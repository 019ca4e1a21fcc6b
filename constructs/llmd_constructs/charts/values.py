"""What a user of a chart sets: the settings of an environment file that concern one release."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, StringConstraints, create_model

from llmd_constructs import catalogue
from llmd_constructs.charts.accelerators import accelerator_ids
from llmd_constructs.config.base import DeploymentName, DnsLabel, Flag, HostName, Model, SecretKey, Whole, in_words
from llmd_constructs.config.deployment import LONGEST_REQUEST_SECONDS, Adapter, Autoscaling, Engine, FailureMode, Replicas, Stack
from llmd_constructs.config.platform import GatewayProvider, SecretProvider

MODEL = "Qwen/Qwen3-0.6B"
ACCELERATOR = "ct6e-standard-1t"


def _one_of(values: tuple[Any, ...]) -> Any:
    """Close a field to the catalogue's entries."""
    return Field(json_schema_extra={"enum": list(values)})


Cidr = Annotated[
    str,
    StringConstraints(pattern=r"^([0-9]{1,3}\.){3}[0-9]{1,3}/[0-9]{1,2}$"),
    in_words("must be an address range such as 192.168.0.0/23"),
]
ModelId = Annotated[str, _one_of(catalogue.ids("model"))]
SingleHost = Annotated[str, _one_of(accelerator_ids(multi_host=False))]
AnyHost = Annotated[str, _one_of(accelerator_ids(multi_host=True))]

Autoscaled = Annotated[
    Autoscaling | None,
    Field(
        description="Add and remove replicas with the load. Needs `monitoring.enabled`, and an adapter on the cluster "
        "(docs/scaling.md). Default: `replicas`, always."
    ),
]


class GatewayReference(Model):
    """The Gateway that requests come through."""

    provider: GatewayProvider = "gke"
    """`gke`: Google's own load balancer. `istio`: Envoy pods run by Istio."""
    name: DnsLabel = "inference-gateway"
    """Name of the Gateway object."""
    namespace: DnsLabel = "opendatahub"
    """Namespace of the Gateway object."""
    hostname: HostName | None = None
    """Host name the routes answer to. Default: any."""


class PullSecretReference(Model):
    """Registry credentials, type `kubernetes.io/dockerconfigjson`."""

    name: DnsLabel
    """Name of the Kubernetes Secret."""


class TokenReference(Model):
    """The Secret with the Hugging Face token."""

    name: DnsLabel = "hf-token"
    """Name of the Kubernetes Secret."""
    key: SecretKey = "HF_TOKEN"
    """Key inside the Secret."""


class ModelSecrets(Model):
    """Secrets that exist in the namespace. Their content is never a value."""

    provider: SecretProvider = "manual"
    """`external-secrets`: the Secrets are sure to come. `manual`: made by hand, if at all."""
    hugging_face_token: TokenReference = TokenReference()
    """The Hugging Face token, for gated models and download limits."""
    image_pull_secret: PullSecretReference | None = None
    """Credentials for private registries. Default: none."""


class NetworkPolicies(Model):
    """Network policies of the model's pods."""

    enabled: Flag = False
    """Let in and out what the model needs, and nothing else."""
    proxy_only_subnet: Cidr | None = None
    """The region's proxy-only subnet, from which GKE's load balancer speaks."""
    control_plane: Cidr | None = None
    """The Kubernetes API server's range. Default: port 443 anywhere."""


class Monitoring(Model):
    """Metrics of the model."""

    enabled: Flag = False
    """Have Google Cloud Managed Service for Prometheus collect the metrics of vLLM and of the endpoint picker."""


_SCORERS = sorted(
    {
        plugin
        for release in catalogue.ids("picker_release")
        for plugin in catalogue.picker_release(release).plugins
        if plugin.endswith("-scorer") and not plugin.startswith("precise-")
    }
)
_WEIGHT = Annotated[Whole, Field(ge=1)]
if TYPE_CHECKING:

    class Weights(Model):
        """Weight of each scorer. One that is left out does not take part."""

else:
    # Fields from the catalogue have no static names.
    Weights = create_model(
        "Weights",
        __base__=Model,
        __doc__="Weight of each scorer. One that is left out does not take part.",
        **{
            plugin.replace("-", "_"): (
                _WEIGHT | None,
                Field(default=None, alias=plugin, description=f"Weight of `{plugin}`."),
            )
            for plugin in _SCORERS
        },
    )


_ENGINES = [
    image for image in catalogue.ids("engine_image") if catalogue.engine_image(image).command[-1] != "render"
]


class SchedulerValues(Model):
    """The endpoint picker."""

    image: str | None = None
    """Container image. Default: the release's image."""
    weights: Weights | None = None
    """Weight of each scorer plugin. Default: the release's own choice."""


class LlmdScheduler(SchedulerValues):
    """The endpoint picker."""

    failure_mode: FailureMode = "FailOpen"
    """What the gateway does while the picker is away: any replica (`FailOpen`) or none (`FailClose`)."""
    replicas: Annotated[Whole, Field(ge=1, le=5)] = 1
    """Picker pods. More than one means leader election: one is active."""


class EngineValues(Engine):
    """vLLM settings. What is left out is derived from model, accelerator and pattern."""

    image: Annotated[str, Field(examples=_ENGINES)] | None = None
    """Container image. Default: the catalogue's image for the accelerator."""
    tensor_parallel_size: Annotated[Whole, _one_of((1, 2, 4, 8, 16))] | None = None
    """Chips one copy of the model is split over. Default: all chips of a replica."""


class ChartValues(Model):
    """What every chart of a model takes."""

    environment: DnsLabel = "default"
    """Name that ties the objects of an environment together (`app.kubernetes.io/part-of`)."""
    gateway: GatewayReference = GatewayReference()
    """The Gateway that requests come through."""
    secrets: ModelSecrets = ModelSecrets()
    """Secrets that exist in the namespace. Their content is never a value."""
    network_policies: NetworkPolicies = NetworkPolicies()
    """Network policies of the model's pods."""
    monitoring: Monitoring = Monitoring()
    """Metrics of the model."""
    request_timeout_seconds: Annotated[Whole, Field(ge=30, le=LONGEST_REQUEST_SECONDS)] = 600
    """Longest request, and how long a replica that is scaled away goes on answering. Istio's gateway has no limit."""


class KServeValues(ChartValues):
    """What charts of the KServe stack take."""

    kserve: Annotated[str, _one_of(catalogue.ids("kserve_release"))] = "0.20"
    """KServe release on the cluster."""
    istio: Annotated[str, _one_of(catalogue.ids("istio_release"))] | None = None
    """Istio minor on the cluster. Needed when the gateway's provider is `istio`."""
    scheduler: SchedulerValues = SchedulerValues()
    """The endpoint picker."""


class LlmdValues(ChartValues):
    """What charts of llm-d without KServe take."""

    picker: Annotated[str, _one_of(catalogue.ids("picker_release"))] = "v0.9.2"
    """Endpoint picker release."""
    scheduler: LlmdScheduler = LlmdScheduler()
    """The endpoint picker."""


class RouteValues(Model):
    """Where one model is served. On KServe its controller decides."""

    route: Literal["root", "path"] = "path"
    """Where the gateway serves it: at `/`, or below `/<namespace>/<name>`."""


class OneModel(Model):
    """One model on one kind of node."""

    model: ModelId = MODEL
    """Model id, as on Hugging Face."""
    accelerator: SingleHost = ACCELERATOR
    """Machine type with its accelerator, such as `ct6e-standard-4t`, `g2-standard-24` or `n1-standard-4:nvidia-t4x1`."""
    engine: EngineValues = EngineValues()
    """vLLM settings. What is left out is derived from model, accelerator and pattern."""


class SingleReplicaValues(OneModel):
    """One replica of one model."""


class PrefixCacheValues(OneModel):
    """Several replicas, requests routed to the one that knows the prefix."""

    replicas: Replicas = 2
    """Copies of the model."""
    autoscaling: Autoscaled = None
    routing: Literal["approximate", "precise"] = "approximate"
    """`approximate`: the picker remembers what it sent where. `precise`: replicas report their cache (KV events)."""


class MixtureOfExpertsValues(OneModel):
    """A mixture-of-experts model over the chips of one node or several."""

    model: Annotated[
        str, _one_of(tuple(m for m in catalogue.ids("model") if catalogue.model(m).kind == "moe"))
    ] = "Qwen/Qwen3-30B-A3B"
    """Model id, as on Hugging Face; a mixture of experts."""
    accelerator: AnyHost = "ct6e-standard-8t"
    """Machine type with its accelerator; multi-host slices as `ct6e-standard-4t:4x4`."""
    replicas: Replicas = 1
    """Copies of the model, each over `nodesPerReplica` nodes."""
    autoscaling: Autoscaled = None
    nodes_per_replica: Annotated[Whole, _one_of((1, 2, 3, 4, 6, 8, 16, 32, 64))] = 1
    """Nodes that hold one copy. More than one makes a LeaderWorkerSet."""


class PhaseValues(Model):
    """One side of a disaggregated deployment."""

    replicas: Replicas = 1
    """Replicas of this side."""
    autoscaling: Autoscaled = None
    accelerator: SingleHost = ACCELERATOR
    """Machine type of this side, with its accelerator."""


class PrefillDecodeValues(Model):
    """Prefill and decode on replicas of their own."""

    model: ModelId = MODEL
    """Model id, as on Hugging Face."""
    engine: EngineValues = EngineValues()
    """vLLM settings of both sides."""
    prefill: PhaseValues = PhaseValues()
    """The side that reads prompts."""
    decode: PhaseValues = PhaseValues()
    """The side that writes answers."""


class ServedModelValues(Model):
    """One of the models behind a multi-model gateway."""

    name: DeploymentName
    """Name of this model's objects."""
    model: ModelId
    """Model id, as on Hugging Face."""
    accelerator: SingleHost
    """Machine type its replicas run on, with its accelerator."""
    replicas: Replicas = 1
    """Copies of the model."""
    autoscaling: Autoscaled = None
    adapters: tuple[Adapter, ...] = ()
    """LoRA adapters served beside it."""
    engine: EngineValues = EngineValues()
    """vLLM settings."""


class MultiModelValues(Model):
    """Several models behind one gateway."""

    routing: Literal["path", "body"] = "path"
    """`path`: each model has its own path. `body`: the `model` field of the request decides."""
    models: Annotated[tuple[ServedModelValues, ...], Field(min_length=1)] = (
        ServedModelValues.model_validate({"name": "small", "model": MODEL, "accelerator": ACCELERATOR}),
    )
    """The models."""


PATTERNS: dict[str, type[Model]] = {
    "single-replica": SingleReplicaValues,
    "multi-model": MultiModelValues,
    "prefix-cache": PrefixCacheValues,
    "mixture-of-experts": MixtureOfExpertsValues,
    "prefill-decode": PrefillDecodeValues,
}
"""What each pattern adds."""
STACKS: dict[Stack, type[ChartValues]] = {"kserve": KServeValues, "llm-d": LlmdValues}
"""What each stack adds."""


def values_model(pattern: str, stack: Stack) -> type[Model]:
    """The values of one chart."""
    routed = (RouteValues,) if stack == "llm-d" and pattern != "multi-model" else ()
    return create_model(f"{stack}-{pattern}", __base__=(*routed, PATTERNS[pattern], STACKS[stack]))
