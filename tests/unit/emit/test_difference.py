"""A difference reads well, and says what it leaves out."""

from pathlib import Path

import pytest

from llmd_constructs.emit.difference import unified
from llmd_constructs.emit.tree import GENERATED_HEADER, ForeignFiles, write_tree

HEADER = f"{GENERATED_HEADER}\n"


def difference(root: Path, before: dict[str, str], after: dict[str, str], max_lines: int = 400) -> str:
    """The difference between two sets of files below `dist`; a header is put in front of each."""
    write_tree(root, {f"dist/{path}": HEADER + text for path, text in before.items()}, ["dist"])
    fresh = {f"dist/{path}": HEADER + text for path, text in after.items()}
    return unified(root, fresh, ["dist"], max_lines=max_lines)


def test_equal_folders_have_no_difference(tmp_path: Path) -> None:
    """Nothing is said when nothing differs."""
    assert difference(tmp_path, {"a": "x\n"}, {"a": "x\n"}) == ""


def test_changes_are_shown_and_names_listed(tmp_path: Path) -> None:
    """Added and removed files are named, the lines of changed files shown with their context."""
    lines = "".join(f"{number}\n" for number in range(9))
    assert difference(
        tmp_path, {"a": lines, "old": "x\n"}, {"a": lines.replace("5", "five"), "new": "x\n"}
    ) == (
        "added dist/new\n"
        "removed dist/old\n"
        "--- dist/a (committed)\n"
        "+++ dist/a (fresh)\n"
        "@@ -4,7 +4,7 @@\n"
        " 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n"
    )


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ("x\n", "x", "+\\ No newline at end of file"),
        ("x", "x\n", "-\\ No newline at end of file"),
        ("x\r\n", "x\n", "-x␍"),
        ("x\u2028y\n", "z\n", "-x\u2028y"),
    ],
)
def test_invisible_changes_are_visible(tmp_path: Path, before: str, after: str, lines: str) -> None:
    """A missing newline and a carriage return show; other separators do not split a line."""
    assert lines in difference(tmp_path, {"a": before}, {"a": after}).split("\n")


def test_a_committed_file_that_is_not_text_is_shown_escaped(tmp_path: Path) -> None:
    """Broken bytes below the header do not break the difference."""
    write_tree(tmp_path, {"dist/a": HEADER}, ["dist"])
    (tmp_path / "dist/a").write_bytes(HEADER.encode() + b"\xff\n")
    assert "-\\xff\n" in unified(tmp_path, {"dist/a": HEADER}, ["dist"])


def test_a_long_difference_is_cut_and_counted(tmp_path: Path) -> None:
    """The lines end at the limit; lines and files left out are counted."""
    before = {f"f{number}": "x\n" for number in range(5)}
    after = {f"f{number}": "y\n" for number in range(5)}
    whole = difference(tmp_path, before, after).splitlines()
    assert len(whole) == 5 * 6
    assert difference(tmp_path, before, after, max_lines=6).splitlines() == [
        *whole[:6],
        "… and 4 more files changed",
    ]
    assert difference(tmp_path, before, after, max_lines=23).splitlines() == [
        *whole[:23],
        "… and 1 more line of dist/f3",
        "… and 1 more file changed",
    ]


def test_many_names_are_counted(tmp_path: Path) -> None:
    """The first twenty added files are named, the others counted."""
    lines = difference(tmp_path, {}, {f"f{number:04}": "x\n" for number in range(1234)}).splitlines()
    assert lines == [*(f"added dist/f{number:04}" for number in range(20)), "… and 1,214 more files added"]


def test_foreign_files_are_an_error_here_too(tmp_path: Path) -> None:
    """A difference against files that are not ours would mislead."""
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist/mine.yaml").write_text("a: 1\n")
    with pytest.raises(ForeignFiles):
        unified(tmp_path, {}, ["dist"])
