"""What rendered objects say about others: whether it is there, whoever made it."""

from collections.abc import Iterator, Mapping
from typing import Any

from llmd_tools.judges.rehearsal import Rehearsal
from llmd_tools.judges.rendered import Manifest
from llmd_tools.judges.selection import picked

_POOL = "InferencePool"
_POOL_APIS = ("inference.networking.k8s.io/v1", "inference.networking.x-k8s.io/v1alpha2")


def broken(rehearsal: Rehearsal) -> Iterator[str]:
    """Each reference of a rendered object that leads nowhere, in words."""
    for manifest in rehearsal.rendered.objects.values():
        metadata = manifest["metadata"]
        for fault in _faults(rehearsal, manifest):
            yield f"{manifest['kind']} {metadata.get('namespace', '')}/{metadata['name']}: {fault}"


def _faults(rehearsal: Rehearsal, manifest: Manifest) -> Iterator[str]:
    spec = manifest.get("spec", {})
    namespace = manifest["metadata"].get("namespace", "")
    match manifest["kind"]:
        case "HTTPRoute":
            yield from _route(rehearsal, spec, namespace)
        case "HealthCheckPolicy" | "GCPBackendPolicy":
            yield from _target(rehearsal, spec["targetRef"], namespace)
        case "NetworkPolicy":
            yield from _selected(rehearsal, spec["podSelector"], namespace)
        case "PodDisruptionBudget":
            yield from _selected(rehearsal, spec["selector"], namespace)
        case "Service":
            yield from _selected(rehearsal, {"matchLabels": spec["selector"]}, namespace)
        case "InferencePool":
            yield from _selected(rehearsal, spec["selector"], namespace)
            picker = spec["endpointPickerRef"]
            yield from _service(rehearsal, picker["name"], namespace, picker["port"]["number"])
        case "DestinationRule":
            name, _, rest = spec["host"].partition(".")
            yield from _service(rehearsal, name, rest.partition(".")[0] or namespace, None)
        case _:
            return


def _route(rehearsal: Rehearsal, spec: Mapping[str, Any], namespace: str) -> Iterator[str]:
    server = rehearsal.cluster.server
    for parent in spec["parentRefs"]:
        place = parent.get("namespace", namespace)
        if server.get("gateway.networking.k8s.io/v1", "Gateway", parent["name"], place) is None:
            yield f"there is no Gateway {place}/{parent['name']}"
    for backend in (each for rule in spec["rules"] for each in rule.get("backendRefs", [])):
        yield from _target(rehearsal, {"kind": "Service", **backend}, namespace)


def _target(rehearsal: Rehearsal, target: Mapping[str, Any], namespace: str) -> Iterator[str]:
    if target["kind"] == _POOL:
        if target["name"] not in pools(rehearsal, namespace):
            yield f"there is no InferencePool {namespace}/{target['name']}"
    else:
        yield from _service(rehearsal, target["name"], namespace, target.get("port"))


def pools(rehearsal: Rehearsal, namespace: str) -> Mapping[str, dict[str, Any]]:
    """InferencePools by name, of whichever API the release makes them in.

    OpenDataHub's KServe 0.15 makes them in both; upstream's 0.16, which stands for it, in the older one alone.
    """
    server = rehearsal.cluster.server
    apis = [each for each in _POOL_APIS if server.serves(each, _POOL)]
    return {pool["metadata"]["name"]: pool for api in apis for pool in server.list(api, _POOL, namespace)}


def _service(rehearsal: Rehearsal, name: str, namespace: str, port: int | None) -> Iterator[str]:
    found = rehearsal.cluster.server.get("v1", "Service", name, namespace)
    if found is None:
        yield f"there is no Service {namespace}/{name}"
    elif port is not None and port not in [each["port"] for each in found["spec"]["ports"]]:
        yield f"Service {namespace}/{name} has no port {port}"


def _selected(rehearsal: Rehearsal, selector: Mapping[str, Any], namespace: str) -> Iterator[str]:
    pods = [pod for pod in rehearsal.pods if pod["metadata"]["namespace"] == namespace]
    if not picked(selector, pods):
        yield f"no pod has the labels {dict(selector)}"
