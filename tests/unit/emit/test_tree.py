"""The generated folders hold exactly what was produced; on any error they are as they were."""

import os
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest

from llmd_constructs.emit.tree import (
    GENERATED_HEADER,
    Changes,
    ClashingPaths,
    ForeignFiles,
    LinkedPaths,
    plan_changes,
    write_tree,
)

FOLDERS = ["dist", "argocd"]


def text(body: str = "a: 1") -> str:
    """The text of a generated file."""
    return f"{GENERATED_HEADER} From environments/prod.yaml.\n{body}\n"


BEFORE = {"dist/prod/a.yaml": text("a"), "dist/prod/b.yaml": text("b"), "argocd/prod/a.yaml": text("app")}
AFTER = {"dist/prod/a.yaml": text("new"), "dist/test/c.yaml": text("c"), "argocd/prod/a.yaml": text("app")}
STEPS = Changes(
    added=("dist/test/c.yaml",),
    changed=("dist/prod/a.yaml",),
    removed=("dist/prod/b.yaml",),
    unchanged=("argocd/prod/a.yaml",),
)


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


class TestWriting:
    """The folders become what was produced, with as little change as possible."""

    def test_a_first_run_adds_everything(self, tmp_path: Path) -> None:
        """Folders are made as needed, and every file is reported as added."""
        changes = write_tree(tmp_path, BEFORE, FOLDERS)
        assert changes == Changes(added=tuple(sorted(BEFORE)))
        assert contents(tmp_path) == BEFORE

    def test_the_folders_become_equal_to_what_was_produced(self, root: Path) -> None:
        """New files are added, other ones replaced, stale ones removed."""
        assert write_tree(root, AFTER, FOLDERS) == STEPS
        assert contents(root) == AFTER

    def test_a_new_folder_comes_in_one_piece(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """One move brings all that lies below it, so that nobody sees half of a new application."""
        moved: list[str] = []
        replace = os.replace

        def watched(source: str, target: str) -> None:
            moved.append(os.path.relpath(target, root))
            replace(source, target)

        monkeypatch.setattr(os, "replace", watched)
        new = {f"dist/{path}.yaml": text() for path in ("prod/c", "prod/x/d", "prod/x/y/e", "test/f/g")}
        write_tree(root, {**BEFORE, **new}, FOLDERS)
        assert sorted(moved) == ["dist/prod/c.yaml", "dist/prod/x", "dist/test"]
        assert contents(root) == {**BEFORE, **new}

    def test_planning_tells_the_same_and_writes_nothing(self, root: Path) -> None:
        """`plan_changes` foresees what `write_tree` does and leaves the disk alone."""
        before = snapshot(root)
        assert plan_changes(root, AFTER, FOLDERS) == STEPS
        assert snapshot(root) == before

    def test_equal_files_are_not_touched(self, root: Path) -> None:
        """A file whose bytes are equal keeps its inode and its time."""
        before = snapshot(root)["argocd/prod/a.yaml"]
        write_tree(root, AFTER, FOLDERS)
        assert snapshot(root)["argocd/prod/a.yaml"] == before

    def test_a_run_without_changes_needs_no_writable_disk(
        self, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nothing is staged when nothing differs."""
        monkeypatch.delattr(tempfile, "mkdtemp")
        changes = write_tree(root, BEFORE, FOLDERS)
        assert changes == Changes(unchanged=tuple(sorted(BEFORE)))
        assert not changes.differs

    @pytest.mark.parametrize("steps", [{"added": ("a",)}, {"changed": ("a",)}, {"removed": ("a",)}])
    def test_changes_differ_when_any_file_does(self, steps: dict[str, Any]) -> None:
        """`differs` is true for an added, a changed and a removed file."""
        assert Changes(**steps).differs

    def test_a_longer_file_on_disk_is_a_change(self, root: Path) -> None:
        """A committed file that begins like the fresh one and goes on is replaced."""
        path = root / "dist/prod/a.yaml"
        path.write_text(path.read_text() + "b: 2\n")
        assert write_tree(root, BEFORE, FOLDERS).changed == ("dist/prod/a.yaml",)
        assert contents(root) == BEFORE

    def test_empty_folders_are_removed_but_not_the_output_folder(self, root: Path) -> None:
        """Folders without files disappear, however deep; `dist` itself stays."""
        (root / "dist/old/older").mkdir(parents=True)
        write_tree(root, {}, ["dist"])
        assert snapshot(root / "dist") == {}
        assert (root / "argocd/prod/a.yaml").exists()

    def test_empty_folders_alone_are_removed(self, root: Path) -> None:
        """They go even when no file differs."""
        (root / "dist/old").mkdir()
        assert not write_tree(root, BEFORE, FOLDERS).differs
        assert not (root / "dist/old").exists()

    def test_other_folders_are_left_alone(self, root: Path) -> None:
        """Only the named folders are looked at."""
        (root / "environments").mkdir()
        (root / "environments/prod.yaml").write_text("cluster: {}\n")
        write_tree(root, AFTER, FOLDERS)
        assert (root / "environments/prod.yaml").read_text() == "cluster: {}\n"

    def test_one_environment_can_be_written_alone(self, root: Path) -> None:
        """An output folder may lie deeper; its siblings stay."""
        assert write_tree(root, {}, ["argocd/prod"]).removed == ("argocd/prod/a.yaml",)
        assert set(contents(root)) == {"dist/prod/a.yaml", "dist/prod/b.yaml"}

    def test_a_file_becomes_a_folder_and_back(self, root: Path) -> None:
        """Names may change their kind between runs."""
        as_file = {"dist/x": text()}
        as_folder = {"dist/x/y/z.yaml": text()}
        for files in (as_file, as_folder, as_file):
            write_tree(root, files, ["dist"])
            assert contents(root / "dist") == {path.removeprefix("dist/"): text() for path in files}

    def test_files_are_readable_by_others(self, root: Path) -> None:
        """New files follow the umask rather than the private staging folder."""
        umask = os.umask(0)
        os.umask(umask)
        assert (root / "dist/prod/a.yaml").stat().st_mode & 0o777 == 0o666 & ~umask

    def test_short_writes_are_completed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A system that takes a few bytes at a time still gets them all."""
        write = os.write

        def three_bytes(file: int, data: bytes) -> int:
            return write(file, bytes(data)[:3])

        monkeypatch.setattr(os, "write", three_bytes)
        write_tree(tmp_path, BEFORE, FOLDERS)
        assert contents(tmp_path) == BEFORE


class TestForeignFiles:
    """What llmd did not generate is never touched."""

    def test_foreign_files_stop_the_run(self, root: Path) -> None:
        """Files that nobody generated are all named, and nothing is changed."""
        (root / "dist/prod/mine.yaml").write_text("kind: ConfigMap\n")
        (root / "dist/notes.txt").write_text("")
        before = snapshot(root)
        with pytest.raises(ForeignFiles) as caught:
            write_tree(root, AFTER, FOLDERS)
        assert caught.value.paths == ("dist/notes.txt", "dist/prod/mine.yaml")
        assert str(caught.value) == (
            "dist/notes.txt: is not generated by llmd; move it out of this folder,"
            " or add it through `manifests` in the environment file\n"
            "dist/prod/mine.yaml: is not generated by llmd; move it out of this folder,"
            " or add it through `manifests` in the environment file"
        )
        assert snapshot(root) == before

    def test_a_foreign_file_is_not_overwritten(self, root: Path) -> None:
        """A file of the user's at a path that a run wants to write stops the run too."""
        (root / "dist/test").mkdir()
        (root / "dist/test/c.yaml").write_text("kind: ConfigMap\n")
        with pytest.raises(ForeignFiles, match=r"dist/test/c\.yaml"):
            write_tree(root, AFTER, FOLDERS)
        assert (root / "dist/test/c.yaml").read_text() == "kind: ConfigMap\n"

    def test_a_foreign_file_that_quotes_the_header_is_not_overwritten(self, root: Path) -> None:
        """At a path that a run wants to write, the first line alone decides as well."""
        (root / "dist/prod/a.yaml").write_text(f"# mine\n{text()}")
        with pytest.raises(ForeignFiles, match=r"dist/prod/a\.yaml"):
            write_tree(root, {"dist/prod/a.yaml": text("long" * 99)}, ["dist"])

    def test_planning_reports_them_as_well(self, root: Path) -> None:
        """`plan_changes` raises what `write_tree` would raise."""
        (root / "dist/mine.yaml").write_text("a: 1\n")
        with pytest.raises(ForeignFiles):
            plan_changes(root, BEFORE, FOLDERS)

    @pytest.mark.parametrize("first", ["", " ", "\n", "\ufeff", "kind: X\n"])
    def test_the_header_counts_at_the_beginning_alone(self, root: Path, first: str) -> None:
        """A file that mentions the header further down belongs to the user."""
        (root / "dist/mine.yaml").write_text(first + text())
        if first:
            with pytest.raises(ForeignFiles):
                write_tree(root, BEFORE, FOLDERS)
        else:
            assert write_tree(root, BEFORE, FOLDERS).removed == ("dist/mine.yaml",)

    @pytest.mark.parametrize("name", [".gitkeep", ".gitattributes", "README.md"])
    def test_some_names_are_tolerated(self, root: Path, name: str) -> None:
        """Files of these names may stand in any folder; they and their folders stay."""
        (root / "dist/empty").mkdir()
        (root / "dist/empty" / name).write_text("mine")
        write_tree(root, AFTER, FOLDERS)
        assert (root / "dist/empty" / name).read_text() == "mine"

    def test_a_tolerated_name_is_not_overwritten(self, root: Path) -> None:
        """A README of the user's is no file of ours, even if a run would write one there."""
        (root / "dist/README.md").write_text("mine")
        with pytest.raises(ForeignFiles, match=r"dist/README\.md"):
            write_tree(root, {"dist/README.md": text()}, FOLDERS)

    def test_an_output_folder_that_is_a_file_is_foreign(self, tmp_path: Path) -> None:
        """A file in place of `dist` is left alone."""
        (tmp_path / "dist").write_text("mine")
        with pytest.raises(ForeignFiles, match=r"^dist: is not generated"):
            write_tree(tmp_path, BEFORE, FOLDERS)

    def test_a_pipe_is_foreign(self, root: Path) -> None:
        """What is no regular file is refused without being read."""
        os.mkfifo(root / "dist/pipe")
        with pytest.raises(ForeignFiles, match="dist/pipe"):
            write_tree(root, BEFORE, FOLDERS)

    def test_any_file_name_can_be_shown(self, root: Path) -> None:
        """A name that is not UTF-8, or that would move a terminal's cursor, appears escaped."""
        name = os.fsdecode(b"dist/\xff\x1b[2J")
        (root / name).write_text("")
        with pytest.raises(ForeignFiles) as caught:
            write_tree(root, BEFORE, FOLDERS)
        assert str(caught.value).startswith("dist/\\\\xff\\x1b[2J: is not generated")


class TestLinks:
    """Nothing is written or removed through a symbolic link."""

    @pytest.mark.parametrize("link", ["dist", "dist/prod", "dist/prod/a.yaml", "dist/prod/README.md"])
    def test_links_are_refused(self, root: Path, tmp_path: Path, link: str) -> None:
        """A symbolic link in place of a folder or file stops the run; what it points to is not touched."""
        path = root / link
        elsewhere = tmp_path / "elsewhere"
        if path.exists():
            path.rename(elsewhere)
        path.symlink_to(elsewhere)
        before = snapshot(root)
        with pytest.raises(LinkedPaths) as caught:
            write_tree(root, AFTER, FOLDERS)
        assert str(caught.value) == f"{link}: is a symbolic link; remove it"
        assert snapshot(root) == before

    def test_a_link_above_an_output_folder_is_refused(self, root: Path) -> None:
        """Writing one environment alone does not follow a link either."""
        (root / "argocd").rename(root / "elsewhere")
        (root / "argocd").symlink_to(root / "elsewhere")
        with pytest.raises(LinkedPaths, match=r"^argocd: "):
            write_tree(root, {}, ["argocd/prod"])
        assert (root / "elsewhere/prod/a.yaml").exists()

    def test_the_repository_itself_may_be_reached_through_a_link(self, root: Path, tmp_path: Path) -> None:
        """What lies above the root is the user's affair."""
        link = tmp_path / "link"
        link.symlink_to(root)
        assert write_tree(link, AFTER, FOLDERS) == STEPS


class TestPaths:
    """Generated paths mean the same on every system and stay inside of the folders."""

    @pytest.mark.parametrize(
        ("paths", "message"),
        [
            (("dist/A.yaml", "dist/a.yaml"), "dist/A.yaml and dist/a.yaml: differ only by case"),
            (("dist/Prod/a.yaml", "dist/prod/b.yaml"), "dist/Prod and dist/prod: differ only by case"),
        ],
    )
    def test_paths_that_differ_only_by_case_are_refused(
        self, tmp_path: Path, paths: tuple[str, ...], message: str
    ) -> None:
        """Some systems would keep one of the two."""
        with pytest.raises(ClashingPaths, match=f"^{re.escape(message)}; rename one"):
            write_tree(tmp_path, dict.fromkeys(paths, text()), FOLDERS)

    @pytest.mark.parametrize(
        "path",
        [
            *["/dist/a", "dist//a", "dist/./a", "dist/../a", "../dist/a", "dist/..", "dist/a/"],
            *["dist\\a", "dist/a\n", "dist/\x00"],
        ],
    )
    def test_paths_are_plain(self, tmp_path: Path, path: str) -> None:
        """A path that could leave the folders is a fault of the caller."""
        with pytest.raises(ValueError, match="is not a plain relative path"):
            write_tree(tmp_path, {path: text()}, FOLDERS)

    @pytest.mark.parametrize("folder", ["", ".", "..", "/dist", "dist/"])
    def test_folders_are_plain(self, tmp_path: Path, folder: str) -> None:
        """So is a folder that is the repository itself or lies outside."""
        with pytest.raises(ValueError, match="is not a plain relative path"):
            write_tree(tmp_path, {}, [folder])

    @pytest.mark.parametrize("path", ["main.py", "dist", "distant/a.yaml", "charts/a.yaml"])
    def test_files_lie_in_the_folders(self, tmp_path: Path, path: str) -> None:
        """Nothing is written beside the folders."""
        with pytest.raises(ValueError, match="is outside of the folders dist, argocd"):
            write_tree(tmp_path, {path: text()}, FOLDERS)

    def test_every_file_has_the_header(self, tmp_path: Path) -> None:
        """A file without it could not be recognised by the next run."""
        with pytest.raises(ValueError, match="does not begin with"):
            write_tree(tmp_path, {"dist/a.yaml": "a: 1\n"}, FOLDERS)

    def test_no_path_is_both_file_and_folder(self, tmp_path: Path) -> None:
        """Two such paths cannot stand beside each other."""
        with pytest.raises(ValueError, match="'dist/a' is both a file and a folder"):
            write_tree(tmp_path, {"dist/a": text(), "dist/a/b": text()}, FOLDERS)
