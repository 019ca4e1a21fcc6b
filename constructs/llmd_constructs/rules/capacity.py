"""Nodes that accelerator pods take, and whether an update finds one for the pod that it adds."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from llmd_constructs.manifest import JsonObject
from llmd_constructs.rules.model import Where
from llmd_constructs.rules.pods import Pod
from llmd_constructs.rules.reading import mapping, text
from llmd_constructs.rules.view import View

_DEFAULT_SHARE = "25%"
"""Kubernetes' default for maxSurge and maxUnavailable."""


_BOUNDS = {
    "HorizontalPodAutoscaler": ("minReplicas", "maxReplicas", 1),
    "ScaledObject": ("minReplicaCount", "maxReplicaCount", 0),
}
"""Kind to its bounds, and its fewest replicas where it names none."""


@dataclass(frozen=True)
class Bounds:
    """Between what an autoscaler keeps a pod's replicas."""

    fewest: int
    most: int
    place: Where
    """Where the most are written."""


def accelerated(view: View) -> Iterator[Pod]:
    """Pods that ask for chips."""
    return (pod for pod in view.pods if pod.resource)


def node_demand(view: View) -> Counter[tuple[str, ...]]:
    """Nodes that pods take, with autoscalers at their maximum, by the node pools that they can run on."""
    demand: Counter[tuple[str, ...]] = Counter()
    for pod in accelerated(view):
        demand[_pools(view, pod)] += _replicas(view, pod) * pod.nodes
    return demand


def waits_for_a_node(view: View, pod: Pod, rolling: JsonObject) -> bool:
    """Whether an update of a Deployment, whose pods take whole nodes, never gets a node for its first new pod.

    Args:
        view: The environment.
        pod: The Deployment's pods.
        rolling: Its `rollingUpdate`; empty for the defaults.
    """
    replicas = _replicas(view, pod)
    return bool(replicas) and not _gives_way(rolling, replicas) and _spare_nodes(view, pod) < 1


def _gives_way(rolling: JsonObject, replicas: int) -> bool:
    """Whether the update may stop an old pod first. Kubernetes rounds maxSurge up and maxUnavailable down.

    Where both come to nothing, it stops one pod at a time (deployment/util, ResolveFenceposts).
    """
    surge = _share(rolling.get("maxSurge", _DEFAULT_SHARE), replicas, up=True)
    return surge == 0 or _share(rolling.get("maxUnavailable", _DEFAULT_SHARE), replicas, up=False) > 0


def _share(value: object, replicas: int, *, up: bool) -> int:
    said = str(value)
    number = said.removesuffix("%")
    if not number.isdecimal() or len(number) > 9:
        return 0
    if number == said:
        return int(number)
    return (int(number) * replicas + (99 if up else 0)) // 100


def _spare_nodes(view: View, pod: Pod) -> int:
    pools = set(_pools(view, pod))
    taken = sum(nodes for names, nodes in node_demand(view).items() if pools & set(names))
    return sum(nodes.pool.max_nodes for nodes in view.nodes_for(pod)) - taken


def _pools(view: View, pod: Pod) -> tuple[str, ...]:
    return tuple(nodes.pool.name for nodes in view.nodes_for(pod))


def scaled(view: View, pod: Pod) -> Bounds | None:
    """The bounds of the autoscaler that sets a pod's replicas; `None` where none does."""
    for kind, (fewest, most, default) in _BOUNDS.items():
        for scaler in view.of(kind):
            target = mapping(scaler.manifest, "spec", "scaleTargetRef")
            same = (text(target, "kind") or "Deployment", text(target, "name")) == pod.workload
            if same and scaler.namespace == pod.namespace:
                least = scaler.number("spec", fewest)
                return Bounds(
                    default if least is None else least,
                    scaler.number("spec", most) or 0,
                    scaler.at("spec", most),
                )
    most = pod.owner.number("spec", "scaling", "maxReplicas")
    if most is None:
        return None
    fewest = pod.owner.number("spec", "scaling", "minReplicas") or 1
    return Bounds(fewest, most, pod.owner.at("spec", "scaling", "maxReplicas"))


def _replicas(view: View, pod: Pod) -> int:
    bounds = scaled(view, pod)
    return max(pod.replicas, bounds.most) if bounds else pod.replicas
