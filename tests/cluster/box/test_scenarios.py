"""What environments do in the box, request by request."""

import pytest

from llmd_tools.box.scenario_table import Told
from llmd_tools.box.scenarios import BY_ENVIRONMENT, SCENARIOS, World, summary

pytestmark = pytest.mark.cluster

_each = [
    pytest.param(environment, name, id=name, marks=pytest.mark.xdist_group(f"box-{environment}"))
    for environment, scenarios in BY_ENVIRONMENT.items()
    for name in scenarios
]


@pytest.mark.parametrize(("world", "name"), _each, indirect=["world"], scope="session")
def test_scenario(world: World, name: str, told: Told) -> None:
    """The scenario happens as its docstring says; its lines are what was seen."""
    environment = next(each for each, scenarios in BY_ENVIRONMENT.items() if name in scenarios)
    told(environment, name, summary(name))
    for line in SCENARIOS[name](world):
        told(environment, name, f"- {line}")
