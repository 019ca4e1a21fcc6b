"""`charts`: the Helm charts, and the values that give each environment."""

from pathlib import Path

import click

from llmd_constructs.cli.batch import batch
from llmd_constructs.cli.generated import settle
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
    settle(root, files, _left_over(root, files, names), check=check, how="make charts")


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


def _left_over(root: Path, files: dict[str, str], names: tuple[str, ...]) -> list[str]:
    """Files of what is gone."""
    folders = [f"{FOLDER}/values", *(f"{FOLDER}/{name}" for name in names)] if names else [FOLDER]
    there = (path for folder in folders for path in sorted((root / folder).rglob("*")) if path.is_file())
    return [path for file in there if (path := file.relative_to(root).as_posix()) not in files]
