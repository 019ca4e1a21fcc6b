"""Programs of one run: started with a log each, stopped in reverse order, and never left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from llmd_tools.cluster import reaper
from llmd_tools.errors import ToolError

_TAIL = 15
"""Lines of a log that a message quotes."""


class Network(Protocol):
    """A network of its own that programs run in, with doors to it from loopback."""

    def within(self, command: Sequence[str | Path]) -> list[str]:
        """The command that runs a command inside."""
        ...

    def open(self, port: int, to: tuple[str, int]) -> int:
        """Connect who connects to a port on loopback to an address inside."""
        ...


@dataclass(frozen=True)
class Program:
    """A running program.

    Attributes:
        name: What the run calls it.
        log: Where its output goes.
    """

    name: str
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        """Its process id, which is also the id of its process group."""
        return self.process.pid

    def check(self) -> None:
        """Do nothing while the program runs.

        Raises:
            ToolError: If it has ended; the message quotes the end of its log.
        """
        if (code := self.process.poll()) is not None:
            raise ToolError(f"{self.name} ended with status {code}; {self.log} ends with:\n{self.tail()}")

    def tail(self) -> str:
        """The last lines of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-_TAIL:])

    def kill(self) -> None:
        """End the program and whatever it has started, at once, and wait until it is gone."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()


class Programs:
    """The programs of one run.

    Each is a process group of its own, so that Ctrl-C reaches the run alone, which then stops them in its order.
    If the run is killed, a reaper stops them (see `reaper`).
    """

    def __init__(self, folder: Path, network: Network | None = None) -> None:
        """Start without any program.

        Args:
            folder: The run's own folder: the programs' home, and in `logs/` their logs. Removed if the run dies.
            network: Where the programs run, if not on the machine's own.
        """
        self.folder = folder
        self._network = network
        self.logs = folder / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)
        self._running: list[Program] = []
        self._reaper = subprocess.Popen(
            [sys.executable, "-I", "-S", reaper.__file__, str(folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def start(
        self, name: str, command: Sequence[str | Path], env: Mapping[str, str] | None = None
    ) -> Program:
        """Start a program with `env` beside a bare environment whose home is the run's folder."""
        log = self.logs / f"{name}.log"
        with log.open("ab") as sink:
            process = subprocess.Popen(
                [str(part) for part in (self._network.within(command) if self._network else command)],
                cwd=self.folder,
                env=self._environment() | dict(env or {}),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
            )
        program = Program(name, log, process)
        self._running.append(program)
        self._tell(f"+{program.pid}")
        return program

    @property
    def running(self) -> tuple[Program, ...]:
        """The programs that have been started and not stopped, in the order of their start."""
        return tuple(self._running)

    def stop(self, program: Program) -> None:
        """Stop one program; one that is stopped already is left alone."""
        if program in self._running:
            program.kill()
            self._running.remove(program)
            self._tell(f"-{program.pid}")

    def check(self) -> None:
        """Do nothing while every program runs.

        Raises:
            ToolError: If one has ended.
        """
        for program in self._running:
            program.check()

    def close(self) -> None:
        """Stop every program, the last one first."""
        for program in reversed(self.running):
            self.stop(program)
        if self._reaper.stdin is not None:
            self._reaper.stdin.close()
        self._reaper.wait()

    def _environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.folder),
            "PATH": os.environ.get("PATH", os.defpath),
            "TMPDIR": str(self.folder),
        }

    def _tell(self, line: str) -> None:
        if self._reaper.stdin is not None:
            self._reaper.stdin.write(f"{line}\n".encode())
            self._reaper.stdin.flush()


def wait_until(
    what: str, done: Callable[[], bool], *, programs: Programs, seconds: float = 60, every: float = 0.1
) -> None:
    """Wait for a condition while the programs run.

    Args:
        what: The condition in words, for the message.
        done: Asked again and again.
        programs: Those on whose account one waits.
        seconds: How long to wait at most.
        every: Seconds between two questions.

    Raises:
        ToolError: If a program ends first, or the time is over.
    """
    end = time.monotonic() + seconds
    while not done():
        programs.check()
        if time.monotonic() > end:
            raise ToolError(f"waited {seconds:.0f} s in vain: {what}; the logs are in {programs.logs}")
        time.sleep(every)
