"""A disk that refuses leaves the generated folders as they were."""

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from llmd_constructs.emit.tree import GENERATED_HEADER, WriteFailed, plan_changes, write_tree

FOLDERS = ["dist", "argocd"]


def text(body: str = "a: 1") -> str:
    """The text of a generated file."""
    return f"{GENERATED_HEADER} From environments/prod.yaml.\n{body}\n"


BEFORE = {"dist/prod/a.yaml": text("a"), "dist/prod/b.yaml": text("b"), "argocd/prod/a.yaml": text("app")}
AFTER = {"dist/prod/a.yaml": text("new"), "dist/test/c.yaml": text("c"), "argocd/prod/a.yaml": text("app")}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository after a first run."""
    write_tree(tmp_path, BEFORE, FOLDERS)
    return tmp_path


def snapshot(root: Path) -> dict[str, tuple[bytes, int, int] | None]:
    """Everything below a folder: contents, times and inodes, so that even an equal rewrite shows."""
    return {
        str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino)
        if path.is_file() and not path.is_symlink()
        else None
        for path in root.rglob("*")
    }


def contents(root: Path) -> dict[str, str]:
    """The text of every file below a folder."""
    return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}


def failing(number: int, path: str | None = None) -> Callable[..., Any]:
    """A system call that fails."""

    def fail(*_args: object, **_kwargs: object) -> None:
        raise OSError(number, os.strerror(number), path)

    return fail


def failing_at(call: Callable[..., Any], turn: int, number: int) -> Callable[..., Any]:
    """A system call that works, but fails at one turn."""
    turns = iter(range(1000))

    def maybe(*args: Any, **kwargs: Any) -> Any:
        if next(turns) == turn:
            raise OSError(number, os.strerror(number), *args[:1])
        return call(*args, **kwargs)

    return maybe


@pytest.mark.parametrize("turn", [0, 1])
def test_a_full_disk_changes_nothing(root: Path, monkeypatch: pytest.MonkeyPatch, turn: int) -> None:
    """The disk fills up while files are staged: one line, and the folders are untouched."""
    before = snapshot(root)
    monkeypatch.setattr(os, "write", failing_at(os.write, turn, errno.ENOSPC))
    with pytest.raises(WriteFailed, match=r"^cannot write: the disk is full; nothing was changed$"):
        write_tree(root, AFTER, FOLDERS)
    assert snapshot(root) == before


def test_a_disk_that_is_really_full_changes_nothing(tmp_path: Path) -> None:
    """The same on a file system of 64 KiB."""
    script = """
import sys
from pathlib import Path
from llmd_constructs.emit.tree import GENERATED_HEADER, WriteFailed, write_tree
root, header = Path(sys.argv[1]), GENERATED_HEADER + "\\n"
write_tree(root, {"dist/a": header}, ["dist"])
try:
    write_tree(root, {"dist/b": header + "#" * 40_000, "dist/c": header + "#" * 40_000}, ["dist"])
except WriteFailed as error:
    print(error)
print(sorted(str(path.relative_to(root)) for path in root.rglob("*")))
"""
    mount = 'mount -t tmpfs -o size=64k tmpfs "$1" && shift && exec "$@"'
    inside = ["unshare", "--mount", "--user", "--map-root-user", "sh", "-c", mount, "sh", str(tmp_path)]
    if (
        not shutil.which("unshare")
        or subprocess.run([*inside, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("this system lets nobody mount a small file system")
    run = subprocess.run(
        [*inside, sys.executable, "-c", script, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "cannot write: the disk is full; nothing was changed\n['dist', 'dist/a']\n"


def test_a_read_only_disk_changes_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No staging folder can be made: one line that says why."""
    before = snapshot(root)
    monkeypatch.setattr(tempfile, "mkdtemp", failing(errno.EROFS, f"{root}/.llmd-staging-1"))
    with pytest.raises(WriteFailed) as caught:
        write_tree(root, AFTER, FOLDERS)
    assert str(caught.value) == "cannot write: the file system is read-only; nothing was changed"
    assert snapshot(root) == before


def test_a_file_that_cannot_be_read_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has the path below the repository."""
    path = f"{root}/dist/prod/a.yaml"
    monkeypatch.setattr(os, "read", failing(errno.EACCES, path))
    for function in (write_tree, plan_changes):
        with pytest.raises(WriteFailed, match=r"^dist/prod/a\.yaml: permission denied; nothing"):
            function(root, AFTER, FOLDERS)


@pytest.mark.parametrize("turn", range(4))
def test_a_failure_between_two_files_is_undone(
    root: Path, monkeypatch: pytest.MonkeyPatch, turn: int
) -> None:
    """Whichever move fails, those before it are taken back."""
    (root / "dist/old").mkdir()
    before = snapshot(root)
    monkeypatch.setattr(os, "replace", failing_at(os.replace, turn, errno.EPERM))
    with pytest.raises(WriteFailed, match=r"permission denied; nothing was changed$"):
        write_tree(root, AFTER, FOLDERS)
    assert snapshot(root) == before


@pytest.mark.parametrize(("turn", "named"), [(0, "cannot write"), (1, "cannot write"), (4, "dist/test")])
def test_a_failure_to_make_a_folder_changes_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch, turn: int, named: str
) -> None:
    """A folder of the output that cannot be made is named, although it is first made elsewhere."""
    before = snapshot(root)
    monkeypatch.setattr(os, "mkdir", failing_at(os.mkdir, turn, errno.ENOSPC))
    with pytest.raises(WriteFailed, match=rf"^{named}: the disk is full; nothing was changed$"):
        write_tree(root, AFTER, FOLDERS)
    assert snapshot(root) == before


def test_a_name_that_is_too_long_is_named(root: Path) -> None:
    """The message has the path that the file would have had."""
    before = snapshot(root)
    path = f"dist/test/{'a' * 300}.yaml"
    with pytest.raises(WriteFailed, match=rf"^{path}: the file name is too long; nothing was changed$"):
        write_tree(root, {**AFTER, path: text()}, FOLDERS)
    assert snapshot(root) == before


def test_a_failure_that_cannot_be_undone_is_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When even moving back fails, the message says that files were replaced."""
    replace, turns = os.replace, iter(range(1000))

    def only_once(source: str, target: str) -> None:
        if next(turns):
            raise OSError(errno.EIO, "Input/output error", source)
        replace(source, target)

    monkeypatch.setattr(os, "replace", only_once)
    with pytest.raises(WriteFailed, match=r"Input/output error; some files were replaced; run again$"):
        write_tree(root, AFTER, FOLDERS)


def test_two_runs_do_not_mix(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second run that starts while one is writing is refused."""
    mkdtemp = cast("Callable[..., str]", tempfile.mkdtemp)
    refusals: list[str] = []

    def second_run(**kwargs: Any) -> str:
        try:
            write_tree(root, BEFORE, FOLDERS)
        except WriteFailed as error:
            refusals.append(str(error))
        return mkdtemp(**kwargs)

    monkeypatch.setattr(tempfile, "mkdtemp", second_run)
    write_tree(root, AFTER, FOLDERS)
    assert refusals == ["another run of llmd is writing here; nothing was changed"]
    assert contents(root) == AFTER


def test_a_repository_that_is_not_there_is_told(tmp_path: Path) -> None:
    """A wrong root is one line as well."""
    with pytest.raises(WriteFailed, match="No such file or directory"):
        write_tree(tmp_path / "missing", AFTER, FOLDERS)
