"""The state of a container, and what it looks like in a pod's status."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


def now() -> str:
    """The time as the API server writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Waiting:
    """Not running yet, or not again."""

    reason: str
    message: str = ""

    def manifest(self) -> dict[str, Any]:
        """The state in a status."""
        return {"waiting": {"reason": self.reason} | ({"message": self.message} if self.message else {})}


@dataclass(frozen=True)
class Running:
    """Running since a time."""

    since: str = field(default_factory=now)

    def manifest(self) -> dict[str, Any]:
        """The state in a status."""
        return {"running": {"startedAt": self.since}}


@dataclass(frozen=True)
class Terminated:
    """Ended.

    Attributes:
        code: Exit status; 128 and the signal's number if a signal ended it.
        since: When it had been started.
        until: When it ended.
        reason: `Completed`, `Error` or another that says more.
        message: The end of its log, if it failed.
    """

    code: int
    since: str
    until: str = field(default_factory=now)
    reason: str = ""
    message: str = ""

    def manifest(self) -> dict[str, Any]:
        """The state in a status."""
        reason = self.reason or ("Error" if self.code else "Completed")
        state = {"exitCode": self.code, "reason": reason, "startedAt": self.since, "finishedAt": self.until}
        return {"terminated": state | ({"message": self.message} if self.message else {})}


State = Waiting | Running | Terminated


@dataclass
class Record:
    """What is known of a container.

    Attributes:
        name: Its name.
        image: What the pod asks for.
        state: What it does.
        sidecar: Whether it is an init container that goes on beside the others.
        initial: Whether it is an init container.
        last: How it ended before.
        restarts: How often it has been started again.
        started: Whether its startup probe, if any, has succeeded.
        ready: Whether it takes requests.
    """

    name: str
    image: str
    state: State
    sidecar: bool = False
    initial: bool = False
    last: Terminated | None = None
    restarts: int = 0
    started: bool = False
    ready: bool = False

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return isinstance(self.state, Running)

    @property
    def done(self) -> bool:
        """Whether it has ended with success."""
        return isinstance(self.state, Terminated) and self.state.code == 0

    def manifest(self) -> Mapping[str, Any]:
        """Its part of a pod's status."""
        return {
            "name": self.name,
            "image": self.image,
            "imageID": f"local/{self.name}",
            "containerID": f"local://{self.name}-{self.restarts}",
            "ready": self.ready,
            "started": self.started,
            "restartCount": self.restarts,
            "state": self.state.manifest(),
            "lastState": self.last.manifest() if self.last else {},
        }
