"""Where a Service's requests can go, as EndpointSlices have it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from llmd_tools.box.agent.api import Key

Slice = Mapping[str, Any]


@dataclass(frozen=True)
class Endpoint:
    """One endpoint of a Service.

    Attributes:
        address: Of the pod.
        hostname: Its own name below that of the Service; empty if it has none.
        ready: Whether it takes requests.
        ports: Number by name of the Service's port.
    """

    address: str
    hostname: str
    ready: bool
    ports: Mapping[str, int]


def endpoints(slices: Iterable[Slice]) -> dict[Key, list[Endpoint]]:
    """All endpoints, by namespace and name of their Service."""
    found: dict[Key, list[Endpoint]] = {}
    for each in slices:
        owner = each["metadata"].get("labels", {}).get("kubernetes.io/service-name", "")
        found.setdefault((each["metadata"]["namespace"], owner), []).extend(_of(each))
    return found


def _of(slice_: Slice) -> Iterator[Endpoint]:
    given: list[Mapping[str, Any]] = slice_.get("ports") or []
    ports = {port.get("name") or "": int(port["port"]) for port in given}
    listed: list[Mapping[str, Any]] = slice_.get("endpoints") or []
    for each in listed:
        ready = each.get("conditions", {}).get("ready", True)
        yield Endpoint(each["addresses"][0], each.get("hostname") or "", bool(ready), ports)
