"""From YAML text to a tree of nodes, or every reason to refuse it.

Events are read one by one, so that neither nesting nor aliases can cost more than the limits below.
"""

import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn, cast

import yaml

from llmd_constructs.config._files import HIDDEN, hidden_name
from llmd_constructs.config._node import Node, Position
from llmd_constructs.config._scalars import Scalar, plain
from llmd_constructs.config._stack import Stack
from llmd_constructs.config._syntax import USE_SPACES, explain
from llmd_constructs.config.errors import (
    InputError,
    Problem,
    ValuePath,
    capped,
    described,
    dotted,
    shown,
)

_DEEPEST = 40
_MOST_NODES = 50_000
_VARIABLE = re.compile(r"\$\{[^}]*\}?|(?<!\$)\$[A-Za-z_]\w*")
# Text under these keys reaches Kubernetes, or a shell in the container, as it stands.
_PASSED_ON = frozenset({"args", "extraArgs", "env", "manifests", "patches"})
_SHARE = "share values through `extends:`"

_Event = Any


def read_tree(text: str, file: str, *, literal: bool = False) -> Node:
    """Parse the text of a file into a tree whose top is a mapping.

    Args:
        text: the text.
        file: its name in problems.
        literal: whether `$` means nothing in it, as in a manifest.

    Raises:
        InputError: with every problem found. Broken syntax ends the search.
    """
    return _Reader(text, file, literal=literal).read()


class _TooMuchError(Exception):
    """The file is beyond what is worth reading on."""


class _Reader:
    def __init__(self, text: str, file: str, *, literal: bool) -> None:
        self._literal = literal
        self._text = text
        # Only a file with tabs needs its lines, to tell indentation from text.
        self._lines = text.splitlines() if "\t" in text else []
        self._file = file
        self._stack = Stack()
        self._documents = 0
        self._nodes = 0
        self._problems: list[Problem] = []

    def read(self) -> Node:
        top = None
        try:
            for event in _events(self._text):
                self._take(event)
            top = self._checked_top()
        except yaml.MarkedYAMLError as error:
            line, message, instead = explain(error, self._text)
            self._problems.append(Problem(self._file, line, "", message, instead))
        except _TooMuchError:
            pass
        if self._problems or top is None:
            raise InputError(capped(self._problems))
        return top

    def _take(self, event: _Event) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._stop(event, "holds a second document", "put it into a file of its own")
        elif isinstance(event, yaml.CollectionEndEvent):
            self._stack.close()
        elif isinstance(event, yaml.NodeEvent):
            self._check_node(event)
            self._take_node(event)

    def _take_node(self, event: _Event) -> None:
        if isinstance(event, yaml.CollectionStartEvent):
            self._open(event)
        elif isinstance(event, yaml.AliasEvent):
            self._take_alias(event)
        elif self._stack.expects_key:
            self._take_key(event)
        else:
            self._take_scalar(event)

    def _open(self, event: _Event) -> None:
        if self._stack.depth == _DEEPEST:
            self._stop(event, f"is nested more than {_DEEPEST} levels deep", "write it flatter")
        if self._stack.expects_key:
            self._report(event, "has a list or a mapping as a key", "write text before the colon")
        self._stack.open({} if isinstance(event, yaml.MappingStartEvent) else [], self._position(event))

    def _take_alias(self, event: _Event) -> None:
        if self._stack.expects_key:
            self._stack.key(None, self._position(event))
        else:
            self._stack.scalar(None, self._position(event), None)

    def _take_key(self, event: _Event) -> None:
        key = _value(event)
        usable = self._check_key(event, key)
        self._stack.key(key if usable and isinstance(key, str) else None, self._position(event))

    def _take_scalar(self, event: _Event) -> None:
        value = _value(event)
        if isinstance(value, str):
            self._check_text(event, value)
        elif isinstance(value, float) and not math.isfinite(value):
            self._report(
                event,
                f"is {event.value}, which JSON does not know",
                "write a finite number, or put it in quotes",
            )
        self._stack.scalar(value, self._position(event), None if isinstance(value, str) else event.value)

    def _check_node(self, event: _Event) -> None:
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            self._stop(event, f"holds more than {_MOST_NODES} values", f"split it; {_SHARE}")
        if isinstance(event, yaml.AliasEvent):
            self._report(
                event, f"uses the alias {shown(f'*{event.anchor}')}", f"write the value out, or {_SHARE}"
            )
            return
        if event.anchor is not None:
            self._report(event, f"sets the anchor {shown(f'&{event.anchor}')}", f"take it away; {_SHARE}")
        if event.tag is not None:
            self._report(
                event,
                f"has the tag {shown(_spelled(event.tag))}",
                "write the plain value, in quotes if it is text",
            )
        if self._lines:
            before = self._lines[event.start_mark.line : event.start_mark.line + 1]
            indentation = before[0][: event.start_mark.column] if before else ""
            if "\t" in indentation and indentation.isspace():
                self._report(event, *USE_SPACES)

    def _check_key(self, event: _Event, key: Scalar) -> bool:
        before = self._stack.sibling(key) if isinstance(key, str) else None
        if key is None:
            self._report(
                event, "has no key before the colon", "write one, in quotes if it is a word such as null"
            )
        elif not isinstance(key, str):
            self._report(
                event,
                f"has the key {event.value}, which YAML reads as {described(key)}",
                f'write it in quotes: "{event.value}"',
            )
        elif key == "<<" and event.implicit[0]:
            self._report(event, "merges with <<", f"take it away; {_SHARE}")
        elif before is not None:
            first = before.position.line
            message = f"is set on line {first} and again on line {event.start_mark.line + 1}"
            self._report(event, message, "keep one of the two", (key,))
        else:
            self._check_hidden(event, key)
            return True
        return False

    def _check_text(self, event: _Event, text: str) -> None:
        self._check_hidden(event, text)
        variable = _VARIABLE.search(text)
        if variable and not self._literal and _PASSED_ON.isdisjoint(self._stack.path()):
            self._report(
                event, f"holds the variable {shown(variable[0])}; nothing is expanded", "write the value"
            )

    def _check_hidden(self, event: _Event, text: str) -> None:
        found = HIDDEN.search(text)
        if found:
            self._report(
                event, f"holds the character {hidden_name(found[0])}, which no editor shows", "delete it"
            )

    def _checked_top(self) -> Node | None:
        top = self._stack.top
        if top is None or top.value is None:
            self._problems.append(Problem(self._file, None, "", "is empty", "write at least one field"))
        elif not isinstance(top.value, dict):
            what = described([] if isinstance(top.value, list) else top.value, top.literal)
            message = f"must be a mapping at the top, is {what}"
            self._problems.append(
                Problem(self._file, top.position.line, "", message, "write `field: value` lines")
            )
        return top

    def _report(self, event: _Event, message: str, instead: str, below: ValuePath = ()) -> None:
        line = event.start_mark.line + 1
        self._problems.append(Problem(self._file, line, dotted(self._stack.path() + below), message, instead))

    def _stop(self, event: _Event, message: str, instead: str) -> NoReturn:
        self._report(event, message, instead)
        raise _TooMuchError

    def _position(self, event: _Event) -> Position:
        return Position(self._file, event.start_mark.line + 1, event.start_mark.column + 1)


def _events(text: str) -> Iterator[_Event]:
    # The stub says that this returns nothing.
    return cast("Iterator[_Event]", yaml.parse(text, Loader=yaml.CSafeLoader))


def _value(event: _Event) -> Scalar:
    text = cast("str", event.value)
    return plain(text) if event.implicit[0] else text


def _spelled(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!", 1)
