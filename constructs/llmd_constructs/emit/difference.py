"""How the committed generated folders differ from fresh ones, for people to read."""

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path

from llmd_constructs.emit.errors import printable
from llmd_constructs.emit.tree import Changes, Tree, plan_changes

_NAMES = 20
"""How many added or removed files are named one by one."""


def unified(root: Path, files: Tree, folders: Sequence[str], *, max_lines: int = 400) -> str:
    """Compare what is committed with what a run produces.

    Added and removed files are named; of a changed file the lines are shown.

    Args:
        root: The repository.
        files: Everything that the folders should hold.
        folders: The generated folders, relative to `root`.
        max_lines: Where the lines of changed files end; what is left out is counted.

    Returns:
        The difference, with a newline at the end; empty if there is none.

    Raises:
        OutputError: As `tree.plan_changes`.
        ValueError: As `tree.plan_changes`.
    """
    changes = plan_changes(root, files, folders)
    lines = [*_names("added", changes.added), *_names("removed", changes.removed)]
    lines += _changed(root, files, changes, max_lines)
    return "".join(f"{line}\n" for line in lines)


def _names(verb: str, paths: Sequence[str]) -> Iterator[str]:
    for path in paths[:_NAMES]:
        yield f"{verb} {printable(path)}"
    if len(paths) > _NAMES:
        yield f"… and {_count(len(paths) - _NAMES, 'more file')} {verb}"


def _changed(root: Path, files: Tree, changes: Changes, max_lines: int) -> Iterator[str]:
    left = max_lines
    for index, path in enumerate(changes.changed):
        if left <= 0:
            yield f"… and {_count(len(changes.changed) - index, 'more file')} changed"
            return
        lines = _lines_of(root / path, files[path], path)
        yield from lines[:left]
        if len(lines) > left:
            yield f"… and {_count(len(lines) - left, 'more line')} of {path}"
        left -= len(lines)


def _lines_of(committed: Path, fresh: str, path: str) -> list[str]:
    old = committed.read_bytes().decode(errors="backslashreplace")
    return list(
        difflib.unified_diff(
            _split(old), _split(fresh), f"{path} (committed)", f"{path} (fresh)", lineterm=""
        )
    )


def _split(text: str) -> list[str]:
    """Lines as a YAML reader counts them, with carriage returns made visible."""
    lines = text.replace("\r", "␍").split("\n")
    if lines[-1]:
        return [*lines, "\\ No newline at end of file"]
    return lines[:-1]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
