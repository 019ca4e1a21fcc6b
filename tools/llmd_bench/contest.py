"""What takes part in the benchmark."""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from llmd_bench.workload import Values
from llmd_tools.errors import ToolError


@dataclass(frozen=True)
class Contestant:
    """A command that renders a workload into files."""

    name: str
    command: tuple[str, ...]
    folder: Path
    """Where it runs."""
    output: Path
    """The folder it writes into; emptied before every run."""
    lines: str = ""
    """Its standard input."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])


Prepare = Callable[[Path, Sequence[Values]], list[Contestant]]
"""Lays out, below a folder, what a tool needs to render a workload. Raises `ToolError` where it cannot be had."""


def each(command: Sequence[str], *, processes: int = 1) -> tuple[str, ...]:
    """One process per application: `{}` in the command is the application's name, from a line of standard input."""
    xargs = shutil.which("xargs")
    if xargs is None:
        raise ToolError("xargs is not on the PATH; it starts one process per application")
    return (xargs, f"-P{processes}", "-I{}", *command)


def names(values: Sequence[Values]) -> str:
    """One name per line, for `each`."""
    return "".join(f"{item.name}\n" for item in values)


def python_path() -> dict[str, str]:
    """The environment in which a Python contestant finds this repository's packages."""
    root = Path(__file__).parents[2]
    own = [str(root / "constructs"), str(root / "tools")]
    return {"PYTHONPATH": os.pathsep.join(own)}
