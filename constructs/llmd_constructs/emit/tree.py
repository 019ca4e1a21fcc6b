"""The generated folders: made equal to what a run produced, in one step."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from llmd_constructs.emit._survey import GENERATED_HEADER, Changes, survey
from llmd_constructs.emit._swap import only_writer, swap
from llmd_constructs.emit.errors import ClashingPaths, ForeignFiles, LinkedPaths, WriteFailed, reason_of

__all__ = [
    "GENERATED_HEADER",
    "Changes",
    "ClashingPaths",
    "ForeignFiles",
    "LinkedPaths",
    "Tree",
    "WriteFailed",
    "plan_changes",
    "write_tree",
]

Tree: TypeAlias = Mapping[str, str]
"""Generated files: path relative to the repository root, with `/`, to text."""


def plan_changes(root: Path, files: Tree, folders: Sequence[str]) -> Changes:
    """Tell what `write_tree` would do, without writing.

    Args:
        root: The repository.
        files: Everything that the folders should hold; each text begins with `GENERATED_HEADER`.
        folders: The generated folders, relative to `root`.

    Raises:
        OutputError: As `write_tree`.
        ValueError: As `write_tree`.
    """
    try:
        return survey(str(root), files, folders).changes
    except OSError as error:
        raise WriteFailed(reason_of(error, str(root))) from error


def write_tree(root: Path, files: Tree, folders: Sequence[str]) -> Changes:
    """Make the folders hold exactly `files`.

    Files that are equal keep their modification time. Generated files that are no longer produced are removed,
    and folders that become empty with them. `.gitkeep`, `.gitattributes` and `README.md` may stand among them.
    On any error the folders are as they were.

    Args:
        root: The repository.
        files: Everything that the folders should hold; each text begins with `GENERATED_HEADER`.
        folders: The generated folders, relative to `root`. Nothing outside of them is touched.

    Returns:
        What was done.

    Raises:
        ForeignFiles: A file that llmd did not generate stands in the folders.
        LinkedPaths: A symbolic link stands in the folders, or in place of one.
        ClashingPaths: Two paths differ only by case.
        WriteFailed: The disk refused, or another run is writing.
        ValueError: A path leaves the folders or a text lacks the header: a fault of the caller.
    """
    try:
        with only_writer(str(root)):
            found = survey(str(root), files, folders)
            if found.changes.differs or found.empty:
                swap(str(root), found)
            return found.changes
    except OSError as error:
        raise WriteFailed(reason_of(error, str(root))) from error
