# ruff: noqa: PLR0911, SLF001 - a case for each kind of node
"""From a rendering to a value in which everything that a user set is a `Ref`."""

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, cast

import yaml

from llmd_constructs.charts.nodes import (
    EACH,
    Embedded,
    Joined,
    Listed,
    Mapped,
    Path,
    Piece,
    Plain,
    Ranged,
    Ref,
    Text,
    Value,
)
from llmd_constructs.emit.yaml_text import yaml_text

CONTINUED = " \\\n  "
"""How a shell command goes on in the next line."""
FLAGS = "_ARGS"
"""How variables are called that hold a command line's flags."""
RELEASE = ("Release", "Name")
NAMESPACE = ("Release", "Namespace")


class Reader:
    """Finds one sample's values in what was rendered from them."""

    def __init__(
        self, values: Mapping[str, Any], given: Mapping[str, Path], always: Iterable[Path], items: Path
    ) -> None:
        """Learn the text of every value.

        Args:
            values: The sample.
            given: Text of what is no value, such as the release's name.
            always: Values that are told apart by their place rather than by unusual text.
            items: The list of which every item has objects of its own, rather than items in lists.
        """
        self._items = items
        self._always = frozenset(always)
        self._refs: dict[str, Ref] = {text: Ref(path) for text, path in given.items()}
        self._numbers: dict[int | float, Ref] = {}
        for path, value in _leaves(values, ()):
            self._learn(path, value)
        numbers = {str(number): ref for number, ref in self._numbers.items()}
        self._texts = {**self._refs, **{text: replace(ref, form="number") for text, ref in numbers.items()}}
        self._pattern = _pattern(self._texts)

    def _learn(self, path: Path, value: object) -> None:
        if isinstance(value, str):
            general = tuple(EACH if isinstance(step, int) else step for step in path)
            if "zq" in value.lower() or value.startswith("203.0.") or general in self._always:
                form = path[-1]
                place = (
                    Ref(path[:-1], form)
                    if form in ("key", "value") and isinstance(path[-2], int)
                    else Ref(path)
                )
                self._refs.setdefault(value, place)
                if value.startswith("hf://"):
                    self._refs[value.removeprefix("hf://")] = Ref(path, "without-scheme")
                if shlex.quote(value) != value:
                    self._refs[shlex.quote(value)] = Ref(path, "shell")
        elif (isinstance(value, int | float) and not isinstance(value, bool) and value > 100) or isinstance(
            value, float
        ):
            self._numbers.setdefault(value, Ref(path, "number"))

    def of_item(self, index: int) -> "Reader":
        """A reader that knows no values of other items, which may be the same by chance."""
        others = {text: ref for text, ref in self._texts.items() if not self._is_other(ref, index)}
        reader = copy(self)
        reader._texts = others
        reader._pattern = _pattern(others)
        reader._numbers = {n: ref for n, ref in self._numbers.items() if not self._is_other(ref, index)}
        return reader

    def _is_other(self, ref: Ref, index: int) -> bool:
        step = len(self._items)
        return bool(step) and ref.path[:step] == self._items and ref.path[step] != index

    def read(self, value: object) -> Value:
        """The value with what the user set taken out."""
        match value:
            case dict():
                fields = cast("Mapping[str, object]", value)
                flags = str(fields.get("name", "")).endswith(FLAGS)
                return Mapped(
                    tuple(
                        (key, self._words(str(item)) if flags and key == "value" else self.read(item))
                        for key, item in fields.items()
                    )
                )
            case list() | tuple():
                items = cast("Sequence[object]", value)
                return Listed(tuple(repeated([self.read(item) for item in items], self._items)))
            case str():
                return self._text(value)
            case bool() | None:
                return Plain(type(value).__name__, value)
            case int() | float():
                return self._numbers.get(value, Plain(type(value).__name__, value))
            case _:
                raise TypeError(f"{value!r} is no value of a manifest")

    def _text(self, text: str) -> Value:
        embedded = _embedded(text)
        if embedded is not None:
            return Embedded(self.read(embedded))
        if "\n" in text.rstrip("\n"):
            return self._script(text)
        return _as_value(self._pieces(text))

    def _words(self, text: str) -> Joined:
        """Flags, of which any may be missing."""
        words = [_as_value(part) for part in _split(self._pieces(text), " ") if part]
        return Joined("words", tuple(repeated(words, self._items)))

    def _script(self, text: str) -> Joined:
        parts = re.split(r"( \\\n  |\n)", text)
        whole = [parts[0], *(a + b for a, b in zip(parts[1::2], parts[2::2], strict=True))]
        return Joined(
            "script", tuple(repeated([_as_value(self._pieces(part)) for part in whole], self._items))
        )

    def _pieces(self, text: str) -> tuple[Piece, ...]:
        pieces: list[Piece] = []
        end = 0
        for found in self._pattern.finditer(text):
            if found.start() > end:
                pieces.append(text[end : found.start()])
            pieces.append(self._texts[found.group()])
            end = found.end()
        if end < len(text):
            pieces.append(text[end:])
        return tuple(pieces)


def _pattern(texts: Mapping[str, Ref]) -> re.Pattern[str]:
    """Finds the longest text first, and numbers only where they stand alone."""
    longest = sorted(texts, key=len, reverse=True)
    return re.compile(
        "|".join(
            f"(?<![0-9.]){re.escape(text)}(?![0-9])" if texts[text].form == "number" else re.escape(text)
            for text in longest
        )
    )


def _leaves(value: object, path: Path) -> Iterator[tuple[Path, object]]:
    match value:
        case dict() if path and path[-1] == "env":
            variables = cast("Mapping[str, object]", value)
            for index, name in enumerate(sorted(variables)):
                yield (*path, index, "key"), name
                yield (*path, index, "value"), variables[name]
        case dict():
            for name, item in cast("Mapping[str, object]", value).items():
                yield from _leaves(item, (*path, name))
        case list() | tuple():
            for index, item in enumerate(cast("Sequence[object]", value)):
                yield from _leaves(item, (*path, index))
        case _:
            yield path, value


def _as_value(pieces: tuple[Piece, ...]) -> Value:
    """The plainest value of some pieces."""
    if not pieces:
        return Plain("str", "")
    if len(pieces) == 1 and isinstance(pieces[0], str):
        return Plain("str", pieces[0])
    return Text(pieces)


def _split(pieces: tuple[Piece, ...], separator: str) -> list[tuple[Piece, ...]]:
    """Words, of which each may hold users' values."""
    words: list[list[Piece]] = [[]]
    for piece in pieces:
        if isinstance(piece, Ref):
            words[-1].append(piece)
            continue
        first, *rest = piece.split(separator)
        if first:
            words[-1].append(first)
        words.extend([part] if part else [] for part in rest)
    return [tuple(word) for word in words]


def _embedded(text: str) -> Any:
    """What YAML inside a text says, if the text is just as we write YAML."""
    if "\n" not in text or (": " not in text and not text.startswith("- ")):
        return None
    try:
        value: Any = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        return None
    if isinstance(value, dict):
        return cast("Any", value) if yaml_text(cast("Any", value)) == text else None
    if isinstance(value, list):
        return cast("Any", value) if yaml_text({"k": cast("Any", value)}) == f"k:\n{text}" else None
    return None


@dataclass(frozen=True)
class _Mention:
    over: Path
    index: int


def repeated(items: Sequence[Value], apart: Path) -> list[Value]:
    """Items that differ only in which of the user's they are about, put together."""
    result: list[Value] = []
    for item in items:
        mention = mentioned(item, apart)
        if mention is None:
            result.append(item)
            continue
        general = generalised(item, mention.over, mention.index)
        ranged = Ranged(mention.over, general)
        if mention.index == 0:
            result.append(ranged)
        elif not (result and result[-1] == ranged):
            result.append(item)
    return result


def mentioned(value: Value, apart: Path) -> "_Mention | None":
    """The one item of a user's list that a value is about: the innermost list, if there are several.

    The list `apart` does not count, because its items have objects of their own.
    """
    mentions = {
        _Mention(ref.path[:step], index)
        for ref in refs(value)
        for step, index in enumerate(ref.path)
        if isinstance(index, int) and ref.path[:step] != apart
    }
    if not mentions:
        return None
    deepest = max(len(mention.over) for mention in mentions)
    inner = [mention for mention in mentions if len(mention.over) == deepest]
    return inner[0] if len(inner) == 1 else None


def generalised(value: Value, over: Path, index: int) -> Value:
    """The value for any item instead of the one at `index`."""
    start = (*over, index)

    def of(ref: Ref) -> Ref:
        if ref.path[: len(start)] != start:
            return ref
        return replace(ref, path=(*over, EACH, *ref.path[len(start) :]))

    return mapped(value, of)


def mapped(value: Value, change: Callable[[Ref], Ref]) -> Value:
    """The value with every `Ref` changed."""
    match value:
        case Ref():
            return change(value)
        case Text(pieces):
            return Text(tuple(change(piece) if isinstance(piece, Ref) else piece for piece in pieces))
        case Mapped(items):
            return Mapped(tuple((key, mapped(item, change)) for key, item in items))
        case Listed(items):
            return Listed(tuple(mapped(item, change) for item in items))
        case Joined(kind, parts):
            return Joined(kind, tuple(mapped(part, change) for part in parts))
        case Embedded(inner):
            return Embedded(mapped(inner, change))
        case Ranged(over, item):
            return Ranged(change(Ref(over)).path, mapped(item, change))
        case Plain():
            return value


def refs(value: Value) -> Iterator[Ref]:
    """Every user's value inside."""
    match value:
        case Ref():
            yield value
        case Text(pieces):
            yield from (piece for piece in pieces if isinstance(piece, Ref))
        case Mapped(items):
            for _, item in items:
                yield from refs(item)
        case Listed(items) | Joined(_, items):
            for item in items:
                yield from refs(item)
        case Embedded(inner):
            yield from refs(inner)
        case Ranged(over, item):
            yield Ref(over)
            yield from refs(item)
        case Plain():
            return
