"""One container: started, probed, started again, stopped."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from llmd_tools.box.agent.backoff import BackOff
from llmd_tools.box.agent.checks import check
from llmd_tools.box.agent.commands import run_freely
from llmd_tools.box.agent.environment import ConfigError
from llmd_tools.box.agent.probes import Probe, Purpose, Tally
from llmd_tools.box.agent.process import Process
from llmd_tools.box.agent.states import Record, Running, State, Terminated, Waiting
from llmd_tools.box.programs import UnknownContainerError

Tell = Callable[[Literal["Normal", "Warning"], str, str, str], Awaitable[None]]
"""Records an event: kind, reason, message, name of the container."""

_LEAST_TIMEOUT_SECONDS = 10.0
"""Of a probe, whatever it asks for: one machine plays every node, and may answer late where none of them would."""
_RETRY_SECONDS = 2.0
"""Before a container whose configuration was not complete is tried again."""
_TAIL_LINES, _TAIL_CHARACTERS = 20, 2000
"""Of a log, in the message of a container that failed."""


@dataclass(frozen=True)
class Surroundings:
    """What a container has of its pod.

    Attributes:
        pod: What messages call the pod.
        address: The pod's address.
        restart: The restart policy.
        grace: Seconds that the pod gives its containers to end.
        logs: Where its logs go, one file for each run.
        prepare: The command that starts a container; raises ConfigError or UnknownContainerError.
        tell: Records an event.
        changed: Called after every change of a record.
    """

    pod: str
    address: str
    restart: str
    grace: float
    logs: Path
    prepare: Callable[[Mapping[str, Any]], Awaitable[list[str]]]
    tell: Tell
    changed: Callable[[], None]


class Container:
    """A container of a pod.

    Attributes:
        record: What is known of it.
        up: Set while it is started, for those that come after it.
    """

    def __init__(self, manifest: Mapping[str, Any], record: Record, around: Surroundings) -> None:
        """Describe it; `run` starts it."""
        self.record = record
        self.up = asyncio.Event()
        self._manifest = manifest
        self._around = around
        self._policy = "Always" if record.sidecar else around.restart
        if record.initial and not record.sidecar and self._policy == "Always":
            self._policy = "OnFailure"
        self._back_off = BackOff()
        self._process: Process | None = None
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Let it run, again and again, until its restart policy or `stop` says that it is over."""
        while not self._stopping.is_set():
            began = time.monotonic()
            if await self._attempt():
                if self._is_over():
                    return
                await self._back_off_after(time.monotonic() - began)
            else:
                await self._pause(_RETRY_SECONDS)

    async def stop(self, grace: float) -> None:
        """Let its `preStop` hook run, ask it to end, and end it when the time is over.

        Args:
            grace: Seconds, the hook's included.
        """
        self._stopping.set()
        if self._process is not None:
            await self._end(self._process, grace)

    async def _end(self, process: Process, grace: float) -> None:
        began = time.monotonic()
        hook = self._manifest.get("lifecycle", {}).get("preStop")
        if hook and grace > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._run_hook(hook), grace)
        await process.stop(max(grace - (time.monotonic() - began), 0))

    async def _run_hook(self, hook: Mapping[str, Any]) -> None:
        if "sleep" in hook:
            await asyncio.sleep(hook["sleep"]["seconds"])
            return
        why = await check(hook, self._around.address, self._manifest, self._execute, self._around.grace)
        if why is not None:
            await self._tell("Warning", "FailedPreStopHook", f"PreStopHook failed: {why}")

    async def _attempt(self) -> bool:
        """Run it once, to its end; False if it could not be started."""
        try:
            command = await self._around.prepare(self._manifest)
        except ConfigError as error:
            await self._cannot_start("CreateContainerConfigError", str(error))
            return False
        except UnknownContainerError as error:
            await self._cannot_start("UnknownContainer", str(error))
            await self._stopping.wait()
            return False
        if self._stopping.is_set():
            return False
        if self.record.last is not None:
            self.record.restarts += 1
        self._process = process = await Process.start(command, self._log)
        (self._around.logs.parent / self.record.name / "pid").write_text(str(process.pid))
        running = Running()
        self._set(running, started=False, ready=False)
        await self._tell("Normal", "Started", "Container started")
        code = await self._watched(process)
        self._process = None
        self.up.clear()
        ended = Terminated(code, running.since, message=self._tail() if code else "")
        self.record.last = ended
        self._set(ended, started=False, ready=False)
        return True

    async def _cannot_start(self, reason: str, message: str) -> None:
        self._set(Waiting(reason, message), started=False, ready=False)
        await self._tell("Warning", "Failed", f"Error: {message}")

    async def _watched(self, process: Process) -> int:
        """Its exit status, after its probes have been asked as long as it ran."""
        health = asyncio.create_task(self._watch_health(process))
        code = await process.wait()
        health.cancel()
        await asyncio.gather(health, return_exceptions=True)
        return code

    async def _watch_health(self, process: Process) -> None:
        startup, readiness, liveness = (Probe.of(self._manifest, each) for each in Purpose)
        if startup:
            await self._ask(startup, process)
        self._set(self.record.state, started=True, ready=readiness is None)
        self.up.set()
        await asyncio.gather(*(self._ask(probe, process) for probe in (readiness, liveness) if probe))

    async def _ask(self, probe: Probe, process: Process) -> None:
        """Ask a probe again and again, and act on its answers; a startup probe ends with its success."""
        tally = Tally(probe)
        await asyncio.sleep(probe.delay)
        while True:
            why = await check(
                probe.action,
                self._around.address,
                self._manifest,
                self._execute,
                max(probe.timeout, _LEAST_TIMEOUT_SECONDS),
            )
            reached = tally.count(why is None)
            if why is not None and (reached or probe.purpose is not Purpose.STARTUP):
                await self._tell("Warning", "Unhealthy", f"{probe.purpose.word} probe failed: {why}")
            if reached and probe.purpose is Purpose.READINESS:
                self._set(self.record.state, started=True, ready=tally.passed)
            elif reached and not tally.passed:
                await self._kill(process, probe)
                return
            elif reached and probe.purpose is Purpose.STARTUP:
                return
            await asyncio.sleep(probe.period)

    async def _kill(self, process: Process, probe: Probe) -> None:
        await self._tell(
            "Normal", "Killing", f"Container failed {probe.purpose.word.lower()} probe, will be restarted"
        )
        await self._end(process, probe.action.get("terminationGracePeriodSeconds", self._around.grace))

    def _is_over(self) -> bool:
        ended = self.record.state
        failed = isinstance(ended, Terminated) and ended.code != 0
        return (
            self._stopping.is_set() or self._policy == "Never" or (self._policy == "OnFailure" and not failed)
        )

    async def _back_off_after(self, ran: float) -> None:
        if (seconds := self._back_off.wait(ran)) <= 0:
            return
        message = (
            f"back-off {seconds:g}s restarting failed container={self.record.name} pod={self._around.pod}"
        )
        self._set(Waiting("CrashLoopBackOff", message), started=False, ready=False)
        await self._tell("Warning", "BackOff", f"Back-off restarting failed container {self.record.name}")
        await self._pause(seconds)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _execute(self, command: Sequence[str]) -> tuple[int, str]:
        if self._process is None:
            return 1, "the container does not run"
        return await run_freely(self._process.within(command))

    async def _tell(self, kind: Literal["Normal", "Warning"], reason: str, message: str) -> None:
        await self._around.tell(kind, reason, message, self.record.name)

    def _set(self, state: State, *, started: bool, ready: bool) -> None:
        self.record.state, self.record.started, self.record.ready = state, started, ready
        self._around.changed()

    @property
    def _log(self) -> Path:
        return self._around.logs / self.record.name / f"{self.record.restarts}.log"

    def _tail(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-_TAIL_LINES:])[-_TAIL_CHARACTERS:]
