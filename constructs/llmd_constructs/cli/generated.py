"""Generated files that stand beside others' in a repository, such as pages and charts."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import click


def settle(root: Path, files: Mapping[str, str], left_over: Iterable[str], *, check: bool, how: str) -> None:
    """Bring files up to date, or name those that are not current and leave with 1.

    Args:
        root: The repository.
        files: Text by path from the root.
        left_over: Files of what is gone, which are removed with the folders that they leave empty.
        check: Write nothing.
        how: The command that brings them up to date.
    """
    stale = [path for path, text in files.items() if not _is_current(root / path, text)]
    gone = list(left_over)
    if check:
        for path in (*stale, *gone):
            click.echo(f"{path} is not current; run `{how}`", err=True)
        if stale or gone:
            sys.exit(1)
        return
    for path in stale:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(files[path], "utf-8")
        target.chmod(0o755 if path.endswith(".sh") else 0o644)
        click.echo(path)
    for path in gone:
        _remove(root, path)
        click.echo(f"- {path}")


def _is_current(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text("utf-8") == text


def _remove(root: Path, path: str) -> None:
    target = root / path
    target.unlink()
    for folder in target.parents:
        if folder == root or any(folder.iterdir()):
            return
        folder.rmdir()
