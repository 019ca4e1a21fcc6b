"""Nodes that the deployments of an environment need, by node pool."""

from collections import Counter
from collections.abc import Iterator

from llmd_constructs.config.deployment import (
    Deployment,
    MixtureOfExperts,
    MultiModel,
    PrefillDecode,
    PrefixCache,
    most_replicas,
)
from llmd_constructs.config.environment import Environment


def node_demand(environment: Environment) -> Counter[str]:
    """Nodes by pool, with autoscalers at their most. A replica takes whole nodes: TPUs cannot be shared, and GPUs are taken all together."""
    demand: Counter[str] = Counter()
    for deployment in environment.active:
        for pool, nodes in nodes_of(deployment):
            demand[pool] += nodes
    return demand


def nodes_of(deployment: Deployment) -> Iterator[tuple[str, int]]:
    """Node pool and nodes of each kind of replica."""
    match deployment:
        case MultiModel():
            yield from ((served.node_pool, most_replicas(served)) for served in deployment.models)
        case MixtureOfExperts():
            yield deployment.node_pool, most_replicas(deployment) * deployment.nodes_per_replica
        case PrefillDecode():
            for phase in (deployment.prefill, deployment.decode):
                yield phase.node_pool or deployment.node_pool, most_replicas(phase)
        case PrefixCache():
            yield deployment.node_pool, most_replicas(deployment)
        case _:
            yield deployment.node_pool, 1
