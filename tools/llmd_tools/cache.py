"""Where built tools, CRDs and schemas are kept, and how a folder is put there exactly once."""

import fcntl
import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from llmd_tools.errors import ToolError

KEY_LENGTH = 16
"""Hex digits of a SHA-256 that name a cached folder: short enough to read, 64 bits against a clash."""


def cache_root() -> Path:
    """The folder for everything that can be made again: `LLMD_TOOLS_CACHE`, else the user's cache folder."""
    chosen = os.environ.get("LLMD_TOOLS_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "llmd-tools"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "llmd-tools"


def key(*parts: str | bytes) -> str:
    """A short name for these inputs; other inputs, or the same ones in another order, have another name."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()[:KEY_LENGTH]


def made_once(
    folder: Path, make: Callable[[Path], None], *, waiting: Callable[[], None] | None = None
) -> Path:
    """Return `folder`, made by `make` if it is not there yet.

    `make` fills an empty folder beside the final one, which gets its name only when `make` has returned: a folder
    in the cache is always whole. A second process that wants the same folder waits for the first.

    Args:
        folder: The final place, below the cache root.
        make: Fills the folder it is given.
        waiting: Called once if another process is making this folder.

    Raises:
        ToolError: If the cache folder cannot be written.
    """
    if folder.is_dir():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(folder.parent / f".{folder.name}.lock", waiting):
            if not folder.is_dir():
                _make(folder, make)
    except OSError as error:
        raise ToolError(
            f"cannot write the cache {cache_root()}: {error.strerror or error}; "
            "make room there or name another folder in LLMD_TOOLS_CACHE"
        ) from error
    return folder


def _make(folder: Path, make: Callable[[Path], None]) -> None:
    staging = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(staging, ignore_errors=True)  # what a killed run left
    staging.mkdir()
    try:
        make(staging)
        staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def _locked(path: Path, waiting: Callable[[], None] | None) -> Generator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting:
                waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
