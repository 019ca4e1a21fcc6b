"""What a chart is made from: a model of its values, and what the constructs render for them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any

from llmd_constructs.charts.nodes import Path
from llmd_constructs.config.base import Model
from llmd_constructs.config.deployment import Stack
from llmd_constructs.config.schema import described_schema
from llmd_constructs.manifest import JsonObject

Values = dict[str, Any]


def as_they_are(values: Values, random: Random) -> None:
    """Leave values alone."""
    del values, random


@dataclass(frozen=True)
class Definition:
    """One chart.

    Attributes:
        name: The chart's name.
        description: What it installs, in one sentence.
        model: Its values.
        render: The objects for some values, a release's name and namespace; None where they cannot work together.
        repair: Makes random values work together where chance seldom does.
        items: The list of which every item has objects of its own.
        serves: Pattern and stack, where the chart serves models.
    """

    name: str
    description: str
    model: type[Model]
    render: Callable[[Values, str, str], list[JsonObject] | None]
    repair: Callable[[Values, Random], None] = as_they_are
    items: Path = ()
    serves: tuple[str, Stack] | None = None

    @cached_property
    def schema(self) -> JsonObject:
        """The JSON schema of the values, with descriptions."""
        return described_schema(self.model)

    @cached_property
    def defaults(self) -> Values:
        """Every value as it is when the user says nothing."""
        return self.model.model_validate({}).model_dump(by_alias=True, mode="json")
