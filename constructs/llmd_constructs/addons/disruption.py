"""Disruption budgets, so that a node upgrade takes one replica at a time."""

from collections.abc import Mapping

from llmd_constructs.application import Application, Component
from llmd_constructs.labels import recommended
from llmd_constructs.manifest import POD_DISRUPTION_BUDGET


class DisruptionBudget(Component):
    """At most one replica away at a time. Pointless, and in the way of upgrades, with a single replica."""

    def __init__(
        self,
        scope: Application | Component,
        id: str,
        *,
        name: str,
        namespace: str,
        selector: Mapping[str, str],
        part_of: str,
    ) -> None:
        """Render the budget of the pods that `selector` picks."""
        super().__init__(scope, id)
        spec = {"maxUnavailable": 1, "selector": {"matchLabels": dict(selector)}}
        self.add(
            POD_DISRUPTION_BUDGET.manifest(
                name, namespace, labels=recommended(name, "disruption-budget", part_of), spec=spec
            ),
        )
