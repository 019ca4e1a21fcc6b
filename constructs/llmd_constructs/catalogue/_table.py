"""How the catalogue's YAML files become frozen, checked values."""

import difflib
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_ROOT = Path(__file__).parent


class UnknownEntry(KeyError):  # noqa: N818 - the name says what happened, and callers show its text to users
    """A name that the catalogue does not hold."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        """Keep what was asked for and what would have been an answer."""
        self.kind = kind
        self.name = name
        self.known = tuple(known)
        self.near = tuple(difflib.get_close_matches(name, self.known, n=3))
        super().__init__(str(self))

    def __str__(self) -> str:
        """Say what is unknown, what is near to it and what is allowed."""
        near = f"; did you mean {' or '.join(self.near)}?" if self.near else ";"
        return f"unknown {self.kind} '{self.name}'{near} known: {', '.join(self.known)}"


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Sources = Annotated[tuple[str, ...], BeforeValidator(_as_tuple), Field(min_length=1)]
"""Where a fact was read: URLs or documents. YAML may give one as a plain string."""


class Value(BaseModel):
    """A frozen part of an entry; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Entry(Value):
    """A fact of the world: where it was read, and on which day.

    Attributes:
        source: Where the entry's facts were read.
        date: The day they were read; the file's own `date`, unless the entry gives another.
    """

    source: Sources
    date: date


class _File(Value):
    """The shape of every data file; `shared` only holds YAML anchors."""

    date: date
    shared: dict[str, Any] = {}
    entries: list[dict[str, Any]]


E = TypeVar("E", bound=Entry)


def read_table(file: str, entry: type[E], key: str = "id") -> Mapping[str, E]:
    """Read one data file.

    Args:
        file: Path below this package.
        entry: The model of the file's entries.
        key: The field that identifies an entry.

    Returns:
        The entries by key, in the order of the file.

    Raises:
        ValueError: If a key appears twice, or an entry does not fit its model.
    """
    text = (_ROOT / file).read_bytes()
    content = _File.model_validate(yaml.load(text, Loader=yaml.CSafeLoader))
    table: dict[str, E] = {}
    for raw in content.entries:
        value = entry.model_validate({"date": content.date, **raw})
        name = str(getattr(value, key))
        if name in table:
            raise ValueError(f"{file}: '{name}' appears twice")
        table[name] = value
    return MappingProxyType(table)


def look_up(kind: str, table: Mapping[str, E], name: str) -> E:
    """Return the entry called `name`.

    Raises:
        UnknownEntry: If there is none.
    """
    try:
        return table[name]
    except KeyError:
        raise UnknownEntry(kind, name, table) from None
