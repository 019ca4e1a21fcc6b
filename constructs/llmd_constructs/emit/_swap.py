"""Put new files in place of old ones, all or none."""
# One Path per file would cost more than writing it.
# ruff: noqa: PTH102, PTH103, PTH105, PTH106, PTH112

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count

from llmd_constructs.emit._signals import held_signals
from llmd_constructs.emit._survey import Survey
from llmd_constructs.emit.errors import NEW, STAGING, WriteFailed, reason_of


@contextmanager
def only_writer(root: str) -> Generator[None]:
    """Be the one run that writes below `root`; remove what a killed run left behind.

    Raises:
        WriteFailed: Another run is writing.
    """
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _lock(descriptor)
        with os.scandir(root) as entries:
            stale = [entry.path for entry in entries if entry.name.startswith(STAGING)]
        for path in stale:
            shutil.rmtree(path, ignore_errors=True)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise WriteFailed("another run of llmd is writing here") from None
    except OSError:
        return  # some network file systems have no locks; the run goes on without


def swap(root: str, survey: Survey) -> None:
    """Stage all new files beside the folders, then move old ones out and new ones in.

    A failure at any point leaves the folders as they were. SIGINT, SIGTERM and SIGHUP end the run while it
    stages, and wait until the end once files move.

    Raises:
        WriteFailed: The run was interrupted while it staged, or a failure could not be undone.
        OSError: The disk refused; nothing was changed.
    """
    with held_signals() as pending, _staging(root) as staging:
        _stage(f"{staging}/{NEW}", survey.content, pending)
        undo: list[Callable[[], None]] = []
        try:
            _commit(root, staging, survey, undo)
        except BaseException as error:
            _roll_back(undo, error, root)
            raise


@contextmanager
def _staging(root: str) -> Generator[str]:
    """A temporary folder on the same file system."""
    path = tempfile.mkdtemp(prefix=STAGING, dir=root)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _stage(folder: str, content: Mapping[str, bytes], pending: Sequence[int]) -> None:
    """Write every new file to the path below `folder` that it will have below the root."""
    made: set[str] = set()
    for path, data in content.items():
        if pending:
            raise WriteFailed("the run was interrupted")
        parent = path.rpartition("/")[0]
        if parent not in made:
            os.makedirs(f"{folder}/{parent}", exist_ok=True)
            made.add(parent)
        _write(f"{folder}/{path}", data)


def _write(path: str, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    finally:
        os.close(descriptor)


def _commit(root: str, staging: str, survey: Survey, undo: list[Callable[[], None]]) -> None:
    """Move everything to its place; `undo` grows with every step."""
    numbers = count()

    def move(source: str, target: str) -> None:
        os.replace(source, target)
        undo.append(lambda: os.replace(target, source))

    def move_out(path: str) -> None:
        move(f"{root}/{path}", f"{staging}/old-{next(numbers)}")

    def move_in(path: str) -> None:
        move(f"{staging}/{NEW}/{path}", f"{root}/{path}")

    # Old files go first: on macOS a new name that differs by case is the same file.
    for path in survey.changes.removed:
        move_out(path)
    for folder in survey.empty:
        _remove_folder(f"{root}/{folder}", undo)
    for path in survey.changes.changed:
        move_out(path)
        move_in(path)
    for path in _pieces(root, survey.changes.added):
        move_in(path)


def _pieces(root: str, added: Sequence[str]) -> list[str]:
    """What to move so that the added files stand: the topmost folder that does not stand yet, or the file itself."""
    pieces = {"": ""}  # of every folder; empty for one that stands

    def piece_of(folder: str) -> str:
        if folder not in pieces:
            above = piece_of(folder.rpartition("/")[0])
            pieces[folder] = above or ("" if os.path.isdir(f"{root}/{folder}") else folder)
        return pieces[folder]

    return list(dict.fromkeys(piece_of(path.rpartition("/")[0]) or path for path in added))


def _remove_folder(path: str, undo: list[Callable[[], None]]) -> None:
    os.rmdir(path)
    undo.append(lambda: os.mkdir(path))


def _roll_back(undo: list[Callable[[], None]], error: BaseException, root: str) -> None:
    try:
        while undo:
            undo.pop()()
    except OSError:
        reason = reason_of(error, root) if isinstance(error, OSError) else str(error)
        raise WriteFailed(reason, complete=False) from error
