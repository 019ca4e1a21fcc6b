# ruff: noqa: PLR0911 - a case for each kind of node
"""Renderings put together into one template."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations, product
from typing import TypeAlias, TypeVar, cast

from llmd_constructs.charts.learning import Learner, UnexplainedError
from llmd_constructs.charts.nodes import (
    ALWAYS,
    EACH,
    IS_SET,
    Answer,
    Answers,
    Choice,
    Column,
    Condition,
    Each,
    Embedded,
    Feature,
    Fields,
    Inside,
    Items,
    Joined,
    Listed,
    Mapped,
    Node,
    Parts,
    Path,
    Plain,
    Product,
    Ranged,
    Ref,
    Slot,
    Test,
    Text,
    Value,
)
from llmd_constructs.charts.reading import refs

Result = TypeVar("Result")

MOST_CASES = 3
"""Outcomes up to which `if` reads better than a table."""


@dataclass(frozen=True, eq=False)
class Sample:
    """One rendering, or a part of it.

    Attributes:
        answers: What the sample answers to every feature.
        raw: Its values, by path.
        value: What was rendered.
    """

    answers: Answers
    raw: Mapping[Path, object]
    value: Value


class Folder:
    """Folds samples of one chart."""

    def __init__(self, learner: Learner, tables: Sequence[Feature]) -> None:
        """Prepare.

        Args:
            learner: Says why samples differ.
            tables: Features with so many answers that a table reads better than `if`.
        """
        self._learner = learner
        self._tables = tuple(tables)

    def fold(self, samples: Sequence[Sample], name: str = "") -> Node:
        """One node that stands for all samples.

        Args:
            samples: Renderings of the same field.
            name: What the field is called.

        Raises:
            UnexplainedError: If they differ for a reason that no values give.
        """
        values = [sample.value for sample in samples]
        first = values[0]
        if all(value == first for value in values):
            return _constant(first)
        column = self._column(samples, name)
        if column:
            return column
        if (
            len({type(value) for value in values}) == 1
            and not _words(values)
            and (folded := self._inside(samples, first, name))
        ):
            return folded
        return (
            self._verbatim(samples)
            or self._by_default(samples, name)
            or self._product(samples, name)
            or self._choice(samples, name)
        )

    def _inside(self, samples: Sequence[Sample], first: Value, name: str) -> Node | None:
        match first:
            case Mapped():
                if self._some_empty(samples):
                    return None
                slots = self._slots(samples, _fields, name)
                return Fields(tuple(replace(slot, key=slot.key.rstrip("~")) for slot in slots))
            case Listed():
                if self._some_empty(samples):
                    return None
                return Items(self._slots(samples, _items, name))
            case Joined(kind):
                return Parts(kind, self._slots(samples, _parts, name))
            case Embedded():
                inner = [replace(s, value=s.value.value) for s in samples if isinstance(s.value, Embedded)]
                return Inside(self.fold(inner, name))
            case Ranged(over):
                each = [replace(s, value=s.value.item) for s in samples if isinstance(s.value, Ranged)]
                return Each(over, self.fold(each, name))
            case _:
                return None

    @staticmethod
    def _some_empty(samples: Sequence[Sample]) -> bool:
        """Whether an empty mapping or list is among others, so that no field tells it from one that is not there."""
        return any(not sample.value.items for sample in samples if isinstance(sample.value, Mapped | Listed))

    def _slots(
        self, samples: Sequence[Sample], parts: "Callable[[Value], list[tuple[str, Value]]]", name: str
    ) -> tuple[Slot, ...]:
        given = [parts(sample.value) for sample in samples]
        order, names = merged_order([tuple(key for key, _ in row) for row in given])
        rows = [
            dict(zip(named, (value for _, value in row), strict=True))
            for named, row in zip(names, given, strict=True)
        ]
        return tuple(self._slot(key, samples, rows, f"{name}>{key}") for key in order)

    def _slot(
        self, key: str, samples: Sequence[Sample], rows: Sequence[Mapping[str, Value]], name: str
    ) -> Slot:
        present = [
            replace(sample, value=row[key]) for sample, row in zip(samples, rows, strict=True) if key in row
        ]
        node = self._at(key, lambda: self.fold(present, name))
        over = _range_of(present[0].value)
        # A list without items repeats nothing, wherever that is.
        asked = [
            (sample.answers, key in row)
            for sample, row in zip(samples, rows, strict=True)
            if over is None or sample.answers.get((*over, IS_SET), True)
        ]
        when = self._at(
            key, lambda: self._learner.condition([a for a, _ in asked], [there for _, there in asked])
        )
        return Slot(key, when, node)

    @staticmethod
    def _at(key: str, do: "Callable[[], Result]") -> "Result":
        """Let an error tell where it happened."""
        try:
            return do()
        except UnexplainedError as error:
            raise UnexplainedError(f"{key} > {error}") from None

    def _column(self, samples: Sequence[Sample], name: str) -> Column | None:
        """A table's column, where tables alone decide what stands here, and there is more than `if` can show."""
        values = [sample.value for sample in samples]
        if _alike(values) or len(set(values)) <= MOST_CASES:
            return None
        if any(True for value in values for _ in refs(value)):
            return None
        for table in self._tables:
            rows: dict[tuple[Answer, ...], Value] = {}
            if all(
                table in s.answers and rows.setdefault((s.answers[table],), s.value) == s.value
                for s in samples
            ):
                if len(rows) * 2 > len(samples):
                    continue
                return _table_column((table,), rows, name)
        return None

    def _verbatim(self, samples: Sequence[Sample]) -> Node | None:
        """A value that stands as it is, though its text is too usual to be found."""
        shared = [path for path in samples[0].raw if all(path in sample.raw for sample in samples)]
        for path in sorted(shared, key=lambda p: (len(p), [str(step) for step in p])):
            node = _substituted(samples[0], path)
            if isinstance(node, Text | Ref) and all(_substituted(each, path) == node for each in samples):
                return node
        return None

    def _by_default(self, samples: Sequence[Sample], name: str) -> Node | None:
        """The user's value where there is one, else what is derived."""
        for path in dict.fromkeys(path for sample in samples for path in sample.raw):
            question = (*path, IS_SET)
            if not all(question in sample.answers for sample in samples):
                continue
            given = [sample for sample in samples if sample.answers[question]]
            others = [sample for sample in samples if not sample.answers[question]]
            if not given or not others:
                continue
            node = _substituted(given[0], path)
            if not isinstance(node, Text | Ref) or any(_substituted(each, path) != node for each in given):
                continue
            if not any(ref.path == path for ref in _node_refs(node)):
                continue
            try:
                derived = self.fold(others, name)
            except UnexplainedError:
                continue
            return Choice(((_is(question, answer=True), node), (_is(question, answer=False), derived)))
        return None

    def _product(self, samples: Sequence[Sample], name: str) -> Product | None:
        """One of the user's numbers times one from a table, or divided by another of the user's."""
        found = [_number_in(sample.value) for sample in samples]
        numbers = [each for each in found if each is not None]
        if len(numbers) < len(found) or len({(before, after) for before, _, after in numbers}) != 1:
            return None
        paths = [path for path in _whole_numbers(samples) if path in samples[0].answers]
        before, _, after = numbers[0]
        for factor, divisor in product([None, *paths], [None, *paths]):
            if factor == divisor:
                continue
            wanted = [
                n
                * _int(s.answers.get(divisor) if divisor else 1)
                / _int(s.answers.get(factor) if factor else 1)
                for s, (_, n, _) in zip(samples, numbers, strict=True)
            ]
            column = self._numbers(samples, wanted, name)
            if column:
                return Product(
                    column,
                    Ref(factor, "number") if factor else None,
                    Ref(divisor, "number") if divisor else None,
                    before,
                    after,
                )
        return None

    def _numbers(self, samples: Sequence[Sample], wanted: Sequence[float], name: str) -> Column | None:
        """The table whose answers decide these numbers."""
        for table in self._tables:
            rows: dict[tuple[Answer, ...], Value] = {}
            if all(
                table in s.answers
                and n.is_integer()
                and rows.setdefault((s.answers[table],), Plain("int", int(n))) == Plain("int", int(n))
                for s, n in zip(samples, wanted, strict=True)
            ) and len(rows) * 1.3 < len(samples):
                return Column((table,), rows, name)
        return None

    def _choice(self, samples: Sequence[Sample], name: str) -> Node:
        answers = [sample.answers for sample in samples]
        outcomes = [sample.value for sample in samples]
        try:
            features = self._learner.explain(answers, outcomes)
        except UnexplainedError:
            return self._split(samples, name)
        first, *rest = features
        groups = self._learner.partition(answers, outcomes, first, tuple(rest))
        # Answers that are too many to be listed are better looked up.
        listed = sum(sorted(map(len, groups))[:-1])
        if all(f in self._tables for f in features) and (
            len(set(outcomes)) > MOST_CASES or listed > MOST_CASES
        ):
            rows = {tuple(s.answers[f] for f in features): s.value for s in samples}
            if not any(True for value in outcomes for _ in refs(value)):
                return _table_column(features, rows, name)
        cases = [
            (group, self.fold([s for s in samples if s.answers[first] in group], name)) for group in groups
        ]
        return Choice(
            tuple(
                (self._learner.condition(answers, [a[first] in group for a in answers]), node)
                for group, node in cases
            )
        )

    def _split(self, samples: Sequence[Sample], name: str) -> Node:
        """One question with two answers first, where no few features explain all samples at once."""
        for question in self._learner.questions([s.answers for s in samples], [s.value for s in samples]):
            cases: list[tuple[Condition, Node]] = []
            try:
                for answer in dict.fromkeys(s.answers[question] for s in samples):
                    node = self.fold([s for s in samples if s.answers[question] == answer], name)
                    cases.append((_is(question, answer=answer), node))
            except UnexplainedError:
                continue
            return Choice(tuple(cases))
        raise UnexplainedError(f"{len({s.value for s in samples})} values in {len(samples)} samples")


def _constant(value: Value) -> Node:
    """The node of a value that is the same in all samples."""
    match value:
        case Mapped(items) if items:
            return Fields(tuple(Slot(key, ALWAYS, _constant(item)) for key, item in items))
        case Listed(items) if items:
            return Items(tuple(Slot(str(index), ALWAYS, _constant(item)) for index, item in enumerate(items)))
        case Mapped():
            return Plain("dict", None)
        case Listed():
            return Plain("list", None)
        case Joined(kind, parts):
            return Parts(kind, tuple(Slot(str(i), ALWAYS, _constant(part)) for i, part in enumerate(parts)))
        case Embedded(inner):
            return Inside(_constant(inner))
        case Ranged(over, item):
            return Each(over, _constant(item))
        case _:
            return value


def _whole_numbers(samples: Sequence[Sample]) -> list[Path]:
    """Settings that are whole numbers and not the same in all samples."""
    paths = sorted({path for sample in samples for path in sample.raw}, key=str)
    values = {
        path: {s.raw.get(path) for s in samples if not isinstance(s.raw.get(path), list | tuple)} - {None}
        for path in paths
    }
    return [
        path
        for path, numbers in values.items()
        if len(numbers) > 1 and all(isinstance(n, int) and not isinstance(n, bool) for n in numbers)
    ]


def _int(answer: object) -> int:
    return answer if isinstance(answer, int) else 1


def _words(values: Sequence[Value]) -> bool:
    """Whether they are lists of plain words, such as a command, that mean nothing one by one."""
    return all(
        isinstance(value, Listed)
        and all(isinstance(item, Plain) and not str(item.value).startswith("--") for item in value.items)
        for value in values
    )


_NUMBER = re.compile(r"(.*=|.* \* )?([0-9]+)(\D*)", re.DOTALL)


def _number_in(value: Value) -> tuple[str, int, str] | None:
    """A number, with the text around it."""
    if isinstance(value, Plain) and value.type == "int":
        return "", int(value.value or 0), ""
    if isinstance(value, Plain) and value.type == "str" and (found := _NUMBER.fullmatch(str(value.value))):
        return (found[1], int(found[2]), found[3]) if found[1] else None
    return None


def _is(question: Feature, *, answer: Answer) -> Condition:
    return Condition(((Test(question, frozenset({answer})),),))


def _alike(values: Sequence[Value]) -> bool:
    """Whether they are mappings or lists of the same shape, so that only fields inside differ."""
    shapes = {
        tuple(key for key, _ in value.items)
        if isinstance(value, Mapped)
        else len(value.items)
        if isinstance(value, Listed)
        else None
        for value in values
    }
    return len(shapes) == 1 and None not in shapes


def _table_column(axes: tuple[Feature, ...], rows: Mapping[tuple[Answer, ...], Value], name: str) -> Column:
    """A column that leaves what all rows begin with, such as a flag, in the template."""
    texts = [str(v.value) for v in rows.values() if isinstance(v, Plain) and isinstance(v.value, str)]
    flags = {text.partition("=")[0] for text in texts if "=" in text}
    same = len(texts) == len(rows) and len(flags) == 1 and all("=" in text for text in texts)
    return Column(axes, rows, name, f"{flags.pop()}=" if same else "")


def _node_refs(node: Node) -> list[Ref]:
    return list(refs(node)) if isinstance(node, Text | Ref) else []


def _fields(value: Value) -> list[tuple[str, Value]]:
    return list(value.items) if isinstance(value, Mapped) else []


def _items(value: Value) -> list[tuple[str, Value]]:
    return _identified(value.items) if isinstance(value, Listed) else []


def _parts(value: Value) -> list[tuple[str, Value]]:
    return _identified(value.parts) if isinstance(value, Joined) else []


def _identified(items: Iterable[Value]) -> list[tuple[str, Value]]:
    """Items with what makes each the same item in another sample."""
    seen: Counter[str] = Counter()
    result: list[tuple[str, Value]] = []
    for item in items:
        name = identity(item)
        result.append((f"{name}#{seen[name]}", item))
        seen[name] += 1
    return result


def identity(item: Value) -> str:
    """What an item of a list is about: its name, its flag, its place."""
    match item:
        case Mapped(items):
            fields = dict(items)
            for key in ("kind", "name", "type", "pluginRef", "path"):
                if key in fields:
                    tail = f"/{identity(fields['metadata'])}" if "metadata" in fields else ""
                    return f"{key}={_shape(fields[key])}{tail}"
            return "{" + ",".join(key for key, _ in items[:1]) + "}"
        case Ranged(over, inner):
            return f"each {over} {identity(inner)}"
        case _:
            return _shape(item).partition("=")[0]


def _shape(item: Value) -> str:
    """Text with users' values left open."""
    match item:
        case Text(pieces):
            return "".join(_slot_of(piece) if isinstance(piece, Ref) else piece for piece in pieces)
        case Plain(_, value):
            return str(value)
        case _:
            return "<>"


def _slot_of(ref: Ref) -> str:
    """What stands for a user's value: its place, for any item of a list."""
    return f"<{'.'.join(EACH if isinstance(step, int) else step for step in ref.path)}>"


def _range_of(value: Value) -> Path | None:
    return value.over if isinstance(value, Ranged) else None


Row: TypeAlias = tuple[str, ...]


def merged_order(rows: Sequence[Row]) -> tuple[list[str], list[Row]]:
    """One order that agrees with every row, and the rows as they are called in it.

    What stands before another key in some rows and after it in others gets a second name in the latter.
    """
    distinct = list(dict.fromkeys(rows))
    named = {row: row for row in distinct}
    while True:
        order, stuck = _order(list(named.values()))
        if not stuck:
            return order, [named[row] for row in rows]
        moved, other = _contradiction(list(named.values()), stuck)
        named = {
            row: tuple(f"{key}~" if key == moved and _before(now, moved, other) else key for key in now)
            for row, now in named.items()
        }


def _order(rows: Sequence[Row]) -> tuple[list[str], list[str]]:
    """Keys in an order that agrees with the rows, and those for which there is none."""
    after: dict[str, set[str]] = {}
    for row in rows:
        for index, key in enumerate(row):
            after.setdefault(key, set()).update(row[:index])
    order: list[str] = []
    waiting = list(after)
    while waiting:
        ready = next((key for key in waiting if after[key] <= set(order)), None)
        if ready is None:
            return order, waiting
        order.append(ready)
        waiting.remove(ready)
    return order, []


def _contradiction(rows: Sequence[Row], keys: Sequence[str]) -> tuple[str, str]:
    """Two keys that stand in both orders; the first is the one that contradicts more of the others."""
    pairs = [
        (a, b)
        for a, b in permutations(keys, 2)
        if any(_before(row, a, b) for row in rows) and any(_before(row, b, a) for row in rows)
    ]
    if not pairs:
        raise ValueError(f"no order agrees with every sample: {', '.join(keys)}")
    often = Counter(a for a, _ in pairs)
    return max(pairs, key=lambda pair: often[pair[0]])


def _before(row: Row, a: str, b: str) -> bool:
    return a in row and b in row and row.index(a) < row.index(b)


def _substituted(sample: Sample, path: Path) -> Value | None:
    """The sample's value with the text of one setting replaced by a reference to it."""
    raw, value = sample.raw[path], sample.value
    if isinstance(raw, list | tuple):
        return _in_text(value, str(len(cast("Sequence[object]", raw))), Ref(path, "count"))
    if isinstance(value, Plain) and type(raw).__name__ == value.type and raw == value.value:
        return (
            Ref(path, "number")
            if isinstance(raw, int | float) and not isinstance(raw, bool)
            else Text((Ref(path),))
        )
    if isinstance(value, Ref) or (isinstance(value, Text) and any(r.path == path for r in refs(value))):
        return value
    return _in_text(value, str(raw), Ref(path)) if raw not in (None, True, False) else None


def _in_text(value: Value, word: str, ref: Ref) -> Value | None:
    if not (isinstance(value, Plain) and isinstance(value.value, str)):
        return None
    before, equals, after = value.value.partition("=")
    return Text((f"{before}=", ref)) if equals and after == word else None
