"""Ends the programs of a run whose owner has died.

Run as a script with the run's folder as its argument. It reads process groups from its input, `+ID` when one has
started and `-ID` when one has been stopped. The input ends when the owner closes it or dies; what is then still
running is killed, and the folder removed. That needs nothing from the operating system but pipes.
"""

import os
import shutil
import signal
import sys
from contextlib import suppress


def main() -> None:
    """Read until the owner is gone, then clean up after it."""
    running: list[int] = []
    for line in sys.stdin:
        group = int(line[1:])
        if line.startswith("+"):
            running.append(group)
        else:
            running.remove(group)
    for group in reversed(running):
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
    if running:
        shutil.rmtree(sys.argv[1], ignore_errors=True)


if __name__ == "__main__":
    main()
