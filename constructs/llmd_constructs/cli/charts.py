"""`charts`: the Helm charts, and the values that give each environment."""

import sys
from pathlib import Path

import click

from llmd_constructs.cli.batch import batch
from llmd_constructs.cli.progress import step

FOLDER = "charts"


def run(root: Path, names: tuple[str, ...], *, check: bool) -> None:
    """Write the charts, or name the files that are not current and leave with 1.

    Args:
        root: The repository.
        names: Charts to write; all, if there are none.
        check: Write nothing.
    """
    files = generated(root, names)
    stale = [path for path, text in files.items() if not _is_current(root / path, text)]
    stale += _left_over(root, files, names)
    if check and stale:
        click.echo("\n".join(f"{path} is not current; run `make charts`" for path in stale), err=True)
        sys.exit(1)
    for path in stale:
        target = root / path
        if path in files:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(files[path], "utf-8")
        else:
            target.unlink()
        click.echo(path)


@batch()
def generated(root: Path, names: tuple[str, ...]) -> dict[str, str]:
    """Text of every file below `charts/`, by path from the root."""
    from llmd_constructs.charts.build import chart_files, values_files
    from llmd_constructs.charts.definitions import definitions
    from llmd_constructs.config.load import load_environments

    files: dict[str, str] = {}
    known = definitions()
    unknown = set(names) - {chart.name for chart in known}
    if unknown:
        raise click.ClickException(
            f"no chart {', '.join(sorted(unknown))}; there are {', '.join(chart.name for chart in known)}"
        )
    for chart in known:
        if not names or chart.name in names:
            with step(f"folding {chart.name}"):
                files |= chart_files(chart)
    with step("writing values"):
        return files | values_files(load_environments(root))


def _is_current(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text("utf-8") == text


def _left_over(root: Path, files: dict[str, str], names: tuple[str, ...]) -> list[str]:
    """Files of what is gone."""
    folders = [f"{FOLDER}/values", *(f"{FOLDER}/{name}" for name in names)] if names else [FOLDER]
    there = (path for folder in folders for path in sorted((root / folder).rglob("*")) if path.is_file())
    return [path for file in there if (path := file.relative_to(root).as_posix()) not in files]
