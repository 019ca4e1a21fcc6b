"""Monitoring, disruption budget and network policies."""

from llmd_bench.workload.values import (
    COMPONENT,
    GRPC,
    HEALTH,
    HTTP,
    METRICS,
    PICKER,
    ROLE_LABEL,
    SERVER,
    Values,
    resource,
)
from llmd_constructs.manifest import NETWORK_POLICY, POD_DISRUPTION_BUDGET, JsonObject, Kind

_MONITORING = Kind("monitoring.googleapis.com/v1", "PodMonitoring")


def operations(values: Values) -> list[JsonObject]:
    """What keeps an application watched, available and apart from others."""
    return [
        _monitoring(values, SERVER, "http"),
        _monitoring(values, PICKER, "metrics"),
        resource(
            POD_DISRUPTION_BUDGET,
            values,
            "decode",
            SERVER,
            spec={"maxUnavailable": 1, "selector": {"matchLabels": {ROLE_LABEL: "decode"}}},
        ),
        _network_policy(values, SERVER, ports=[HTTP], to=["0.0.0.0/0"]),
        _network_policy(values, PICKER, ports=[GRPC, HEALTH, METRICS], to=["10.0.0.0/8", "172.16.0.0/28"]),
    ]


def _monitoring(values: Values, component: str, port: str) -> JsonObject:
    spec = {
        "selector": {"matchLabels": {COMPONENT: component}},
        "endpoints": [{"port": port, "path": "/metrics", "interval": "15s"}],
    }
    return resource(_MONITORING, values, component, component, spec=spec)


def _network_policy(values: Values, component: str, *, ports: list[int], to: list[str]) -> JsonObject:
    blocks = ("130.211.0.0/22", "35.191.0.0/16", "192.168.0.0/23")
    spec = {
        "podSelector": {"matchLabels": {COMPONENT: component}},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [
            {
                "from": [
                    *({"ipBlock": {"cidr": cidr}} for cidr in blocks),
                    {"podSelector": {"matchLabels": {COMPONENT: PICKER}}},
                ],
                "ports": [{"protocol": "TCP", "port": port} for port in ports],
            },
        ],
        "egress": [
            {
                "to": [
                    {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}
                ],
                "ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")],
            },
            {
                "to": [{"ipBlock": {"cidr": cidr}} for cidr in to],
                "ports": [{"protocol": "TCP", "port": 443}],
            },
        ],
    }
    return resource(NETWORK_POLICY, values, component, component, spec=spec)
