"""`python -m llmd_bench`: all contestants side by side, in one run on the same objects."""

import tempfile
from pathlib import Path

import click

from llmd_bench import course, report
from llmd_bench.expectations import judge
from llmd_bench.repository import copy
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
    chosen = sizes or (_QUICK if quick else _SIZES)
    try:
        with tempfile.TemporaryDirectory(prefix="llmd-bench-") as folder:
            findings = _run(Path(folder), chosen, quick=quick)
    except ToolError as error:
        raise click.ClickException(str(error)) from error
    parts = report.document(findings)
    report.show(parts)
    if write:
        write.write_text(report.markdown(parts), encoding="utf-8")


def _run(folder: Path, sizes: tuple[int, ...], *, quick: bool) -> report.Findings:
    entered = course.line_up(folder / "equality")
    root = copy(folder)
    results = {size: course.measure_size(entered, folder / str(size), size, quick=quick) for size in sizes}
    commands = course.measure_commands(root, folder, quick=quick)
    profiles = course.profiles(root, folder, _profiled(sizes), quick=quick)
    verdicts = judge(results, commands, profiles[course.OWN])
    return report.Findings(entered, results, commands, profiles, verdicts)


def _profiled(sizes: tuple[int, ...]) -> tuple[int, ...]:
    """The sizes whose steps are shown: those at which the work weighs."""
    return tuple(size for size in sizes if size >= _PROFILED_FROM) or sizes
