"""Programs and ports of a run: never left behind, never shared."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from llmd_tools.cluster import Ports, Programs, wait_until
from llmd_tools.errors import ToolError

_OWNER = """
import os, signal, sys
from pathlib import Path
from llmd_tools.cluster import Programs
program = Programs(Path(sys.argv[1])).start("sleeper", ["sh", "-c", "sleep 1000 & echo $!; wait"])
while not program.log.read_text(): pass
print(program.pid, program.log.read_text().strip(), flush=True)
os.kill(os.getpid(), getattr(signal, sys.argv[2]))
"""


@pytest.fixture
def programs(tmp_path: Path) -> Generator[Programs]:
    """No programs yet."""
    running = Programs(tmp_path / "run")
    yield running
    running.close()


def _alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has asked after does not."""
    status = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return status.stdout.strip()[:1] not in ("", "Z")


def test_programs_are_stopped_with_what_they_started(programs: Programs) -> None:
    """A program's own children end with it."""
    program = programs.start("family", ["sh", "-c", "sleep 1000 & echo $!; wait"])
    wait_until("the child is known", lambda: program.log.read_text() != "", programs=programs)
    child = int(program.log.read_text())
    programs.close()
    assert not _alive(program.pid)
    assert not _alive(child)


@pytest.mark.parametrize("end", ["SIGKILL", "SIGTERM"])
def test_programs_end_when_their_owner_is_killed(tmp_path: Path, end: str) -> None:
    """An owner that has no time to clean up leaves neither processes nor files."""
    folder = tmp_path / "run"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    owner = subprocess.run(
        [sys.executable, "-c", _OWNER, str(folder), end],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert owner.returncode == -signal.Signals[end]
    pids = [int(pid) for pid in owner.stdout.split()]
    assert len(pids) == 2
    deadline = time.monotonic() + 10
    while any(map(_alive, pids)) or folder.exists():
        assert time.monotonic() < deadline, "still there"
        time.sleep(0.02)


def test_program_that_ends_early_is_named_with_its_log(programs: Programs) -> None:
    """Whoever waits learns which program ended, how, and what it said last."""
    programs.start("broken", ["sh", "-c", "echo unknown flag >&2; exit 3"])
    with pytest.raises(
        ToolError, match=r"broken ended with status 3; \S*broken\.log ends with:\nunknown flag"
    ):
        wait_until("never", lambda: False, programs=programs)


def test_waiting_in_vain_names_the_logs(programs: Programs) -> None:
    """A condition that does not come true is named, and where to look."""
    with pytest.raises(ToolError, match=rf"in vain: the sky falls; the logs are in {programs.logs}"):
        wait_until("the sky falls", lambda: False, programs=programs, seconds=0)


def test_programs_get_a_bare_environment(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's own settings do not reach the programs; their home is the run's folder."""
    monkeypatch.setenv("KUBECONFIG", "someone's own cluster")
    program = programs.start(
        "env", ["sh", "-c", 'echo "$HOME|$KUBECONFIG|$OWN"; exec sleep 1000'], {"OWN": "yes"}
    )
    wait_until("it has spoken", lambda: "\n" in program.log.read_text(), programs=programs)
    assert program.log.read_text() == f"{programs.folder}||yes\n"


def test_stopping_twice_is_harmless(programs: Programs) -> None:
    """A program that was replaced is not stopped again at the end."""
    program = programs.start("sleeper", ["sleep", "1000"])
    programs.stop(program)
    programs.stop(program)
    programs.check()
    assert not _alive(program.pid)


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Generator[Ports]:
    """A run's ports, with claims of their own folder."""
    monkeypatch.setenv("LLMD_TOOLS_CACHE", str(tmp_path))
    run = Ports()
    yield run
    run.release()


def test_port_can_be_opened(ports: Ports) -> None:
    """What is handed out is free."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", ports.take()))


@pytest.fixture
def two_free(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Two free ports, the only ones to choose from."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        free = [one.getsockname()[1], other.getsockname()[1]]
    monkeypatch.setattr("llmd_tools.cluster.ports._RANGE", free)
    return free


def test_two_runs_do_not_get_one_port(ports: Ports, two_free: list[int]) -> None:
    """A port belongs to a run although nothing listens on it yet, and is free again after the run."""
    other = Ports()
    assert {ports.take(), other.take()} == set(two_free)
    with pytest.raises(ToolError, match="no free port"):
        ports.take()
    other.release()
    ports.take()


def test_port_in_use_is_passed_over(ports: Ports, two_free: list[int]) -> None:
    """A port that another program listens on is not handed out."""
    with socket.create_server(("127.0.0.1", two_free[0])):
        assert ports.take() == two_free[1]
