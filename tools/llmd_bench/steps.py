"""Where the time of this repository's own synthesis goes."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from llmd_bench.contest import python_path
from llmd_bench.measure import clear

Steps = dict[str, float]
"""Step to seconds, in the order of the run."""
NODE = "start node"
_LIKE_BATCH = {"PYDANTIC_DISABLE_PLUGINS": "__all__"}
"""What `synth` sets before its imports; here they come first, so that each has a step of its own."""


def steps(root: Path, folder: Path, applications: int, *, runs: int) -> Steps:
    """The median of each step of a synthesis.

    Args:
        root: The repository whose environments are read.
        folder: For the output.
        applications: Size of the workload; 0 renders the environments as they are.
        runs: How often.
    """
    found = [_once(root, folder, applications) for _ in range(runs)]
    return {name: median(each[name] for each in found) for name in found[0]}


def _once(root: Path, folder: Path, applications: int) -> Steps:
    output, marks = folder / "output", folder / "marks.json"
    clear(output)
    arguments = [str(root), str(output), str(applications), "check", str(marks)]
    started = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "llmd_bench.synthesis", *arguments],
        env={**os.environ, **python_path(), **_LIKE_BATCH},
        check=True,
    )
    ended = time.monotonic()
    return durations(started, [*json.loads(marks.read_text()), ("stop node, exit", ended)])


def durations(started: float, marks: list[tuple[str, float]]) -> Steps:
    """Seconds of each step, from the times at which the steps ended."""
    begins = [started, *(time for _, time in marks)]
    return {name: end - begin for (name, end), begin in zip(marks, begins, strict=False)}
