"""The workload with its values left open, so that charts, libraries and overlays come from the one description."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields

from llmd_bench.workload import Values
from llmd_constructs.emit.yaml_text import Json

_FIRST_NUMBER = 990_001
"""Where a value is a number, the slot is one too. No object holds numbers of this size."""


def _slot(number: int, name: str, kind: object) -> str | int:
    return _FIRST_NUMBER + number if kind is int else f"zz{name.replace('_', '')}zz"


_SLOTS = {field.name: _slot(number, field.name, field.type) for number, field in enumerate(fields(Values))}
_NAMES = {str(slot): name for name, slot in _SLOTS.items()}
_PATTERN = re.compile("(" + "|".join(_NAMES) + ")")


def open_values() -> Values:
    """Values that are slots: text and numbers that stand where an application's own will stand."""
    return Values(**_SLOTS)  # pyright: ignore[reportArgumentType]


def fill(text: str, write: Callable[[str], str]) -> str:
    """Write every slot of a text; `write` gets the name of the value in camel case."""
    return _PATTERN.sub(lambda match: write(camel(_NAMES[match[0]])), text)


def expression(value: Json) -> str:
    """A value as an expression over `v`, in what Jsonnet and JavaScript have in common."""
    return _expression(
        value, lambda text: " + ".join(_term(part) for part in _PATTERN.split(text) if part) or '""'
    )


def interpolated(value: Json) -> str:
    """A value as an expression over `v` in CUE, where text takes values in by interpolation."""
    return _expression(value, lambda text: fill(json.dumps(text), lambda name: f"\\(v.{name})"))


def _expression(value: Json, text: Callable[[str], str]) -> str:
    match value:
        case Mapping():
            items = (f"{json.dumps(key)}: {_expression(item, text)}" for key, item in value.items())
            return "{" + ", ".join(items) + "}"
        case str():
            return text(value)
        case Sequence():
            return "[" + ", ".join(_expression(item, text) for item in value) + "]"
        case int() if str(value) in _NAMES:
            return _term(str(value))
        case _:
            return json.dumps(value)


def _term(part: str) -> str:
    return f"v.{camel(_NAMES[part])}" if part in _NAMES else json.dumps(part)


def leaves(value: Json, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], str | int]]:
    """Every slot-bearing scalar below a value, with the way to it."""
    match value:
        case Mapping():
            return [leaf for key, item in value.items() for leaf in leaves(item, (*path, key))]
        case str() | int():
            return [(path, value)] if _PATTERN.search(str(value)) else []
        case Sequence():
            return [leaf for index, item in enumerate(value) for leaf in leaves(item, (*path, index))]
        case _:
            return []


def close(value: str | int, values: Values) -> str | int:
    """A slot-bearing scalar with an application's own values."""
    if isinstance(value, int):
        return getattr(values, _NAMES[str(value)])
    return _PATTERN.sub(lambda match: str(getattr(values, _NAMES[match[0]])), value)


def as_json(values: Values) -> dict[str, str | int]:
    """An application's values under the names that templates use."""
    return {camel(field.name): getattr(values, field.name) for field in fields(Values)}


def camel(name: str) -> str:
    """`max_model_len` as `maxModelLen`."""
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)
