"""A program that has done its work ends at once, and no sooner."""

import subprocess
import sys

import pytest

PROGRAM = """
import atexit, sys, threading, time
from llmd_constructs.cli.ending import quick_end

class Kept:
    def __del__(self):
        print("taken apart")

kept = Kept()
with quick_end():
    atexit.register(print, "handler")
    threading.Thread(target=lambda: (time.sleep(0.1), print("thread"))).start()
    {end}
"""


def _run(end: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("{end}", end)],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_run_that_ends_well_is_not_taken_apart() -> None:
    """Threads come to their end, exit handlers run, and what was printed is seen."""
    done = _run("print('work', end=''); sys.exit(0)")
    assert (done.stdout, done.stderr, done.returncode) == ("workthread\nhandler\n", "", 0)


@pytest.mark.parametrize(
    ("end", "status", "said"),
    [
        ("sys.exit(3)", 3, ""),
        ("sys.exit('why')", 1, "why\n"),
        ("1 / 0", 1, "ZeroDivisionError"),
        ("pass", 0, ""),
    ],
)
def test_every_other_end_is_as_usual(end: str, status: int, said: str) -> None:
    """Failures keep their status and their text, and nothing of the interpreter's end is left out."""
    done = _run(end)
    assert (done.stdout, done.returncode) == ("thread\nhandler\ntaken apart\n", status)
    assert said in done.stderr
