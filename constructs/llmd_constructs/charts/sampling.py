"""Samples of a chart: values at random that can work together, and what the constructs render for them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, cast

from llmd_constructs import catalogue
from llmd_constructs.charts.accelerators import node_pool
from llmd_constructs.charts.knobs import Sampler, Setting
from llmd_constructs.charts.nodes import EACH, IS_SET, SEVERAL, Answer, Feature, Path
from llmd_constructs.charts.reading import NAMESPACE, RELEASE, Reader
from llmd_constructs.config.cluster import NodePool
from llmd_constructs.manifest import JsonObject
from llmd_constructs.serving.engine import is_small_gpu
from llmd_constructs.serving.placement import Placement, place

if TYPE_CHECKING:
    from llmd_constructs.charts.definition import Definition

Values = dict[str, Any]
RELEASE_NAME = "zqrelqz"
NAMESPACE_NAME = "zqnsqz"
MANY = 8
"""Choices from which on a setting gets a table, and each of its values a turn."""


def placement(accelerator: str) -> Placement:
    """Where pods with this accelerator go."""
    return place(NodePool.model_validate(node_pool(accelerator, "any")))


ATTRIBUTES: Mapping[str, Mapping[str, Callable[[Any], Answer]]] = {
    "accelerator": {
        "kind": lambda value: placement(value).accelerator.kind,
        "multiHost": lambda value: placement(value).hosts > 1,
        "severalDevices": lambda value: placement(value).devices_per_node > 1,
        "bfloat16": lambda value: bool(placement(value).accelerator.bf16),
        "smallGpu": lambda value: is_small_gpu(placement(value)),
    },
    "model": {"gated": lambda value: catalogue.model(value).gated},
}
"""What a template may ask of a setting beside its value, by the setting's name."""


class Source:
    """Draws samples of one chart."""

    def __init__(self, sampler: Sampler, chart: "Definition") -> None:
        """Prepare for one chart."""
        self._sampler = sampler
        self._chart = chart
        self.settings = tuple(sampler.settings())
        self._decks: dict[tuple[Path, int], list[Answer]] = {}

    def samples(self, count: int, seed: int) -> Iterator[tuple[Values, list[JsonObject]]]:
        """So many samples that work."""
        random = Random(seed)  # noqa: S311 - the same samples on every machine
        found = 0
        while found < count:
            values = self._turned(self._sampler.draw(random), random)
            self._chart.repair(values, random)
            manifests = self._chart.render(values, RELEASE_NAME, NAMESPACE_NAME)
            if manifests is not None:
                found += 1
                yield values, manifests

    def _turned(self, values: Values, random: Random) -> Values:
        """Give every value of a large table its turn, those of each kind as often as those of another."""
        for setting in self.settings:
            choices = setting.choices
            if choices and len(choices) >= MANY:
                name = str(setting.path[-1])
                for holder in _holders(values, setting.path[:-1]):
                    if name in holder:
                        holder[name] = self._next(setting.path, kinds(name, choices), random)
        return values

    def _next(self, path: Path, groups: Sequence[Sequence[Answer]], random: Random) -> Answer:
        group = random.randrange(len(groups))
        deck = self._decks.setdefault((path, group), [])
        if not deck:
            deck += groups[group]
            random.shuffle(deck)
        return deck.pop()


def kinds(name: str, choices: Sequence[Answer]) -> list[list[Answer]]:
    """Choices by what a template most often asks of them."""
    attributes = list(ATTRIBUTES.get(name, {}).values())
    groups: dict[Answer, list[Answer]] = {}
    for choice in choices:
        groups.setdefault(attributes[0](choice) if attributes else None, []).append(choice)
    return list(groups.values())


def _holders(values: Any, path: Sequence[str | int]) -> list[dict[str, Any]]:
    found: list[Any] = [values]
    for step in path:
        found = [item for each in found for item in (each if step == EACH else [each.get(step, {})])]
    return found


def answers(
    settings: Sequence[Setting], values: Values, items: Path, item: int | None = None
) -> dict[Feature, Answer]:
    """What values answer to every feature; those of list items for the item at `item` only."""
    found: dict[Feature, Answer] = {}
    for setting in settings:
        value = _value_at(values, setting.path, items, item)
        if value is _ABSENT:
            continue
        found.update(_answers(setting, value))
    if item is not None:
        found[first(items)] = item == 0
    return found


_ABSENT = object()


def _value_at(values: Any, path: Path, items: Path, item: int | None) -> Any:
    """The value at a path; None where it is not set, `_ABSENT` where there is no such item."""
    for index, step in enumerate(path):
        if step == EACH:
            if item is None or path[:index] != items or item >= len(values):
                return _ABSENT
            values = values[item]
        elif isinstance(values, dict):
            values = cast("dict[Any, Any]", values).get(step)
        else:
            return None if values is None else _ABSENT
    return values


def _answers(setting: Setting, value: Any) -> Iterator[tuple[Feature, Answer]]:
    path, name = setting.path, str(setting.path[-1])
    if setting.choices is not None:
        yield path, value
        if setting.optional:
            yield (*path, IS_SET), value is not None
        if name in ("replicas", "nodesPerReplica"):
            yield (*path, SEVERAL), value > 1
        for attribute, ask in ATTRIBUTES.get(name, {}).items() if value is not None else ():
            yield (*path, f".{attribute}"), ask(value)
        return
    if "examples" in setting.schema:
        yield path, value if value in setting.schema["examples"] or value is None else "other"
    if setting.optional or setting.schema.get("type") in ("array", "object"):
        yield (*path, IS_SET), bool(value)
    if name == "replicas" and value is not None:
        yield (*path, SEVERAL), value > 1


def raw_values(
    settings: Sequence[Setting], values: Values, items: Path, item: int | None = None
) -> dict[Path, object]:
    """Every value as it is, by path."""
    found: dict[Path, object] = {}
    for setting in settings:
        value = _value_at(values, setting.path, items, item)
        if value is not _ABSENT and value is not None and not isinstance(value, dict):
            found[setting.path] = value
    return found


def first(items: Path) -> Feature:
    """Whether an item is the first of its list."""
    return (*items, EACH, ".first")


def reader(values: Values, settings: Sequence[Setting], items: Path) -> Reader:
    """A reader of what was rendered for these values."""
    always = [setting.path for setting in settings if setting.path[-1] in ("model", "image")]
    if values.get("gateway"):
        always += [("gateway", "name"), ("gateway", "namespace")]
    return Reader(values, {RELEASE_NAME: RELEASE, NAMESPACE_NAME: NAMESPACE}, always, items)


def domains(settings: Sequence[Setting], items: Path) -> dict[Feature, tuple[Answer, ...]]:
    """Every feature with its answers."""
    found: dict[Feature, tuple[Answer, ...]] = {}
    for setting in settings:
        possible: list[Any] = list(setting.choices or ())
        if setting.optional or setting.schema.get("type") in ("array", "object") or not possible:
            possible.append(None)
        if "examples" in setting.schema:
            possible += [*setting.schema["examples"], "other"]
        if setting.choices is None and "examples" not in setting.schema:
            possible += [1, 101] if setting.schema.get("type") == "integer" else ["some"]
            if not setting.optional and setting.schema.get("type") not in ("array", "object"):
                possible.remove(None)
        for value in possible:
            for feature, answer in _answers(setting, value):
                found[feature] = tuple(dict.fromkeys((*found.get(feature, ()), answer)))
    if items:
        found[first(items)] = (True, False)
    return {feature: options for feature, options in found.items() if len(options) > 1}
