"""Collections that are being read, so that a tree can be built without recursion."""

from dataclasses import dataclass

from llmd_constructs.config._node import Node, Position
from llmd_constructs.config._scalars import Scalar
from llmd_constructs.config.errors import ValuePath


@dataclass(slots=True)
class _Frame:
    value: dict[str, Node] | list[Node]
    position: Position
    stands_for_key: bool
    """The collection stands where a key should be, and is dropped."""
    expects_key: bool
    key: str | None = None
    """Key of the value that comes next; `None` when the key was refused, and its value is dropped too."""
    key_position: Position | None = None


class Stack:
    """Builds a tree from its parts in the order of the text."""

    def __init__(self) -> None:
        self._frames: list[_Frame] = []
        self.top: Node | None = None
        """The finished tree."""

    @property
    def depth(self) -> int:
        """Collections that are open."""
        return len(self._frames)

    @property
    def expects_key(self) -> bool:
        """Whether the next part is a mapping's key."""
        return bool(self._frames) and self._frames[-1].expects_key

    def path(self) -> ValuePath:
        """Path of the value that comes next."""
        parts = [len(frame.value) if isinstance(frame.value, list) else frame.key for frame in self._frames]
        return tuple(part for part in parts if part is not None)

    def sibling(self, key: str) -> Node | None:
        """The value that the innermost mapping already has under that key."""
        value = self._frames[-1].value
        return value.get(key) if isinstance(value, dict) else None

    def key(self, key: str | None, position: Position) -> None:
        """Take the key of the value that comes next; `None` to have that value dropped."""
        frame = self._frames[-1]
        frame.key, frame.key_position, frame.expects_key = key, position, False

    def scalar(self, value: Scalar, position: Position, literal: str | None) -> None:
        """Take a value without parts."""
        self._add(Node(value, self._place(position), literal))

    def open(self, value: dict[str, Node] | list[Node], position: Position) -> None:
        """Begin a collection."""
        self._frames.append(_Frame(value, self._place(position), self.expects_key, isinstance(value, dict)))

    def close(self) -> None:
        """End the innermost collection."""
        frame = self._frames.pop()
        if frame.stands_for_key:
            self.key(None, frame.position)
        else:
            self._add(Node(frame.value, frame.position))

    def _place(self, position: Position) -> Position:
        """A value is found where its key is."""
        return (self._frames[-1].key_position if self._frames else None) or position

    def _add(self, node: Node) -> None:
        if not self._frames:
            self.top = node
            return
        frame = self._frames[-1]
        if isinstance(frame.value, list):
            frame.value.append(node)
            return
        if frame.key is not None:
            frame.value[frame.key] = node
        frame.key, frame.key_position, frame.expects_key = None, None, True
