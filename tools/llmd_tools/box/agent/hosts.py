"""The names of Services as lines of `/etc/hosts`, which is what stands for the cluster's name server."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from llmd_tools.box.agent.endpoints import Endpoint, endpoints

_DOMAIN = "cluster.local"
_NONE = frozenset({"", "None", None})


def hosts(
    pod: Mapping[str, Any], services: Iterable[Mapping[str, Any]], slices: Iterable[Mapping[str, Any]]
) -> str:
    """The text of a pod's `/etc/hosts`.

    Args:
        pod: The pod, with its address.
        services: All Services.
        slices: All EndpointSlices, for Services without an address of their own.
    """
    metadata = pod["metadata"]
    lines = ["127.0.0.1 localhost", f"{pod['status']['podIP']} {metadata['name']}"]
    found = endpoints(slices)
    for service in sorted(
        services, key=lambda each: (each["metadata"]["namespace"], each["metadata"]["name"])
    ):
        place = (service["metadata"]["namespace"], service["metadata"]["name"])
        lines += _lines(service, found.get(place, []), metadata["namespace"])
    return "\n".join(lines) + "\n"


def _lines(service: Mapping[str, Any], ends: Iterable[Endpoint], namespace: str) -> Iterator[str]:
    names = _names(service["metadata"]["name"], service["metadata"]["namespace"], namespace)
    if (address := service["spec"].get("clusterIP")) not in _NONE:
        yield f"{address} {' '.join(names)}"
        return
    unready_too = service["spec"].get("publishNotReadyAddresses", False)
    for end in (each for each in ends if each.ready or unready_too):
        own = [f"{end.hostname}.{name}" for name in names] if end.hostname else []
        yield f"{end.address} {' '.join([*own, *names])}"


def _names(name: str, namespace: str, asker: str) -> list[str]:
    """A Service's names, as search domains make them for pods of a namespace."""
    full = f"{name}.{namespace}"
    short = [name] if namespace == asker else []
    return [f"{full}.svc.{_DOMAIN}", f"{full}.svc", full, *short]
