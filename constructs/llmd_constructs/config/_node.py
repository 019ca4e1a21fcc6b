"""A tree of values that remember where they were written."""

from dataclasses import dataclass

from llmd_constructs.config._scalars import Scalar
from llmd_constructs.config.errors import ValuePath

Json = dict[str, "Json"] | list["Json"] | Scalar
"""A value as JSON knows it."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a file."""

    file: str
    """Path from the root of the repository, with `/`."""
    line: int
    """Counted from 1."""
    column: int
    """Counted from 1."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value, its parts, and where it was written."""

    value: "dict[str, Node] | list[Node] | Scalar"
    position: Position
    """Of the key, where the value has one."""
    literal: str | None = None
    """What was typed, where YAML reads it as something else than text."""
    removed: bool = False
    """Taken away by `null` in a later file; kept to say where."""

    def nearest(self, path: ValuePath) -> "tuple[Node, bool]":
        """The node at `path`, or else its nearest ancestor; and whether it is the node itself."""
        node = self
        for part in path:
            child = node.child(part)
            if child is None:
                return node, False
            node = child
        return node, True

    def child(self, part: str | int) -> "Node | None":
        """The part under that key or index, if there is one."""
        if isinstance(self.value, dict):
            return self.value.get(part) if isinstance(part, str) else None
        if isinstance(self.value, list) and isinstance(part, int) and 0 <= part < len(self.value):
            return self.value[part]
        return None

    def plain(self) -> Json:
        """The values without their origin: a fresh copy."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items() if not child.removed}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value
