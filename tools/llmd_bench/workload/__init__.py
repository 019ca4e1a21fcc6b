"""What every contestant renders: applications of 25 objects each, described once.

An application is one model behind Gateway API with separate prefill and decode, as llm-d runs it: real kinds, real
sizes. All of its objects are in a namespace of their own, so that two applications differ in values alone; that is
what charts and overlays are good at.
"""

from llmd_bench.workload._operations import operations
from llmd_bench.workload._picker import picker
from llmd_bench.workload._routing import routing
from llmd_bench.workload._serving import model_server, secrets, shared_by_servers
from llmd_bench.workload.values import INSTANCE, Values, values_of
from llmd_constructs.manifest import JsonObject

__all__ = ["INSTANCE", "OBJECTS", "Values", "environments", "manifests", "parts", "values_of", "workload"]

OBJECTS = 25
"""Objects of one application."""
PER_ENVIRONMENT = 30
"""Applications of one environment, at most."""


def workload(applications: int) -> list[Values]:
    """The values of the first `applications` applications."""
    return [values_of(index) for index in range(applications)]


def environments(applications: int) -> list[list[Values]]:
    """The workload by environment: one cluster holds thirty applications, for those who know environments."""
    values = workload(applications)
    return [values[start : start + PER_ENVIRONMENT] for start in range(0, applications, PER_ENVIRONMENT)]


def manifests(values: Values) -> list[JsonObject]:
    """The 25 objects of one application."""
    return [manifest for part in parts(values).values() for manifest in part]


def parts(values: Values) -> dict[str, list[JsonObject]]:
    """The objects of one application by the component that owns them."""
    return {
        "secrets": secrets(values),
        "decode": model_server(values, "decode"),
        "prefill": model_server(values, "prefill"),
        "model-servers": shared_by_servers(values),
        "picker": picker(values),
        "routing": routing(values),
        "operations": operations(values),
    }
