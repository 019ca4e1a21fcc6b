"""Facts of Google Kubernetes Engine itself."""

from collections.abc import Mapping
from functools import cache

from ._table import Entry, Table, Value, read_table, shown_file

VERSIONS_FILE = shown_file("gke_versions.yaml")
"""Where the versions of GKE are kept, for texts that say what to mend."""


class GatewayClass(Entry):
    """One gateway class that GKE or Istio offers.

    Attributes:
        id: The class's name.
        provider: Who runs it.
        scope: Where its load balancer lives.
        external: Whether it can be reached from the internet.
        inference_pools: Whether a route may send traffic to an InferencePool.
        route_timeouts: Whether a route may have `timeouts`; GKE refuses the whole route otherwise.
        proxy_only_subnet: The purpose of the subnet it needs in the region, if any.
        note: What to know before relying on it.
    """

    id: str
    provider: str
    scope: str
    external: bool
    inference_pools: bool
    route_timeouts: bool
    proxy_only_subnet: str | None = None
    note: str | None = None


class VersionGate(Entry):
    """The first GKE version that has something, or an end of the range of minors that GKE offers."""

    id: str
    version: str
    means: str


class Network(Entry):
    """Addresses that network policies on GKE must know.

    Attributes:
        id: What is at the address.
        cidrs: Its addresses.
        ports: Its ports, where they are fixed.
        means: What traffic to or from it is for.
    """

    id: str
    cidrs: tuple[str, ...]
    ports: tuple[int, ...] = ()
    means: str


class GkeFacts(Value):
    """What is true of every GKE cluster.

    Attributes:
        networks: Addresses, by what is there.
        version_gates: First versions, by feature; `oldest-minor` and `newest-minor`, the minors that GKE offers.
    """

    networks: Mapping[str, Network]
    version_gates: Mapping[str, VersionGate]


@cache
def gateway_classes() -> Table[GatewayClass]:
    """All gateway classes, by name."""
    return read_table("gateway_classes.yaml", GatewayClass)


@cache
def gke() -> GkeFacts:
    """Addresses and version gates of GKE."""
    return GkeFacts(
        networks=read_table("gke_networks.yaml", Network),
        version_gates=read_table("gke_versions.yaml", VersionGate),
    )


def reaches(kubernetes: str, version: str) -> bool:
    """Whether a GKE version is `version` or later. A bare minor, such as `1.34`, stands for its latest version."""
    there = _numbers(kubernetes)
    return there >= _numbers(version)[: len(there)]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.replace("-gke", "").split("."))
