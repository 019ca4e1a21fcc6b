"""`python -m llmd_bench`: all contestants side by side, in one run on the same objects."""

import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import click

from llmd_bench import course, report, tables
from llmd_bench.expectations import judge
from llmd_bench.repository import copy
from llmd_bench.rounds import Results
from llmd_tools.errors import ToolError

_SIZES = (1, 10, 30, 100, 1000)
_QUICK = (1, 10, 30)
_PROFILED_FROM = 30


def _sizes(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    if value is None:
        return None
    try:
        sizes = tuple(sorted({int(part) for part in value.split(",")}))
    except ValueError:
        raise click.BadParameter("numbers with commas between them, such as 1,10,30") from None
    if sizes[0] < 1:
        raise click.BadParameter("there is nothing below one application")
    return sizes


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--sizes", callback=_sizes, metavar="N,N", help="Numbers of applications; without it, 1,10,30,100,1000."
)
@click.option(
    "--quick", is_flag=True, help="Few runs, and no more than 30 applications unless --sizes says so."
)
@click.option(
    "--write", type=click.Path(dir_okay=False, path_type=Path), help="Write the tables to a Markdown file."
)
def main(sizes: tuple[int, ...] | None, write: Path | None, *, quick: bool) -> None:
    """Measure this repository's synthesis beside helm, kustomize, go-jsonnet, CUE, cdk8s in TypeScript and PyYAML.

    All sizes take about a quarter of an hour. What is rendered goes to the folder for temporary files (TMPDIR).
    """
    if write and not write.parent.is_dir():
        raise click.BadParameter(f"there is no folder {write.parent}", param_hint="--write")
    chosen = sizes or (_QUICK if quick else _SIZES)
    signal.signal(signal.SIGTERM, _leave)
    parts: list[report.Part] = []
    try:
        with tempfile.TemporaryDirectory(prefix="llmd-bench-") as folder:
            for part in _run(Path(folder), chosen, quick=quick):
                parts.append(part)
                report.show(part)
    except ToolError as error:
        raise click.ClickException(str(error)) from error
    if write:
        write.write_text(report.markdown(parts), encoding="utf-8")


def _leave(*_: object) -> NoReturn:
    """End as SIGTERM asks, by way of what has to be cleaned up."""
    sys.exit(128 + signal.SIGTERM)


def _run(folder: Path, sizes: tuple[int, ...], *, quick: bool) -> Iterator[report.Part]:
    """Every part of the report as soon as it is known, so that an interrupted run has shown something."""
    root = copy(folder)
    entered = course.line_up(folder / "equality")
    yield from report.opening(entered)
    commands = course.measure_commands(root, folder, quick=quick)
    yield tables.commands_table(commands)
    results = Results()
    for size in sizes:
        results[size] = course.measure_size(entered, folder / str(size), size, quick=quick)
        yield tables.size_table(size, results[size])
    profiles = course.profiles(root, folder, _profiled(sizes), quick=quick)
    yield tables.steps_table(profiles)
    yield tables.overview(results)
    yield report.verdicts_table(judge(results, commands, profiles[course.OWN]))


def _profiled(sizes: tuple[int, ...]) -> tuple[int, ...]:
    """The sizes whose steps are shown: those at which the work weighs."""
    return tuple(size for size in sizes if size >= _PROFILED_FROM) or sizes
