"""What network policies let through."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from ipaddress import IPv4Network, ip_network
from typing import Literal, get_args

from llmd_constructs.labels import NAMESPACE_NAME
from llmd_constructs.manifest import JsonObject
from llmd_constructs.rules.pods import Pod
from llmd_constructs.rules.reading import dig, entries, labels, mapping, number, selects, text, texts
from llmd_constructs.rules.resources import Resource
from llmd_constructs.rules.view import View, asked_once

Direction = Literal["Ingress", "Egress"]
_SIDE = {"Ingress": "from", "Egress": "to"}


@dataclass(frozen=True)
class Peer:
    """The other end of a connection: pods of a namespace, or an address range."""

    name: str
    """In words, for messages."""
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    network: IPv4Network | None = None


@dataclass(frozen=True, eq=False)
class Firewall:
    """All network policies of an environment."""

    view: View
    _selecting: dict[tuple[Pod, Direction], list[Resource]] = field(
        default_factory=dict[tuple[Pod, Direction], list[Resource]], init=False, repr=False
    )

    @cached_property
    def _closing(self) -> Mapping[tuple[str, Direction], list[Resource]]:
        """Policies by the namespace and the direction that they close."""
        found: dict[tuple[str, Direction], list[Resource]] = {}
        for policy in self.view.of("NetworkPolicy"):
            for direction in get_args(Direction):
                if _closes(policy, direction):
                    found.setdefault((policy.namespace, direction), []).append(policy)
        return found

    @cached_property
    def _namespaces(self) -> Mapping[str, dict[str, str]]:
        return {
            item.name: {NAMESPACE_NAME: item.name, **labels(item.manifest, "metadata", "labels")}
            for item in self.view.of("Namespace")
        }

    def selecting(self, pod: Pod, direction: Direction) -> list[Resource]:
        """Policies that close this direction for a pod, and open parts of it again."""
        found = self._selecting.get((pod, direction))
        if found is None:
            policies = self._closing.get((pod.namespace, direction), ())
            found = [policy for policy in policies if _is_of(policy, pod)]
            self._selecting[pod, direction] = found
        return found

    def allows(self, pod: Pod, direction: Direction, peer: Peer, port: int, protocol: str = "TCP") -> bool:
        """Whether a connection passes on the side of this pod."""
        policies = self.selecting(pod, direction)
        return not policies or any(
            self._passes(policy, rule, direction, peer, port, protocol)
            for policy in policies
            for rule in entries(policy.manifest, "spec", direction.lower())
        )

    def _passes(
        self, policy: Resource, rule: JsonObject, direction: Direction, peer: Peer, port: int, protocol: str
    ) -> bool:
        if not _covers_port(rule, port, protocol):
            return False
        peers = rule.get(_SIDE[direction])
        listed = entries(rule, _SIDE[direction])
        return not peers or any(self._is_peer(policy, item, peer) for item in listed)

    def _is_peer(self, policy: Resource, item: JsonObject, peer: Peer) -> bool:
        if "ipBlock" in item:
            return peer.network is not None and _in_block(mapping(item, "ipBlock"), peer.network)
        if peer.network is not None:
            return False
        if "namespaceSelector" in item:
            found = self._namespaces.get(peer.namespace, {NAMESPACE_NAME: peer.namespace})
            inside = selects(mapping(item, "namespaceSelector"), found)
        else:
            inside = peer.namespace == policy.namespace
        return inside and ("podSelector" not in item or selects(mapping(item, "podSelector"), peer.labels))


@asked_once
def firewall_of(view: View) -> Firewall:
    """The one firewall of a view, which remembers what it has found out."""
    return Firewall(view)


def _is_of(policy: Resource, pod: Pod) -> bool:
    return selects(mapping(policy.manifest, "spec", "podSelector"), pod.labels)


def _closes(policy: Resource, direction: Direction) -> bool:
    types = texts(policy.manifest, "spec", "policyTypes")
    if types:
        return direction in types
    return direction == "Ingress" or bool(policy.get("spec", "egress"))


def _covers_port(rule: JsonObject, port: int, protocol: str) -> bool:
    ports = entries(rule, "ports")
    return not ports or any(
        _is_port(item, port) and (text(item, "protocol") or "TCP") == protocol for item in ports
    )


def _is_port(item: JsonObject, port: int) -> bool:
    first, last = number(item, "port"), number(item, "endPort")
    if dig(item, "port") is None:
        return True
    return first is not None and first <= port <= (last or first)


def _in_block(block: JsonObject, network: IPv4Network) -> bool:
    outer = _network(text(block, "cidr"))
    if outer is None or not network.subnet_of(outer):
        return False
    return not any(inner.overlaps(network) for inner in _networks(texts(block, "except")))


def _networks(cidrs: list[str]) -> Iterator[IPv4Network]:
    for cidr in cidrs:
        found = _network(cidr)
        if found:
            yield found


@lru_cache(maxsize=256)
def _network(cidr: str) -> IPv4Network | None:
    try:
        found = ip_network(cidr, strict=False)
    except ValueError:
        return None
    return found if isinstance(found, IPv4Network) else None
