"""Labels that more than one object has to agree on.

Source: Kubernetes recommended labels; llm-d's model server recipes; the seeds.
"""

MANAGED_BY = "llmd"


def recommended(name: str, component: str, part_of: str) -> dict[str, str]:
    """The recommended label set of an object that we render."""
    return {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/part-of": part_of,
        "app.kubernetes.io/managed-by": MANAGED_BY,
    }


GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"
"""Istio puts it on the pods that it makes for a Gateway."""
HOSTNAME = "kubernetes.io/hostname"
"""The kubelet puts it on every node."""
NAMESPACE_NAME = "kubernetes.io/metadata.name"
"""The API server puts it on every Namespace."""


def spread_over_nodes(selector: dict[str, str]) -> list[dict[str, object]]:
    """Topology spread that keeps replicas apart where there are nodes for it."""
    spread = {"maxSkew": 1, "topologyKey": HOSTNAME, "whenUnsatisfiable": "ScheduleAnyway"}
    return [{**spread, "labelSelector": {"matchLabels": selector}}]
