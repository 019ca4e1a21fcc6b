"""Situations that an environment in the box is put into, each with what has to happen."""

from collections.abc import Callable, Iterator, Mapping

from llmd_tools.box.scenarios import caching, disaggregated, faults, gke, kserve, routing
from llmd_tools.box.scenarios.world import ScenarioError, World

Scenario = Callable[[World], Iterator[str]]
"""Tells what it sees, line by line; the first line of its docstring is what has to happen.

Raises:
    ScenarioError: If something else happens.
"""

LLM_D, KSERVE, GKE = "llmd-istio-tpu", "kserve-istio-gpu", "llmd-gke-gpu"
"""Environments: patterns 2, 3 and 5 on llm-d, 2 and 5 on KServe, both behind Istio, and 2 and 5 on llm-d behind GKE."""
OPENDATAHUB = "llmd-istio-tpu-pattern1"
"""Patterns 1 and 3 on OpenDataHub's KServe, for which upstream's stands in."""

BY_ENVIRONMENT: Mapping[str, Mapping[str, Scenario]] = {
    LLM_D: {
        "endpoints": routing.endpoints,
        "by-body": routing.by_body,
        "by-path": routing.by_path,
        "by-adapter": routing.by_adapter,
        "unknown-model": routing.unknown_model,
        "streaming": routing.streaming,
        "same-prefix": caching.same_prefix,
        "distinct-prompts": caching.distinct_prompts,
        "scale": caching.scale,
        "prefill-before-decode": disaggregated.prefill_before_decode,
        "picker-restart": faults.picker_restart,
        "replica-crash": faults.replica_crash,
        "wrong-selector": faults.wrong_selector,
        "missing-permission": faults.missing_permission,
        "broken-configuration": faults.broken_configuration,
    },
    KSERVE: {
        "kserve-by-path": kserve.by_path,
        "kserve-by-adapter": kserve.by_adapter,
        "kserve-prefill-before-decode": kserve.prefill_before_decode,
    },
    OPENDATAHUB: {"kserve-endpoints": kserve.one_replica, "kserve-over-tls": kserve.over_tls},
    GKE: {
        "gke-by-body": gke.by_body,
        "gke-by-path": gke.by_path,
        "gke-refused-timeouts": gke.refused_timeouts,
    },
}
"""By environment and name; each leaves its environment as it found it."""

SCENARIOS: Mapping[str, Scenario] = {
    name: run for scenarios in BY_ENVIRONMENT.values() for name, run in scenarios.items()
}
"""All of them by name."""


def summary(name: str) -> str:
    """What has to happen in a scenario, in a sentence."""
    return (SCENARIOS[name].__doc__ or "").partition("\n")[0]


__all__ = [
    "BY_ENVIRONMENT",
    "GKE",
    "KSERVE",
    "LLM_D",
    "OPENDATAHUB",
    "SCENARIOS",
    "Scenario",
    "ScenarioError",
    "World",
    "summary",
]
