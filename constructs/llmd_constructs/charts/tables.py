"""What a chart knows of every accelerator, model and release: tables that the generator writes."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from llmd_constructs.charts.nodes import (
    EACH,
    Answer,
    Column,
    Feature,
    Listed,
    Mapped,
    Path,
    Plain,
    Test,
    Value,
)
from llmd_constructs.charts.sampling import ATTRIBUTES

if TYPE_CHECKING:
    from llmd_constructs.charts.expressions import Scope

Rows = dict[str, dict[str, Any]]
GENERIC = ("value", "name", "kind", "key", "requests", "limits")
"""Field names that say nothing without what is above them."""


class Tables:
    """The tables of one chart, filled while its templates are written."""

    def __init__(self, domains: Mapping[Feature, Any]) -> None:
        """Start with empty tables."""
        self._domains = domains
        self.tables: dict[str, Rows] = {}
        self.used: list[tuple[Path, str]] = []
        """Rows that the template at hand looks up: the setting, and the variable."""

    def start(self) -> None:
        """Begin another template."""
        self.used = []

    def column(self, scope: "Scope", column: Column) -> str:
        """The expression of a column's value for the user's settings."""
        axes = sorted(column.axes, key=lambda axis: -len(self._domains[axis]))
        order = [column.axes.index(axis) for axis in axes]
        row = self._row(axes[0])
        cells: dict[str, Any] = {}
        for answers, value in column.rows.items():
            keys = [_key(answers[i]) for i in order]
            holder = cells
            for key in keys[:-1]:
                holder = holder.setdefault(key, {})
            holder[keys[-1]] = _shortened(plain(value), column.prefix)
        name = self._named(axes[0], column.name, cells)
        if len(axes) == 1:
            return f"{row}.{name}"
        inner = " ".join(f"({_lookup(scope, axis)})" for axis in axes[1:])
        return f"index {row}.{name} {inner}"

    def attribute(self, path: Path, name: str) -> str:
        """The expression of something that a table says of a setting."""
        options = self._domains[path]
        ask = ATTRIBUTES[str(path[-1])][name]
        self._fill(path, name, {_key(each): ask(each) for each in options if each is not None})
        return f"{self._row(path)}.{name}"

    def flag(self, test: Test, about: str) -> str:
        """The expression of a test that has too many answers to list them."""
        path = test.feature
        cells = {_key(each): each in test.answers for each in self._domains[path] if each is not None}
        name = self._named(path, f"has {about.rpartition('>')[2] or 'it'}", cells)
        return f"{self._row(path)}.{name}"

    def _row(self, axis: Feature) -> str:
        variable = f"${_camel(axis)}"
        if (axis, variable) not in self.used:
            self.used.append((axis, variable))
        return variable

    def _named(self, axis: Feature, about: str, cells: dict[str, Any]) -> str:
        """A name for the column that no other column has."""
        parts = [_word(part) for part in about.split(">") if _word(part)]
        rows = self.tables.get(table_name(axis), {})
        for length in range(1, len(parts) + 1):
            some = parts[-length:]
            if some[0].lower() in GENERIC or some[0].isdigit():
                continue
            name = some[0] + "".join(part[:1].upper() + part[1:] for part in some[1:])
            present = {key: row[name] for key, row in rows.items() if name in row}
            if not present or all(cells.get(key, value) == value for key, value in present.items()):
                self._fill(axis, name, cells)
                return name
        raise ValueError(f"no name is left for {about}")

    def _fill(self, axis: Feature, name: str, cells: Mapping[str, Any]) -> None:
        rows = self.tables.setdefault(table_name(axis), {})
        for key, value in cells.items():
            rows.setdefault(key, {})[name] = value


def table_name(axis: Feature) -> str:
    """The table of a setting: the same for all settings of one name."""
    return f"{axis[-1]}s"


def plain(value: Value) -> Any:
    """A value without users' values, as YAML knows it."""
    match value:
        case Mapped(items):
            return {key: plain(item) for key, item in items}
        case Listed(items):
            return [plain(item) for item in items]
        case Plain(_, content):
            return content
        case _:
            raise TypeError(f"{value} holds a user's value")


def _shortened(value: Any, prefix: str) -> Any:
    return value.removeprefix(prefix) if isinstance(value, str) else value


def _key(answer: Answer) -> str:
    return "" if answer is None else str(answer)


def _lookup(scope: "Scope", axis: Feature) -> str:
    if str(axis[-1]).startswith("."):
        return scope.tables.attribute(axis[:-1], str(axis[-1])[1:])
    return f'{scope.value(axis)} | default "" | toString'


def _camel(path: Path) -> str:
    words = [str(step) for step in path if step not in (EACH, "models", "engine")]
    return words[0] + "".join(word[:1].upper() + word[1:] for word in words[1:])


def _word(part: str) -> str:
    """A field's name as a column's: `--tensor-parallel-size#0` is `tensorParallelSize`."""
    words = re.findall(r"[A-Za-z0-9]+", part.partition("#")[0].rpartition("=")[2] or part)
    if not words:
        return ""
    first, *rest = [word.lower() if word.isupper() else word for word in words]
    return first[:1].lower() + first[1:] + "".join(word[:1].upper() + word[1:] for word in rest)
