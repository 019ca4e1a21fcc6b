# ruff: noqa: C901, PLR0911 - a case for each kind of node
"""What a template says for one sample: the same as what was read from its rendering, if the template is right."""

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from llmd_constructs.charts.nodes import (
    IS_SET,
    Answers,
    Choice,
    Column,
    Condition,
    Each,
    Embedded,
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
    Text,
    Value,
)


def holds(condition: Condition, answers: Answers) -> bool:
    """Whether a condition holds for these answers."""
    return any(all(answers.get(test.feature) in test.answers for test in row) for row in condition.rows)


def evaluate(node: Node, answers: Answers) -> Value | None:
    """The value of a node, or None where no case of a choice holds or a table has no such row."""
    match node:
        case Fields(slots):
            return Mapped(tuple((slot.key, value) for slot, value in _present(slots, answers)))
        case Items(slots):
            return Listed(tuple(value for _, value in _present(slots, answers)))
        case Parts(kind, slots):
            return Joined(kind, tuple(value for _, value in _present(slots, answers)))
        case Inside(inner):
            value = evaluate(inner, answers)
            return None if value is None else Embedded(value)
        case Each(over, inner):
            value = evaluate(inner, answers)
            return None if value is None else Ranged(over, value)
        case Choice(cases):
            chosen = next((case for condition, case in cases if holds(condition, answers)), None)
            return None if chosen is None else evaluate(chosen, answers)
        case Column(axes, rows):
            return rows.get(tuple(answers.get(axis) for axis in axes))
        case Product():
            return _product(node, answers)
        case Plain("dict"):
            return Mapped(())
        case Plain("list"):
            return Listed(())
        case Text() | Ref() | Plain():
            return node


def _product(node: Product, answers: Answers) -> Value | None:
    row = node.column.rows.get(tuple(answers.get(axis) for axis in node.column.axes))
    if not isinstance(row, Plain):
        return None
    factor = answers.get(node.factor.path) if node.factor else 1
    divisor = (answers.get(node.divisor.path) if node.divisor else None) or 1
    result = int(row.value or 0) * int(factor or 0) // int(divisor)
    return Plain("str", f"{node.prefix}{result}{node.suffix}") if node.prefix else Plain("int", result)


def _present(slots: Sequence[Slot], answers: Answers) -> list[tuple[Slot, Value]]:
    found: list[tuple[Slot, Value]] = []
    for slot in slots:
        empty = isinstance(slot.node, Each) and not answers.get((*slot.node.over, IS_SET), True)
        if empty or not holds(slot.when, answers):
            continue
        value = evaluate(slot.node, answers)
        if value is not None:
            found.append((slot, value))
    return found


def difference(one: Value | None, other: Value | None, raw: Mapping[Path, object]) -> str | None:
    """Where two values differ first, or None if they do not.

    Args:
        one: What the template says.
        other: What was rendered; a user's value may stand in it as plain text.
        raw: The user's values.
    """
    if one == other or (one is not None and _filled(one, raw) == other):
        return None
    match one, other:
        case Mapped(a), Mapped(b):
            mine, theirs = dict(a), dict(b)
            if list(mine) != list(theirs):
                return f"{list(mine)} instead of {list(theirs)}"
            return _first((key, difference(mine[key], theirs[key], raw)) for key in mine)
        case (Listed(a), Listed(b)) | (Joined(_, a), Joined(_, b)) if len(a) == len(b):
            return _first((str(i), difference(x, y, raw)) for i, (x, y) in enumerate(zip(a, b, strict=True)))
        case (Embedded(a), Embedded(b)) | (Ranged(_, a), Ranged(_, b)):
            return difference(a, b, raw)
        case _:
            if isinstance(one, Listed | Joined) and isinstance(other, Listed | Joined):
                mine, theirs = list(_children(one)), list(_children(other))
                return f"{[x for x in mine if x not in theirs]} instead of {[x for x in theirs if x not in mine]}"
            return f"{one} instead of {other}"


def _children(value: Listed | Joined) -> tuple[Value, ...]:
    return value.items if isinstance(value, Listed) else value.parts


def _first(places: Iterable[tuple[str, str | None]]) -> str | None:
    return next((f"{key} > {found}" for key, found in places if found is not None), None)


def _filled(value: Value, raw: Mapping[Path, object]) -> Value:
    """A text or number with the user's values written out."""
    match value:
        case Ref(path) if isinstance(raw.get(path), int):
            return Plain("int", int(str(raw[path])))
        case Text(pieces):
            return Plain("str", "".join(_written(p, raw) if isinstance(p, Ref) else p for p in pieces))
        case _:
            return value


def _written(ref: Ref, raw: Mapping[Path, object]) -> str:
    value = raw.get(ref.path)
    return str(len(cast("list[object]", value))) if ref.form == "count" else str(value)
