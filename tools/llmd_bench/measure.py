"""What one run of a contestant costs."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from llmd_bench.contest import Contestant
from llmd_tools.errors import ToolError

_LAUNCH = Path(__file__).with_name("_launch.py")


@dataclass(frozen=True)
class Cost:
    """Of one run, or the medians of several."""

    wall: float
    """Seconds from start to exit."""
    cpu: float
    """Seconds of processor time, user and system, of all processes."""
    peak: float
    """Bytes of memory of the largest process at its largest."""


def run(contestant: Contestant) -> Cost:
    """Run a contestant once, into an empty output folder.

    Raises:
        ToolError: If it fails.
    """
    clear(contestant.output)
    command = [
        sys.executable,
        "-I",
        "-S",
        str(_LAUNCH),
        *contestant.command,
    ]  # -I and -S keep the launcher small
    with subprocess.Popen(
        command,
        cwd=contestant.folder,
        env={**os.environ, **contestant.environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as process:
        try:
            answer, said = process.communicate(contestant.lines)
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)  # xargs would go on to its last line
            process.wait()
            raise
    try:
        found = json.loads(answer)
    except ValueError:
        raise ToolError(f"{contestant.name} cannot be started: {_last_line(said)}") from None
    if found.pop("status"):
        raise ToolError(f"{contestant.name} fails: {_last_line(said)}")
    return Cost(**found)


def clear(folder: Path) -> None:
    """Make a folder, or an empty one in place of it.

    What an earlier run wrote is moved aside and stays until the benchmark ends. Deleting it would fall upon the next
    run: for every new file, ext4 looks at each inode that was freed in the last minutes before it takes another.
    """
    if folder.exists():
        folder.rename(folder.with_name(f"{folder.name}-{time.monotonic_ns()}"))
    folder.mkdir(parents=True)


def _last_line(text: str) -> str:
    return next(reversed(text.strip().splitlines()), "it says nothing")
