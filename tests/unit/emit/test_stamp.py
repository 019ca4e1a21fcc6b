"""The stamp says "current" only where every input and output has the bytes it had."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from llmd_constructs.emit import stamp
from llmd_constructs.emit.stamp import STAMP, digest, is_current, read_stamp, write_stamp

INPUTS = [Path("environments"), Path("main.py"), Path("missing.txt")]
OUTPUTS = [Path("dist")]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with a stamp."""
    for path, text in {
        "environments/prod.yaml": "a",
        "environments/base/all.yaml": "bc",
        "main.py": "d",
        "dist/prod/a.yaml": "e",
        "dist/prod/b.yaml": "f",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert write_stamp(tmp_path, INPUTS, OUTPUTS, before=digest(INPUTS, tmp_path))
    return tmp_path


def same_size_same_time(path: Path) -> None:
    """Change one byte the way no time stamp and no size can show."""
    times = path.stat()
    path.write_text(path.read_text()[:-1] + "z")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


CHANGES: dict[str, Callable[[Path], object]] = {
    "an input changes": lambda root: same_size_same_time(root / "environments/prod.yaml"),
    "a single input file changes": lambda root: same_size_same_time(root / "main.py"),
    "an output changes": lambda root: same_size_same_time(root / "dist/prod/a.yaml"),
    "an input is added": lambda root: (root / "environments/new.yaml").touch(),
    "an input in a new folder is added": lambda root: (
        (root / "environments/x.yaml").mkdir() or (root / "environments/x.yaml/y").touch()
    ),
    "an output is added": lambda root: (root / "dist/new.yaml").touch(),
    "an input is removed": lambda root: (root / "environments/prod.yaml").unlink(),
    "an output is removed": lambda root: (root / "dist/prod/b.yaml").unlink(),
    "all outputs are removed": lambda root: (root / "dist").rename(root / "gone"),
    "an input is renamed": lambda root: (root / "main.py").rename(root / "main2.py"),
    "an input is renamed in its folder": lambda root: (root / "environments/prod.yaml").rename(
        root / "environments/prod2.yaml"
    ),
    "two inputs swap their names": lambda root: [
        (root / "environments/prod.yaml").write_text("bc"),
        (root / "environments/base/all.yaml").write_text("a"),
    ],
    "a byte moves from one file to the next": lambda root: [
        (root / "environments/base/all.yaml").write_text("b"),
        (root / "environments/prod.yaml").write_text("ca"),
    ],
    "an input that was missing appears": lambda root: (root / "missing.txt").touch(),
    "an input becomes a link": lambda root: [
        (root / "main.py").rename(root / "elsewhere"),
        (root / "main.py").symlink_to(root / "elsewhere"),
    ],
    "an output becomes a link": lambda root: [
        (root / "dist").rename(root / "elsewhere"),
        (root / "dist").symlink_to(root / "elsewhere"),
    ],
    "an output becomes a pipe": lambda root: [
        (root / "dist/prod/b.yaml").unlink(),
        os.mkfifo(root / "dist/prod/b.yaml"),
    ],
    "the stamp is removed": lambda root: (root / STAMP).unlink(),
}


def test_an_unchanged_repository_is_current(root: Path) -> None:
    """Nothing changed, so nothing has to be done."""
    assert is_current(root, INPUTS, OUTPUTS)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_any_change_is_noticed(root: Path, change: Callable[[Path], object]) -> None:
    """No change to inputs or outputs goes unseen."""
    change(root)
    assert not is_current(root, INPUTS, OUTPUTS)


def test_caches_and_touched_files_do_not_count(root: Path) -> None:
    """Compiled Python beside the sources, and times, are no change."""
    (root / "environments/__pycache__").mkdir()
    (root / "environments/__pycache__/x.pyc").touch()
    os.utime(root / "main.py", (0, 0))
    assert is_current(root, INPUTS, OUTPUTS)


@pytest.mark.parametrize("others", [INPUTS[:-1], [*INPUTS, Path("more.txt")], []])
def test_other_inputs_are_another_question(root: Path, others: list[Path]) -> None:
    """A stamp answers only for the paths it was made for."""
    assert not is_current(root, others, OUTPUTS)


@pytest.mark.parametrize("key", ["inputs", "outputs", "python", "format"])
def test_every_entry_of_the_stamp_counts(root: Path, key: str) -> None:
    """Another Python, or a stamp of another layout, is not current."""
    path = root / STAMP
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: "other"}))
    assert not is_current(root, INPUTS, OUTPUTS)


def test_the_stamp_holds_the_version_of_python(root: Path) -> None:
    """The interpreter is an input like any other."""
    found = read_stamp(root)
    assert found
    assert sys.version in found.python


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"null", b"{}", b'{"inputs": 1}', b"\xff", b"[" * 100_000, b"\x00" * 64]
)
def test_a_broken_stamp_is_no_stamp(root: Path, text: bytes) -> None:
    """Whatever the file holds, the answer is no and never an error."""
    (root / STAMP).write_bytes(text)
    assert read_stamp(root) is None
    assert not is_current(root, INPUTS, OUTPUTS)


@pytest.mark.parametrize("key", ["inputs", "outputs", "python", "format"])
def test_a_stamp_with_a_missing_entry_is_no_stamp(root: Path, key: str) -> None:
    """No entry has a default."""
    path = root / STAMP
    path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k != key}))
    assert read_stamp(root) is None


def test_a_stamp_that_is_a_folder_is_no_stamp(root: Path) -> None:
    """Neither reading nor writing fails over it."""
    (root / STAMP).unlink()
    (root / STAMP).mkdir()
    assert read_stamp(root) is None
    assert not write_stamp(root, INPUTS, OUTPUTS, before=digest(INPUTS, root))


def test_a_disk_that_refuses_means_no_stamp(root: Path) -> None:
    """A stamp saves time; failing to write one is no failure of the run."""
    (root / STAMP).unlink()
    (root / STAMP.parent).rmdir()
    (root / STAMP.parent).touch()
    assert not write_stamp(root, INPUTS, OUTPUTS, before=digest(INPUTS, root))


def test_an_input_that_changes_during_the_run_means_no_stamp(root: Path) -> None:
    """The outputs may come from the old bytes, so the new ones must not be taken as done."""
    before = digest(INPUTS, root)
    (root / "main.py").write_text("edited meanwhile")
    assert not write_stamp(root, INPUTS, OUTPUTS, before=before)
    assert not is_current(root, INPUTS, OUTPUTS)


def test_a_file_that_cannot_be_read_is_not_current(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In doubt the run does its work."""

    def refuse(_path: str) -> bytes:
        raise PermissionError

    monkeypatch.setattr(stamp, "_content", refuse)
    assert not is_current(root, INPUTS, OUTPUTS)


class TestDigest:
    """The digest of files."""

    def test_order_and_repetition_do_not_matter(self, root: Path) -> None:
        """Each file counts once, by its name."""
        assert digest([*reversed(INPUTS), Path("environments/prod.yaml")], root) == digest(INPUTS, root)

    def test_absolute_paths_are_named_from_the_root(self, root: Path) -> None:
        """The same file has the same name, however it is given."""
        assert digest([root / path for path in INPUTS], root) == digest(INPUTS, root)

    def test_the_place_of_the_repository_does_not_matter(self, root: Path, tmp_path: Path) -> None:
        """A repository that moves keeps its digest."""
        before = digest(INPUTS, root)
        target = tmp_path.parent / f"{tmp_path.name}-moved"
        root.rename(target)
        assert digest(INPUTS, target) == before

    def test_files_outside_of_the_root_count(self, root: Path) -> None:
        """The package may be installed elsewhere."""
        before = digest([root / "main.py"], root / "dist")
        same_size_same_time(root / "main.py")
        assert digest([root / "main.py"], root / "dist") != before

    def test_a_file_cannot_spell_out_its_neighbour(self, root: Path) -> None:
        """Two files differ from one that holds the text of both, with the name of the second in between."""
        folder = root / "environments/base"
        (folder / "a").write_text("1")
        (folder / "b").write_text("2")
        both = digest([folder / "a", folder / "b"], folder)
        for between in ("1 b\n", "1 b\n1\n"):
            (folder / "a").write_text(f"1{between}2")
            assert digest([folder / "a"], folder) != both

    @pytest.mark.parametrize("target", ["prod.yaml", "base", "nowhere"])
    def test_links_are_refused(self, root: Path, target: str) -> None:
        """A link to a file, to a folder or to nothing is an error that names it."""
        (root / "environments/link").symlink_to(target)
        with pytest.raises(ValueError, match=r"^environments/link is a link or no file"):
            digest(INPUTS, root)

    def test_pipes_are_refused(self, root: Path) -> None:
        """Nothing waits for what never comes."""
        os.mkfifo(root / "environments/pipe")
        with pytest.raises(ValueError, match=r"^environments/pipe is a link or no file"):
            digest(INPUTS, root)


def test_asking_is_cheap() -> None:
    """Neither jsii nor pydantic nor PyYAML is imported for the question."""
    script = "import sys, llmd_constructs.emit.stamp; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "llmd_constructs.emit.stamp" in modules
    assert not {"jsii", "cdk8s", "constructs", "pydantic", "yaml", "rich", "click"} & set(modules)
