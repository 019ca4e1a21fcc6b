"""Network policies: deny by default, then allow what the models need.

Selectors are those of the pods that really run (failures F-36 to F-43): the seeds' own selected nothing, or the
endpoint picker along with the model servers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llmd_constructs.addons.monitoring import COLLECTOR, COLLECTOR_NAMESPACE
from llmd_constructs.application import Application, Component
from llmd_constructs.catalogue import gke
from llmd_constructs.catalogue.releases.picker import Ports
from llmd_constructs.context import Context
from llmd_constructs.labels import GATEWAY_NAME, NAMESPACE_NAME, recommended
from llmd_constructs.manifest import NETWORK_POLICY, JsonObject
from llmd_constructs.serving.engine import MODEL_SERVER_PORT
from llmd_constructs.serving.features import KV_EVENTS_PORT

DNS_PORT = 53
HTTPS_PORT = 443
ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True)
class Traffic:
    """The pods of one model, by their labels."""

    model_servers: Mapping[str, str]
    """Pods that answer requests."""
    picker: Mapping[str, str]
    picker_ports: Ports
    group: JsonObject | None = None
    """Selector of pods that talk to each other on any port: hosts of a group, or prefill and decode."""
    asks_api_server: bool = False
    """Whether the group's pods talk to the API server."""
    render: Mapping[str, str] | None = None
    """Pods that turn prompts into tokens for the picker."""
    picker_metrics: int | None = None
    """Port of the picker's metrics, where they are collected. KServe's picker wants a token for them."""


class NamespacePolicies(Component):
    """What holds for every pod of a model namespace: nothing in, nothing out, but names can be looked up."""

    def __init__(self, scope: Application, id: str, *, namespace: str, part_of: str) -> None:
        """Render the policies of one namespace."""
        super().__init__(scope, id)
        self.add(_policy("default-deny-all", namespace, part_of, {}, ingress=[], egress=[]))
        dns = [
            {
                "to": [_namespace("kube-system"), *_blocks(_node_local_dns())],
                "ports": _ports(DNS_PORT, udp=True),
            }
        ]
        self.add(_policy("allow-dns", namespace, part_of, {}, egress=dns))


class ModelNetworkPolicies(Component):
    """What one model's servers and its endpoint picker may receive and send."""

    def __init__(
        self,
        scope: Application | Component,
        id: str,
        *,
        context: Context,
        name: str,
        namespace: str,
        traffic: Traffic,
        metrics_ports: Sequence[int],
    ) -> None:
        """Render the two policies of one model.

        Args:
            scope: The application, or a part of it.
            id: Name within it.
            context: The environment.
            name: The model's name.
            namespace: Its namespace.
            traffic: Its pods.
            metrics_ports: Where its servers tell their metrics.
        """
        super().__init__(scope, id)
        gateway = _gateway_peers(context)
        picker, servers = _pods(traffic.picker), _pods(traffic.model_servers)
        ports = traffic.picker_ports
        self.add(
            _policy(
                f"{name}-model-server",
                namespace,
                context.name,
                traffic.model_servers,
                ingress=[
                    {"from": [*gateway, picker], "ports": _ports(MODEL_SERVER_PORT)},
                    *([{"from": [picker], "ports": _ports(KV_EVENTS_PORT)}] if traffic.render else []),
                    *_collected(context, *metrics_ports),
                ],
                # Weights come from the internet; private ranges stay closed.
                egress=[{"to": [_internet()], "ports": _ports(HTTPS_PORT)}],
            ),
        )
        self.add(
            _policy(
                f"{name}-endpoint-picker",
                namespace,
                context.name,
                traffic.picker,
                ingress=[
                    {"from": gateway, "ports": _ports(ports.grpc, ports.health)},
                    *(_collected(context, traffic.picker_metrics) if traffic.picker_metrics else []),
                ],
                egress=[
                    {
                        "to": [servers],
                        "ports": _ports(MODEL_SERVER_PORT, *([KV_EVENTS_PORT] if traffic.render else [])),
                    },
                    *(
                        [{"to": [_pods(traffic.render)], "ports": _ports(MODEL_SERVER_PORT)}]
                        if traffic.render
                        else []
                    ),
                    {"to": [_api_server(context)], "ports": _ports(HTTPS_PORT)},
                ],
            ),
        )
        if traffic.group:
            self.add(_group_policy(name, namespace, context, traffic))
        if traffic.render:
            self.add(
                _policy(
                    f"{name}-render",
                    namespace,
                    context.name,
                    traffic.render,
                    ingress=[{"from": [picker], "ports": _ports(MODEL_SERVER_PORT)}],
                    egress=[{"to": [_internet()], "ports": _ports(HTTPS_PORT)}],
                ),
            )


def _group_policy(name: str, namespace: str, context: Context, traffic: Traffic) -> JsonObject:
    """Free traffic inside a group: KV caches and collective operations choose their ports as they go."""
    selector = traffic.group
    peers = [{"podSelector": selector}]
    # KServe's sidecar looks its pool up.
    sidecar = {"to": [_api_server(context)], "ports": _ports(HTTPS_PORT)}
    weights = {"to": [_internet()], "ports": _ports(HTTPS_PORT)}
    name = f"{name}-group"
    return NETWORK_POLICY.manifest(
        name,
        namespace,
        labels=recommended(name, "network-policy", context.name),
        spec={
            "podSelector": selector,
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": peers}],
            "egress": [{"to": peers}, weights, *([sidecar] if traffic.asks_api_server else [])],
        },
    )


def _collected(context: Context, *ports: int) -> list[JsonObject]:
    """Managed Prometheus' way in, where it collects."""
    if not context.environment.platform.monitoring:
        return []
    return [{"from": [{**_namespace(COLLECTOR_NAMESPACE), **_pods(COLLECTOR)}], "ports": _ports(*ports)}]


def _gateway_peers(context: Context) -> list[JsonObject]:
    """Where the gateway's requests come from: pods on Istio, address ranges on GKE, whose gateway has no pods."""
    environment = context.environment
    gateway = environment.platform.gateway
    if gateway.provider == "istio":
        pods = {"podSelector": {"matchLabels": {GATEWAY_NAME: gateway.name}}}
        return [{**_namespace(gateway.namespace), **pods}]
    subnet = environment.cluster.network.proxy_only_subnet
    return _blocks([*([str(subnet)] if subnet else []), *gke().networks["health-checks"].cidrs])


def _api_server(context: Context) -> JsonObject:
    """The API server. On GKE it is outside the cluster, so that no pod selector ever matches it (failure F-42)."""
    network = context.environment.cluster.network.control_plane
    return {"ipBlock": {"cidr": str(network) if network else ANYWHERE}}


def _internet() -> JsonObject:
    """Everything but private ranges and the metadata server."""
    private = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"]
    return {"ipBlock": {"cidr": ANYWHERE, "except": private}}


def _node_local_dns() -> Sequence[str]:
    return gke().networks["node-local-dns"].cidrs


def _blocks(cidrs: Sequence[str]) -> list[JsonObject]:
    return [{"ipBlock": {"cidr": cidr}} for cidr in cidrs]


def _namespace(name: str) -> JsonObject:
    return {"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: name}}}


def _pods(labels: Mapping[str, str]) -> JsonObject:
    return {"podSelector": {"matchLabels": dict(labels)}}


def _ports(*numbers: int, udp: bool = False) -> list[JsonObject]:
    protocols = ["UDP", "TCP"] if udp else ["TCP"]
    return [{"protocol": protocol, "port": number} for number in numbers for protocol in protocols]


def _policy(
    name: str,
    namespace: str,
    part_of: str,
    selector: Mapping[str, str],
    *,
    ingress: list[JsonObject] | None = None,
    egress: list[JsonObject] | None = None,
) -> JsonObject:
    """One policy. A direction given as an empty list is denied; one that is not given is left to other policies."""
    directions = {"Ingress": ingress, "Egress": egress}
    spec: JsonObject = {
        "podSelector": {"matchLabels": dict(selector)} if selector else {},
        "policyTypes": [direction for direction, rules in directions.items() if rules is not None],
    }
    spec.update({direction.lower(): rules for direction, rules in directions.items() if rules})
    return NETWORK_POLICY.manifest(
        name, namespace, labels=recommended(name, "network-policy", part_of), spec=spec
    )
