"""What a template is made of.

A rendering is turned into plain values in which every user's value is a `Ref`; folding puts renderings together
into `Node`s, which say where they differ and why.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Step: TypeAlias = str | int
Path: TypeAlias = tuple[Step, ...]
Feature: TypeAlias = Path
"""What a template may ask: a value's path, ended by `?` for "is it set" or `>1`, or the name of a helper."""
Answer: TypeAlias = str | int | bool | None
Answers: TypeAlias = Mapping[Feature, Answer]

EACH = "*"
"""Stands in a path for every item of a list."""
IS_SET = "?"
SEVERAL = ">1"


@dataclass(frozen=True)
class Ref:
    """A user's value.

    Attributes:
        path: Where it stands in `values.yaml`; list items by number, or `EACH`.
        form: How the construct writes it.
    """

    path: Path
    form: Literal["text", "number", "shell", "without-scheme", "count", "key", "value"] = "text"


Piece: TypeAlias = str | Ref


@dataclass(frozen=True)
class Text:
    """Text around users' values."""

    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Joined:
    """Text made of parts that come and go: words of a flag list, or lines of a script with what is before each."""

    kind: Literal["words", "script"]
    parts: "tuple[Value, ...]"


@dataclass(frozen=True)
class Embedded:
    """YAML that stands as text inside a field."""

    value: "Value"


@dataclass(frozen=True)
class Ranged:
    """Items of a list that repeat for each of the user's."""

    over: Path
    item: "Value"


@dataclass(frozen=True)
class Mapped:
    """A mapping, hashable."""

    items: "tuple[tuple[str, Value], ...]"


@dataclass(frozen=True)
class Listed:
    """A list, hashable."""

    items: "tuple[Value, ...]"


@dataclass(frozen=True)
class Plain:
    """A value that no user sets. Kept with its type, because Python holds `1` and `True` to be equal."""

    type: str
    value: str | int | float | bool | None


Value: TypeAlias = Plain | Text | Ref | Joined | Embedded | Ranged | Mapped | Listed


@dataclass(frozen=True)
class Test:
    """Whether a feature has one of some answers."""

    feature: Feature
    answers: frozenset[Answer]


@dataclass(frozen=True)
class Condition:
    """Alternatives, each a row of tests that all hold. No alternative is never, one without tests is always."""

    rows: tuple[tuple[Test, ...], ...]

    @property
    def always(self) -> bool:
        """Whether it holds whatever the values are."""
        return any(not row for row in self.rows)


ALWAYS = Condition(((),))


@dataclass(frozen=True)
class Slot:
    """A part of a mapping or list, and when it is there."""

    key: str
    when: Condition
    node: "Node"


@dataclass(frozen=True)
class Fields:
    """A mapping whose fields come and go."""

    slots: tuple[Slot, ...]


@dataclass(frozen=True)
class Items:
    """A list whose items come and go."""

    slots: tuple[Slot, ...]


@dataclass(frozen=True)
class Parts:
    """Joined text whose parts come and go."""

    kind: Literal["words", "script"]
    slots: tuple[Slot, ...]


@dataclass(frozen=True)
class Inside:
    """YAML as text."""

    node: "Node"


@dataclass(frozen=True)
class Each:
    """A node for each item of the user's list."""

    over: Path
    node: "Node"


@dataclass(frozen=True)
class Choice:
    """One of several nodes."""

    cases: tuple[tuple[Condition, "Node"], ...]


@dataclass(frozen=True)
class Column:
    """A value from the table of one or two settings.

    Attributes:
        axes: The settings.
        rows: Value by the settings' answers.
        name: What the column is called, from the field that it fills.
        prefix: Text before the value that is the same in every row.
    """

    axes: tuple[Feature, ...]
    rows: Mapping[tuple[Answer, ...], Value] = field(compare=False)
    name: str = ""
    prefix: str = ""


@dataclass(frozen=True)
class Product:
    """A number from a table, times one of the user's and divided by another, after text that is always the same.

    Attributes:
        column: The number from the table.
        factor: What it is multiplied by, if anything.
        divisor: What it is divided by, if the user sets it.
        prefix: Text before the number; none where the field is a number.
        suffix: Text after it.
    """

    column: Column
    factor: Ref | None = None
    divisor: Ref | None = None
    prefix: str = ""
    suffix: str = ""


Node: TypeAlias = Plain | Text | Ref | Fields | Items | Parts | Inside | Each | Choice | Column | Product
