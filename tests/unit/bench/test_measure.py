"""A run is measured with everything it starts, and its failure is told."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from llmd_bench.contest import Contestant, each, names
from llmd_bench.measure import run
from llmd_bench.workload import workload
from llmd_tools.errors import ToolError


def _python(code: str, folder: Path) -> Contestant:
    return Contestant("a program", (sys.executable, "-I", "-S", "-c", code), folder, folder / "output")


def test_a_run_starts_with_an_empty_output_folder(tmp_path: Path) -> None:
    """What an earlier run wrote is gone."""
    (tmp_path / "output").mkdir()
    (tmp_path / "output" / "old.yaml").touch()
    run(_python("open('output/new.yaml', 'w')", tmp_path))
    assert [path.name for path in (tmp_path / "output").iterdir()] == ["new.yaml"]


def test_memory_of_a_grandchild_counts(tmp_path: Path) -> None:
    """The peak is that of the largest process, whoever started it."""
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'x = bytearray(90_000_000)'])"
    assert run(_python(code, tmp_path)).peak > 90e6


def test_a_failure_is_told_with_its_last_line(tmp_path: Path) -> None:
    """A contestant that fails is no measurement."""
    with pytest.raises(ToolError, match="a program fails: no chart here"):
        run(_python("import sys; sys.exit('first line\\nno chart here')", tmp_path))


def test_a_command_that_is_not_there_is_told(tmp_path: Path) -> None:
    """So is one that cannot be started."""
    with pytest.raises(ToolError, match="gone cannot be started"):
        run(Contestant("gone", (str(tmp_path / "gone"),), tmp_path, tmp_path / "output"))


def test_each_starts_a_process_per_application(tmp_path: Path) -> None:
    """Every application's name reaches its own process."""
    command = each([sys.executable, "-I", "-S", "-c", "open('output/{}', 'w')"], processes=2)
    run(Contestant("many", command, tmp_path, tmp_path / "output", names(workload(3))))
    found = sorted(path.name for path in (tmp_path / "output").iterdir())
    assert found == ["team-0000", "team-0001", "team-0002"]


def test_an_interrupted_run_leaves_nothing_running(tmp_path: Path) -> None:
    """Who stops the benchmark also stops what it has started."""
    contestant = _python(
        "import os, time; open('output/pid', 'w').write(str(os.getpid())); time.sleep(60)", tmp_path
    )
    pid = tmp_path / "output" / "pid"

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 1.5)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(contestant)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert not _lives(int(pid.read_text()))


def _lives(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.05)
    return True
