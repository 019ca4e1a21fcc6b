"""Put new files in place of old ones, all or none."""
# One Path per file would cost more than writing it.
# ruff: noqa: PTH102, PTH105, PTH106, PTH112

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager

from llmd_constructs.emit._signals import held_signals
from llmd_constructs.emit._survey import Survey
from llmd_constructs.emit.errors import STAGING, WriteFailed, reason_of


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
        staged = _stage(staging, survey.content, pending)
        undo: list[Callable[[], None]] = []
        try:
            _commit(root, staging, survey, staged, undo)
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


def _stage(staging: str, content: Mapping[str, bytes], pending: Sequence[int]) -> dict[str, str]:
    """Write every new file; returns where each of them waits."""
    staged: dict[str, str] = {}
    for number, (path, data) in enumerate(content.items()):
        if pending:
            raise WriteFailed("the run was interrupted")
        staged[path] = f"{staging}/new-{number}"
        _write(staged[path], data)
    return staged


def _write(path: str, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    finally:
        os.close(descriptor)


def _commit(
    root: str, staging: str, survey: Survey, staged: Mapping[str, str], undo: list[Callable[[], None]]
) -> None:
    """Move everything to its place; `undo` grows with every step."""

    def move(source: str, target: str) -> None:
        os.replace(source, target)
        undo.append(lambda: os.replace(target, source))

    # Old files go first: on macOS a new name that differs by case is the same file.
    for number, path in enumerate(survey.changes.removed):
        move(f"{root}/{path}", f"{staging}/old-{number}")
    for folder in survey.empty:
        _remove_folder(f"{root}/{folder}", undo)
    for path in survey.changes.changed:
        move(f"{root}/{path}", f"{staged[path]}-old")
        move(staged[path], f"{root}/{path}")
    made: set[str] = set()
    for path in survey.changes.added:
        _make_folder(root, path.rpartition("/")[0], made, undo)
        move(staged[path], f"{root}/{path}")


def _remove_folder(path: str, undo: list[Callable[[], None]]) -> None:
    os.rmdir(path)
    undo.append(lambda: os.mkdir(path))


def _make_folder(root: str, folder: str, made: set[str], undo: list[Callable[[], None]]) -> None:
    if not folder or folder in made:
        return
    made.add(folder)
    _make_folder(root, folder.rpartition("/")[0], made, undo)
    path = f"{root}/{folder}"
    if not os.path.isdir(path):
        os.mkdir(path)
        undo.append(lambda: os.rmdir(path))


def _roll_back(undo: list[Callable[[], None]], error: BaseException, root: str) -> None:
    try:
        while undo:
            undo.pop()()
    except OSError:
        reason = reason_of(error, root) if isinstance(error, OSError) else str(error)
        raise WriteFailed(reason, complete=False) from error
