"""A chart is folded from samples, and refused where it would hold for those samples alone."""

import pytest

from llmd_constructs.charts.definition import Definition, Values
from llmd_constructs.charts.learning import UnexplainedError
from llmd_constructs.charts.nodes import Fields
from llmd_constructs.charts.template import ChartTemplate
from pydantic import PositiveInt

from llmd_constructs.config.base import Model
from llmd_constructs.manifest import JsonObject


class _Drained(Model):
    """Values with a number that something else is computed from."""

    timeout_seconds: PositiveInt = 3600
    """Seconds for an answer."""
    drains: bool = True
    """Whether it waits for answers."""


def _chart(extra: int) -> Definition:
    def render(values: Values, name: str, namespace: str) -> list[JsonObject]:
        seconds = _Drained.model_validate(values).timeout_seconds
        spec = {"timeout": seconds, "grace": seconds + extra}
        return [
            {
                "apiVersion": "v1",
                "kind": "Drained",
                "metadata": {"name": name, "namespace": namespace},
                "spec": spec,
            }
        ]

    return Definition("drained", "Something that ends.", _Drained, render)


def test_a_users_number_stands_wherever_it_is_used() -> None:
    """The same number in two fields is the same reference."""
    (template,) = ChartTemplate(_chart(0)).fold()
    assert isinstance(template.node, Fields)


def test_a_number_computed_from_a_users_is_no_constant() -> None:
    """No template can say it, and a constant would be right for one number only."""
    with pytest.raises(UnexplainedError, match="grace"):
        ChartTemplate(_chart(30)).fold()
