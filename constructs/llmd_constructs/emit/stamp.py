"""Recognise a repository in which nothing changed since the last run, without starting node.

The stamp holds a digest of everything that a run reads and one of everything that it wrote. Whole contents are
compared, never times or sizes. This module imports the standard library alone, so that the answer comes at once.
"""
# One Path per file would cost more than reading it.
# ruff: noqa: PTH100, PTH118, PTH123

import hashlib
import json
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, cast

STAMP = Path(".cdk8s/stamp.json")
"""Where the stamp lies below the repository root; git ignores it."""

_CACHE = "__pycache__"
_FORMAT = 1
_PYTHON = f"{sys.implementation.name} {sys.version}"


class Stamp(NamedTuple):
    """What a run read and wrote."""

    inputs: str
    """Digest of the inputs."""
    outputs: str
    """Digest of the outputs."""
    python: str = _PYTHON
    format: int = _FORMAT


def digest(paths: Iterable[Path], root: Path) -> str:
    """SHA-256 over the names and contents of files, in the order of their names.

    Folders are read to the bottom, without `__pycache__`. That a path does not exist is part of the digest.

    Args:
        paths: Files and folders, relative to `root` or absolute.
        root: What names are relative to.

    Raises:
        ValueError: A symbolic link, or something that is neither file nor folder, is among them.
        OSError: A file cannot be read.
    """
    base = os.path.abspath(root)
    total = hashlib.sha256()
    found = {name: address for path in paths for name, address in _walk(base, path)}
    for name, address in sorted(found.items()):
        total.update(f"{len(name)} {name}\n".encode(errors="surrogateescape"))
        total.update(_content(address))
    return total.hexdigest()


def read_stamp(root: Path) -> Stamp | None:
    """The stamp of the last run; `None` if there is none that can be read."""
    try:
        found: object = json.loads((root / STAMP).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    fields = cast("dict[str, Any]", found)
    return Stamp(**fields) if fields.keys() == set(Stamp._fields) else None


def write_stamp(root: Path, inputs: Iterable[Path], outputs: Iterable[Path], *, before: str) -> bool:
    """Remember a finished run.

    Args:
        root: The repository.
        inputs: Everything that the run read.
        outputs: Everything that the run wrote.
        before: `digest(inputs, root)` from before the run read anything.

    Returns:
        Whether a stamp was written. It is not if an input changed while the run worked, or if the disk
        refuses: then the next run does its work again.
    """
    with suppress(OSError, ValueError):
        if digest(inputs, root) != before:
            return False
        stamp = Stamp(before, digest(outputs, root))
        path = root / STAMP
        path.parent.mkdir(exist_ok=True)
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        fresh.write_text(json.dumps(stamp._asdict(), indent=2) + "\n")
        fresh.replace(path)
        return True
    return False


def is_current(root: Path, inputs: Iterable[Path], outputs: Iterable[Path]) -> bool:
    """Whether neither an input nor an output changed since the last run; in doubt, no."""
    stamp = read_stamp(root)
    if stamp is None:
        return False
    try:
        return stamp == Stamp(digest(inputs, root), digest(outputs, root))
    except (OSError, ValueError):
        return False


def _walk(base: str, path: Path) -> Iterator[tuple[str, str]]:
    """Name below `base` and address of every file at or below a path."""
    top = os.path.join(base, path)
    waiting = [(os.path.relpath(top, base), top)]
    while waiting:
        name, address = waiting.pop()
        mode = _mode(address)
        if stat.S_ISDIR(mode):
            with os.scandir(address) as entries:
                waiting += [(f"{name}/{entry.name}", entry.path) for entry in entries if entry.name != _CACHE]
        elif mode and not stat.S_ISREG(mode):
            raise ValueError(f"{name} is a link or no file; put the file itself there")
        else:
            yield name, address


def _mode(path: str) -> int:
    """Kind of file at a path, without following links; 0 if there is nothing."""
    try:
        return os.lstat(path).st_mode
    except FileNotFoundError:
        return 0


def _content(path: str) -> bytes:
    """Length and content of a file, so that two files never run together."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return b"missing\n"
    return b"%d\n%b" % (len(data), data)
