"""The program of a container, with its children."""

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self


class Process:
    """A running program that is a process group of its own.

    Attributes:
        pid: Its process id, which is also the id of its group.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Take a process over."""
        self._process = process
        self.pid = process.pid

    @classmethod
    async def start(cls, command: Sequence[str], log: Path) -> Self:
        """Start a program; what it prints goes to a file."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as sink:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
                env={"PATH": os.environ.get("PATH", os.defpath)},
            )
        return cls(process)

    async def wait(self) -> int:
        """Its exit status; 128 and the signal's number if a signal ended it. What it has started ends with it."""
        code = await self._process.wait()
        self._kill()
        return 128 - code if code < 0 else code

    async def stop(self, grace: float) -> None:
        """Ask the program, but not its children, to end; end them all when the time is over.

        Args:
            grace: Seconds.
        """
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(asyncio.shield(self._process.wait()), grace)
        except TimeoutError:
            self._kill()
            await self._process.wait()

    def _kill(self) -> None:
        """End the program and its children, if any are left."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def within(self, command: Sequence[str]) -> list[str]:
        """The command that runs a command in the container: its files, its network, its working folder."""
        own = ("--mount", "--uts", "--net", "--root", "--wd")
        return ["nsenter", f"--target={self.pid}", *own, "--", *command]
