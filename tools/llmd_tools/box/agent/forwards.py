"""Where each address and port of a Service leads, from Services and EndpointSlices."""

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address
from typing import Any

from llmd_tools.box.agent.endpoints import Endpoint, endpoints

Address = tuple[str, int]

_BALANCERS = IPv4Address("10.97.0.0")
"""The range that load balancers get addresses from."""


def forwards(
    services: Iterable[Mapping[str, Any]], slices: Iterable[Mapping[str, Any]]
) -> dict[Address, tuple[Address, ...]]:
    """The ready endpoints of each address and TCP port of each Service that has any."""
    by_service = endpoints(slices)
    found: dict[Address, tuple[Address, ...]] = {}
    for service in services:
        mine = by_service.get((service["metadata"]["namespace"], service["metadata"]["name"]), [])
        for port in service["spec"].get("ports", []):
            ends = tuple(sorted(_ready(mine, port.get("name", ""))))
            if ends and port.get("protocol", "TCP") == "TCP":
                found |= {(address, port["port"]): ends for address in _addresses(service)}
    return found


def balancer_address(service: Mapping[str, Any]) -> str:
    """The address of a load balancer that its Service gets: the end of its cluster address in another range.

    That makes it unique without anybody keeping count.
    """
    return str(_BALANCERS + (int(IPv4Address(service["spec"]["clusterIP"])) & 0xFFFF))


def wants_balancer(service: Mapping[str, Any]) -> bool:
    """Whether a Service waits for the address of a load balancer."""
    is_balancer = service["spec"].get("type") == "LoadBalancer" and not service["spec"].get(
        "loadBalancerClass"
    )
    return is_balancer and not service.get("status", {}).get("loadBalancer", {}).get("ingress")


def _addresses(service: Mapping[str, Any]) -> Iterator[str]:
    yield from (each for each in service["spec"].get("clusterIPs", []) if each != "None" and ":" not in each)
    for ingress in service.get("status", {}).get("loadBalancer", {}).get("ingress", []):
        if "ip" in ingress:
            yield ingress["ip"]


def _ready(ends: Iterable[Endpoint], name: str) -> Iterator[Address]:
    return ((end.address, end.ports[name]) for end in ends if end.ready and name in end.ports)
