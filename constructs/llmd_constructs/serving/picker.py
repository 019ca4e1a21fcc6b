"""The endpoint picker's configuration and command line, per release."""

from collections.abc import Mapping

from llmd_constructs.catalogue import PickerRelease
from llmd_constructs.manifest import JsonObject, compact

PICKER_CONFIG_KIND = "EndpointPickerConfig"
PROFILE = "default"

DEFAULT_WEIGHTS: Mapping[str, float] = {
    "queue-scorer": 2,
    "kv-cache-utilization-scorer": 2,
    "prefix-cache-scorer": 3,
}
"""Queue 2, KV cache 2, prefix 3: the default of the llm-d router's chart and of seed 003."""

KSERVE_0_15_WEIGHTS: Mapping[str, float] = {"prefix-cache-scorer": 2, "load-aware-scorer": 1}
"""What KServe's controller writes by itself at release 0.15 and 0.16 (scheduler.go:676-694, seed 004)."""


def picker_config(release: PickerRelease, weights: Mapping[str, float]) -> JsonObject:
    """The EndpointPickerConfig with one profile that weighs the given scorers.

    Args:
        release: Decides the API version and whether weights may have a fraction.
        weights: Scorer plugin to weight, in the order to write them.
    """
    plugins: list[JsonObject] = [{"type": scorer} for scorer in weights]
    references: list[JsonObject] = [
        {"pluginRef": scorer, "weight": _weight(release, weight)} for scorer, weight in weights.items()
    ]
    closing = ["max-score-picker", "single-profile-handler"]
    return {
        "apiVersion": release.config_api_version,
        "kind": PICKER_CONFIG_KIND,
        "plugins": [*plugins, *({"type": plugin} for plugin in closing)],
        "schedulingProfiles": [
            {"name": PROFILE, "plugins": [*references, {"pluginRef": "max-score-picker"}]}
        ],
    }


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
