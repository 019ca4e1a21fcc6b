"""Files that build on other files.

A file lists its bases under `extends:`, as paths relative to itself. Bases are merged in order, and
the file itself wins. Mappings merge key by key, and `null` takes a key away. Lists replace lists,
except where all entries of both are mappings with a `name`: those merge name by name. Every value
keeps the file and line it was written on.
"""

from dataclasses import replace
from pathlib import Path, PurePosixPath
from posixpath import normpath

from llmd_constructs.config._node import Node
from llmd_constructs.config.errors import InputError, Problem, ValuePath, described, shown
from llmd_constructs.config.source import Source, read_source

EXTENDS = "extends"
"""The key under which a file lists its bases."""

# Far beyond what people can follow, and low enough that nothing can take for ever.
_MOST_BASES = 20
# A null in these belongs to Kubernetes: a merge patch takes a key away with it.
_AS_WRITTEN = frozenset({"patch", "manifests"})
_LONGEST_CHAIN = 20


def resolve_extends(path: Path, root: Path) -> Source:
    """Read a file of the repository at `root`, merged over all its bases.

    Raises:
        InputError: with every problem of the file and of its bases.
    """
    resolver = _Resolver(root)
    source = resolver.resolve(path, ())
    if resolver.problems:
        raise InputError(resolver.problems)
    return source


def merged(base: Node | None, overlay: Node) -> Node:
    """The overlay laid over the base; what is null in the overlay is marked as removed."""
    if isinstance(overlay.value, dict):
        below = base.value if base and isinstance(base.value, dict) else {}
        over = {
            key: child if key in _AS_WRITTEN else _merged_child(below.get(key), child)
            for key, child in overlay.value.items()
        }
        return replace(overlay, value={**below, **over})
    if isinstance(overlay.value, list):
        below = base.value if base and isinstance(base.value, list) else []
        if below and overlay.value and all(_name(entry) for entry in (*below, *overlay.value)):
            return replace(overlay, value=_merged_by_name(below, overlay.value))
        return replace(overlay, value=[merged(None, entry) for entry in overlay.value])
    return overlay


def _merged_child(base: Node | None, child: Node) -> Node:
    return replace(child, removed=True) if child.value is None else merged(base, child)


def _merged_by_name(below: list[Node], over: list[Node]) -> list[Node]:
    result = list(below)
    # A name that stands twice in one list stays twice: the model says so, merging would hide it.
    free = {_name(entry): index for index, entry in reversed(list(enumerate(below)))}
    for entry in over:
        index = free.pop(_name(entry), None)
        if index is None:
            result.append(merged(None, entry))
        else:
            result[index] = merged(result[index], entry)
    return result


def _name(entry: Node) -> str:
    name = entry.child("name")
    return name.value if name and isinstance(name.value, str) else ""


class _Resolver:
    def __init__(self, root: Path) -> None:
        self._root = root
        # Each file is read once, so that bases shared by bases cannot multiply.
        self._known: dict[str, Source | InputError] = {}
        self.problems: list[Problem] = []

    def resolve(self, path: Path, chain: tuple[str, ...]) -> Source:
        """The file merged over its bases; `chain` are the files that led here, each extending the next.

        Raises:
            InputError: the file itself cannot be read. Problems with its bases are noted instead.
        """
        source = read_source(path, self._root)
        extends = source.root.child(EXTENDS)
        if extends is None:
            return source
        bases = self._bases(source, extends, (*chain, source.file))
        root: Node | None = None
        for node in (*(base.root for base in bases), _without_extends(source.root)):
            root = merged(root, node)
        files = (*(file for base in bases for file in base.files), source.file)
        return Source(source.file, tuple(dict.fromkeys(files)), root or source.root)

    def _bases(self, source: Source, extends: Node, chain: tuple[str, ...]) -> list[Source]:
        single = not isinstance(extends.value, list)
        entries = [extends] if not isinstance(extends.value, list) else extends.value
        if len(entries) > _MOST_BASES:
            self._note(
                source, (EXTENDS,), f"lists more than {_MOST_BASES} files", "merge some of them by hand"
            )
            return []
        places: list[ValuePath] = [
            (EXTENDS,) if single else (EXTENDS, index) for index in range(len(entries))
        ]
        bases = [
            self._base(source, place, entry, chain) for place, entry in zip(places, entries, strict=True)
        ]
        return [base for base in bases if base]

    def _base(self, source: Source, place: ValuePath, entry: Node, chain: tuple[str, ...]) -> Source | None:
        if not isinstance(entry.value, str) or not entry.value:
            what = described(entry.value or None, entry.literal)
            self._note(
                source, place, f"must be the path of a file, is {what}", "write it relative to this file"
            )
            return None
        name = entry.value
        file = normpath(str(PurePosixPath(source.file).parent / name))
        wrong = _refusal(name, file, chain)
        if wrong:
            self._note(source, place, *wrong)
            return None
        outcome = self._outcome(file, chain)
        if isinstance(outcome, InputError):
            self._blame(source, place, name, file, outcome)
            return None
        return outcome

    def _outcome(self, file: str, chain: tuple[str, ...]) -> Source | InputError:
        if file not in self._known:
            try:
                self._known[file] = self.resolve(self._root / file, chain)
            except InputError as error:
                self._known[file] = error
        return self._known[file]

    def _blame(self, source: Source, place: ValuePath, name: str, file: str, error: InputError) -> None:
        for problem in error.problems:
            if problem.file == file and problem.line is None:
                # What has no line of its own, a missing file above all, is best seen where it is named.
                self._note(source, place, f"{shown(name)} {problem.message}", problem.instead)
            else:
                self.problems.append(problem)

    def _note(self, source: Source, place: ValuePath, message: str, instead: str) -> None:
        self.problems.append(source.problem(place, message, instead))


def _refusal(name: str, file: str, chain: tuple[str, ...]) -> tuple[str, str] | None:
    """Why a base cannot be taken, and what to do instead; `None` if it can."""
    if name.startswith(("/", "~")):
        return f"{shown(name)} is not a relative path", "write it relative to this file"
    if file == ".." or file.startswith("../"):
        return f"{shown(name)} lies outside the repository", "put the file inside"
    if file in chain:
        circle = " -> ".join((*chain[chain.index(file) :], file))
        return f"files extend each other in a circle: {circle}", "take one of them out"
    if len(chain) >= _LONGEST_CHAIN:
        return f"is the end of a chain of more than {_LONGEST_CHAIN} files", "merge some of them by hand"
    return None


def _without_extends(root: Node) -> Node:
    parts = root.value if isinstance(root.value, dict) else {}
    return replace(root, value={key: child for key, child in parts.items() if key != EXTENDS})
