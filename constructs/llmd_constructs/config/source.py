"""One YAML file as plain values that know where they were written.

The format is a deliberately small YAML: one document, text keys, no anchors, no tags, nothing
expanded. What Kubernetes would read from a value is what we read.
"""

from dataclasses import dataclass
from pathlib import Path

from llmd_constructs.config._files import label, read_text
from llmd_constructs.config._node import Json, Node, Position
from llmd_constructs.config._reader import read_tree
from llmd_constructs.config.errors import Problem, ValuePath, dotted

__all__ = ["Json", "Node", "Position", "Source", "read_source"]


@dataclass(frozen=True)
class Source:
    """A file, or several merged into one, as plain values with their origin."""

    file: str
    """The file that was asked for."""
    files: tuple[str, ...]
    """Every file that was read, bases first."""
    root: Node
    """The values as a tree."""

    @property
    def data(self) -> dict[str, Json]:
        """The values without their origin: a fresh copy."""
        data = self.root.plain()
        return data if isinstance(data, dict) else {}

    def position(self, path: ValuePath) -> Position:
        """Where the value was written: its key's place, or that of its nearest known ancestor."""
        return self.node(path).position

    def node(self, path: ValuePath) -> Node:
        """The value at `path`, or its nearest known ancestor, with the origin of all its parts."""
        return self.root.nearest(path)[0]

    def literal(self, path: ValuePath) -> str | None:
        """What was typed for a number, a boolean or a null; `None` for anything else."""
        node, exact = self.root.nearest(path)
        return node.literal if exact else None

    def problem(self, path: ValuePath, message: str, instead: str = "") -> Problem:
        """A problem with the value at `path`."""
        position = self.position(path)
        return Problem(position.file, position.line, dotted(path), message, instead)


def read_source(path: Path, root: Path) -> Source:
    """Read one file of the repository at `root`, without its bases.

    Raises:
        InputError: with every problem of the file.
    """
    file = label(path, root)
    return Source(file, (file,), read_tree(read_text(path, root), file))
