"""The template of a chart: an object for every object of a release, with when it is there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from llmd_constructs.charts.definition import Definition
from llmd_constructs.charts.evaluating import difference, evaluate, holds
from llmd_constructs.charts.folding import Folder, Sample, identity
from llmd_constructs.charts.knobs import Sampler
from llmd_constructs.charts.learning import Learner, UnexplainedError
from llmd_constructs.charts.nodes import Condition, Mapped, Node, Path, Value
from llmd_constructs.charts.reading import generalised, refs
from llmd_constructs.charts.sampling import (
    MANY,
    Source,
    Values,
    answers,
    domains,
    raw_values,
    reader,
)
from llmd_constructs.manifest import JsonObject

FIRST_SAMPLES = 600
MORE_SAMPLES = 150
MOST_ROUNDS = 14


@dataclass(frozen=True)
class ObjectTemplate:
    """One object of a release.

    Attributes:
        name: Kind and name, users' values left open.
        over: The user's list of which every item has such an object.
        when: When it is there.
        node: The object.
    """

    name: str
    over: Path | None
    when: Condition
    node: Node


@dataclass(frozen=True)
class _Rendered:
    """One sample: its objects by what each is, and what it answers without and with each item."""

    sample: Sample
    items: tuple[Sample, ...]
    objects: dict[tuple[str, int | None], Value]


class ChartTemplate:
    """Folds a chart, and checks it against further samples until none surprises."""

    def __init__(self, chart: Definition) -> None:
        """Prepare for one chart."""
        self._items = chart.items
        self._source = Source(Sampler(chart.schema), chart)
        self.settings = self._source.settings
        self.domains = domains(self.settings, chart.items)
        tables = [
            feature
            for feature, options in self.domains.items()
            if len(options) >= MANY and not any(isinstance(option, int) for option in options)
        ]
        ranks = {f: (1 if str(f[-1]).startswith((".", "?", ">")) else 2) for f in self.domains}
        self._learner = Learner(self.domains, ranks)
        self._folder = Folder(self._learner, tables)

    def fold(self) -> list[ObjectTemplate]:
        """The objects.

        Raises:
            UnexplainedError: If a field differs for a reason that no value gives.
        """
        rendered = [self._read(*each) for each in self._source.samples(FIRST_SAMPLES, seed=1)]
        surprises: list[str] = []
        for seed in range(2, MOST_ROUNDS):
            objects = self._objects(rendered)
            fresh = [self._read(*each) for each in self._source.samples(MORE_SAMPLES, seed)]
            surprises = [found for each in fresh if (found := surprise(each, objects))]
            if not surprises:
                return objects
            rendered += fresh
        raise ValueError(f"samples go on surprising: {'; '.join(surprises)}")

    def _read(self, values: Values, manifests: Sequence[JsonObject]) -> _Rendered:
        settings = self.settings
        read = reader(values, settings, self._items)
        plain = Mapped(())

        def sample(item: int | None = None) -> Sample:
            return Sample(
                answers(settings, values, self._items, item),
                raw_values(settings, values, self._items, item),
                plain,
            )

        count = len(values.get(str(self._items[0]), ())) if self._items else 0
        objects: dict[tuple[str, int | None], Value] = {}
        for manifest in manifests:
            value = read.read(manifest)
            item = item_of(value, self._items)
            if item is not None:
                value = generalised(read.of_item(item).read(manifest), self._items, item)
            objects[identity(value), item] = value
        return _Rendered(sample(), tuple(map(sample, range(count))), objects)

    def _objects(self, rendered: Sequence[_Rendered]) -> list[ObjectTemplate]:
        keys = dict.fromkeys((name, item is not None) for each in rendered for name, item in each.objects)
        return [self._object(name, of_item, rendered) for name, of_item in keys]

    def _object(self, name: str, of_item: bool, rendered: Sequence[_Rendered]) -> ObjectTemplate:
        asked: list[tuple[Sample, Value | None]] = []
        for each in rendered:
            if of_item:
                asked += [(sample, each.objects.get((name, i))) for i, sample in enumerate(each.items)]
            else:
                asked.append((each.sample, each.objects.get((name, None))))
        try:
            when = self._learner.condition(
                [s.answers for s, _ in asked], [value is not None for _, value in asked]
            )
        except UnexplainedError as error:
            raise UnexplainedError(f"{name}: {error}") from None
        present = [replace(sample, value=value) for sample, value in asked if value is not None]
        return ObjectTemplate(name, self._items if of_item else None, when, self._folder.fold(present))


def item_of(value: Value, items: Path) -> int | None:
    """The item of the user's list whose object this is: the one that its name and namespace are made of."""
    fields = dict(value.items) if isinstance(value, Mapped) else {}
    metadata = fields.get("metadata")
    if not items or not isinstance(metadata, Mapped):
        return None
    names = [dict(metadata.items).get(key) for key in ("name", "namespace")]
    step = len(items)
    found = [ref.path[step] for name in names if name for ref in refs(name) if ref.path[:step] == items]
    return next((index for index in found if isinstance(index, int)), None)


def surprise(rendered: "_Rendered", objects: Sequence[ObjectTemplate]) -> str | None:
    """What the templates get wrong about a sample, if they get anything wrong."""
    expected = dict(rendered.objects)
    for template in objects:
        samples = rendered.items if template.over else (rendered.sample,)
        for index, sample in enumerate(samples):
            wanted = expected.pop((template.name, index if template.over else None), None)
            there = holds(template.when, sample.answers)
            if there != (wanted is not None):
                return f"{template.name} is {'' if there else 'not '}there"
            if wanted is not None:
                place = difference(evaluate(template.node, sample.answers), wanted, sample.raw)
                if place is not None:
                    return f"{template.name}: {place}"
    return f"{next(iter(expected))} is new" if expected else None
