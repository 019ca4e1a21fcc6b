"""The endpoint picker's configuration and command line, per release."""

from collections.abc import Mapping
from dataclasses import dataclass

from llmd_constructs.catalogue import PickerRelease
from llmd_constructs.manifest import JsonObject, compact
from llmd_constructs.serving.features import KV_BLOCK_SIZE, KV_EVENTS_PORT

PICKER_CONFIG_KIND = "EndpointPickerConfig"
PROFILE = "default"
PRECISE = "precise-prefix-cache-producer"
DECIDER = "prefix-based-pd-decider"
CLOSING = ("max-score-picker", "single-profile-handler")
LORA_WEIGHT = 4
"""What KServe's controller gives the adapter scorer (scheduler.go)."""

DEFAULT_WEIGHTS: Mapping[str, float] = {
    "queue-scorer": 2,
    "kv-cache-utilization-scorer": 2,
    "prefix-cache-scorer": 3,
}
"""Queue 2, KV cache 2, prefix 3: the default of the llm-d router's chart and of seed 003."""

KSERVE_0_15_WEIGHTS: Mapping[str, float] = {"prefix-cache-scorer": 2, "load-aware-scorer": 1}
"""What KServe's controller writes by itself at release 0.15 and 0.16 (scheduler.go:676-694, seed 004)."""


@dataclass(frozen=True)
class PickerProfile:
    """What the picker of one model has to do, whatever its release."""

    weights: Mapping[str, float] | None = None
    """Scorer plugin to weight; `None` for the pattern's own."""
    lora: bool = False
    """Prefer replicas that have the request's adapter loaded."""
    render: str | None = None
    """URL of the Service that turns prompts into tokens; set for precise prefix routing."""
    model: str = ""
    """The model's id, for turning prompts into tokens."""
    disaggregated: bool = False
    """Choose a prefill replica and a decode replica."""


def needed_plugins(profile: PickerProfile) -> frozenset[str]:
    """Plugin types without which a picker cannot do what the profile says."""
    needed = set(profile.weights or ())
    if profile.lora:
        needed.add("lora-affinity-scorer")
    if profile.render:
        needed.update(("precise-prefix-cache-producer", "token-producer", "endpoint-notification-source"))
    if profile.disaggregated:
        needed.update(("disagg-profile-handler", "prefix-based-pd-decider", "approx-prefix-cache-producer"))
    return frozenset(needed)


def picker_config(release: PickerRelease, profile: PickerProfile) -> JsonObject:
    """The EndpointPickerConfig of a profile, in the words of a release.

    Unknown plugins and parameters stop the picker at start, so that only the release's own are written.
    """
    if profile.disaggregated:
        return _disaggregated(release, profile)
    lora = {"lora-affinity-scorer": LORA_WEIGHT} if profile.lora else {}
    weights = dict(sorted({**lora, **(profile.weights or DEFAULT_WEIGHTS)}.items()))
    producers = _precise_producers(profile) if profile.render else []
    parameters = {"prefix-cache-scorer": {"prefixMatchInfoProducerName": PRECISE}} if profile.render else {}
    plugins = [
        *producers,
        *(compact(type=scorer, parameters=parameters.get(scorer)) for scorer in weights),
        *({"type": plugin} for plugin in CLOSING),
    ]
    config = _config(release, plugins, {PROFILE: _references(release, weights)})
    return {**config, "dataLayer": _kv_event_sources()} if profile.render else config


def _precise_producers(profile: PickerProfile) -> list[JsonObject]:
    """Tokens from the render Service, cache contents from the replicas' events (llm-d, precise prefix routing)."""
    events = {
        "topicFilter": "kv@",
        "discoverPods": True,
        "podDiscoveryConfig": {"socketPort": KV_EVENTS_PORT},
    }
    return [
        {
            "type": "token-producer",
            "parameters": {"modelName": profile.model, "vllm": {"url": profile.render}},
        },
        {"type": "endpoint-notification-source"},
        {"type": "metrics-data-source"},
        {"type": "core-metrics-extractor"},
        {
            "type": PRECISE,
            "parameters": {
                "tokenProcessorConfig": {"blockSizeTokens": KV_BLOCK_SIZE},
                "kvEventsConfig": events,
            },
        },
    ]


def _kv_event_sources() -> JsonObject:
    return {
        "sources": [
            {"pluginRef": "metrics-data-source", "extractors": [{"pluginRef": "core-metrics-extractor"}]},
            {"pluginRef": "endpoint-notification-source", "extractors": [{"pluginRef": PRECISE}]},
        ],
    }


def _disaggregated(release: PickerRelease, profile: PickerProfile) -> JsonObject:
    """Prefill on another replica only where enough of the prompt is not cached (llm-d router, pd-epp-config)."""
    if "disagg-profile-handler" not in release.plugins:
        return _disaggregated_by_header(release)
    prefill = dict(sorted((profile.weights or {"prefix-cache-scorer": 3, "queue-scorer": 2}).items()))
    decode: dict[str, float] = {"active-request-scorer": 2, "prefix-cache-scorer": 2}
    scorers = sorted({*prefill, *decode})
    plugins: list[JsonObject] = [
        {"type": "approx-prefix-cache-producer"},
        *({"type": scorer} for scorer in scorers),
        {"type": "prefill-filter"},
        {"type": "decode-filter"},
        {"type": "max-score-picker"},
        # A decider has to stand before the handler that names it.
        {"type": DECIDER, "parameters": {"nonCachedTokens": 256}},
        {"type": "disagg-profile-handler", "parameters": {"deciders": {"prefill": DECIDER}}},
    ]
    profiles = {
        "prefill": [{"pluginRef": "prefill-filter"}, *_references(release, prefill)],
        "decode": [{"pluginRef": "decode-filter"}, *_references(release, decode)],
    }
    return _config(release, plugins, profiles)


def _disaggregated_by_header(release: PickerRelease) -> JsonObject:
    """Pickers before v0.7: the handler names the prefill replica in a header (KServe 0.15, scheduler.go:641-675)."""
    weights: dict[str, float] = {"queue-scorer": 1, "prefix-cache-scorer": 1}
    plugins: list[JsonObject] = [
        {"type": "prefill-header-handler"},
        {"type": "prefill-filter"},
        {"type": "decode-filter"},
        *({"type": scorer} for scorer in weights),
        {"type": "max-score-picker"},
        {"type": "pd-profile-handler", "parameters": {"threshold": 0}},
    ]
    profiles = {
        name: [{"pluginRef": f"{name}-filter"}, *_references(release, weights)]
        for name in ("prefill", "decode")
    }
    return _config(release, plugins, profiles)


def _config(
    release: PickerRelease, plugins: list[JsonObject], profiles: Mapping[str, list[JsonObject]]
) -> JsonObject:
    return {
        "apiVersion": release.config_api_version,
        "kind": PICKER_CONFIG_KIND,
        "plugins": plugins,
        "schedulingProfiles": [
            {"name": name, "plugins": [*references, {"pluginRef": "max-score-picker"}]}
            for name, references in profiles.items()
        ],
    }


def _references(release: PickerRelease, weights: Mapping[str, float]) -> list[JsonObject]:
    return [{"pluginRef": scorer, "weight": _weight(release, weight)} for scorer, weight in weights.items()]


def _weight(release: PickerRelease, weight: float) -> float:
    return int(weight) if release.weight_type == "int" or float(weight).is_integer() else weight


def picker_args(
    release: PickerRelease,
    *,
    pool: str,
    namespace: str,
    pool_group: str,
    metrics_scheme: str,
    more: Mapping[str, str | bool] | None = None,
) -> list[str]:
    """The picker's flags, only those that its release knows.

    Args:
        release: Decides which flags exist and which metric names have to be told.
        pool: Name of its one InferencePool.
        namespace: Namespace of the pool.
        pool_group: API group of the pool.
        metrics_scheme: `http` or `https`, equal to the model server's, or the picker scores blind (failure F-74).
        more: Further flags; `True` stands for a flag without a value.
    """
    flags: dict[str, str | bool | None] = {
        "pool-name": pool,
        "pool-namespace": namespace,
        "pool-group": pool_group,
        "zap-encoder": "json",
        "grpc-port": str(release.ports.grpc),
        "grpc-health-port": str(release.ports.health),
        "model-server-metrics-scheme": metrics_scheme,
        "kv-cache-usage-percentage-metric": release.kv_cache_flag and "vllm:kv_cache_usage_perc",
        "tracing": "false" if release.tracing_default else None,
        **(more or {}),
    }
    known = {name: value for name, value in flags.items() if value is not None and name in release.flags}
    return [item for name, value in known.items() for item in _flag(name, value)]


def _flag(name: str, value: str | bool) -> list[str]:
    if value is True:
        return [f"--{name}"]
    # A whole document reads better as an item of its own; KServe also looks for the bare `--config-text`.
    return [f"--{name}", str(value)] if "\n" in str(value) else [f"--{name}={value}"]


def grpc_probe(release: PickerRelease, service: str | None, **timing: int) -> JsonObject:
    """A gRPC probe of the picker."""
    return {
        "grpc": compact(port=release.ports.health, service=service or release.health_services.single),
        **timing,
    }
