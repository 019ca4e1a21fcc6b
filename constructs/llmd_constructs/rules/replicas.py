"""Every model that an environment asks for, as rules see it."""

from collections.abc import Iterator

from llmd_constructs.patterns import replicas
from llmd_constructs.patterns.replicas import Asked
from llmd_constructs.rules.view import View

__all__ = ["Asked", "asked"]


def asked(view: View) -> Iterator[Asked]:
    """Every kind of replica whose node pool has an accelerator, disabled deployments included."""
    return replicas.asked(view.environment, {nodes.pool.name: nodes.placement for nodes in view.nodes})
