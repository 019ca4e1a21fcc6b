"""How the catalogue's YAML files become frozen, checked values."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from llmd_constructs.config.errors import InputError

_ROOT = Path(__file__).parent
_FOLDER = "constructs/llmd_constructs/catalogue"


def shown_file(file: str) -> str:
    """A data file as texts name it: from the root of the repository."""
    return f"{_FOLDER}/{file}"


class UnknownEntry(KeyError):  # noqa: N818 - the name says what happened, and callers show its text to users
    """A name that the catalogue does not hold."""

    def __init__(self, kind: str, name: str, known: Iterable[str], file: str) -> None:
        """Keep what was asked for, what would have been an answer, and the file that holds all answers."""
        self.kind = kind
        self.name = name
        self.file = file
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


class File(Value):
    """The shape of every data file; `shared` only holds YAML anchors."""

    date: date
    shared: dict[str, Any] = {}
    entries: list[dict[str, Any]]


E = TypeVar("E", bound=Entry)


class Table(Mapping[str, E]):
    """The entries of one data file, by key and in the order of the file. Nobody can change it."""

    def __init__(self, file: str, entries: dict[str, E]) -> None:
        """Keep the entries, and the file as texts name it."""
        self.file = file
        self._entries = entries

    def __getitem__(self, key: str) -> E:
        """The entry of that key, or KeyError."""
        return self._entries[key]

    def __iter__(self) -> Iterator[str]:
        """The keys, in the order of the file."""
        return iter(self._entries)

    def __len__(self) -> int:
        """How many entries there are."""
        return len(self._entries)


def read_table(file: str, entry: type[E], key: str = "id") -> Table[E]:
    """Read one data file.

    Args:
        file: Path below this package.
        entry: The model of the file's entries.
        key: The field that identifies an entry.

    Returns:
        The entries by key, in the order of the file.

    Raises:
        InputError: With everything that is wrong with the file.
    """
    text = (_ROOT / file).read_bytes()
    entries = _entries(text, entry, key)
    if entries is None:
        # Only a file with a mistake pays for the words.
        from ._mistakes import mistakes  # noqa: PLC0415 - see above

        raise InputError(mistakes(shown_file(file), text, entry, key))
    return Table(shown_file(file), entries)


def _entries(text: bytes, entry: type[E], key: str) -> dict[str, E] | None:
    """The entries by key; `None` if the file has any mistake."""
    try:
        content = File.model_validate(yaml.load(text, Loader=yaml.CSafeLoader))
        values = [entry.model_validate({"date": content.date, **raw}) for raw in content.entries]
    except (ValueError, yaml.YAMLError):
        return None
    entries = {str(getattr(value, key)): value for value in values}
    return entries if len(entries) == len(values) else None


def look_up(kind: str, table: Table[E], name: str) -> E:
    """Return the entry called `name`.

    Raises:
        UnknownEntry: If there is none.
    """
    try:
        return table[name]
    except KeyError:
        raise UnknownEntry(kind, name, table, table.file) from None
