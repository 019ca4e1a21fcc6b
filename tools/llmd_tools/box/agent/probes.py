"""What a probe asks and how often, and what follows from its answers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Self


class Purpose(Enum):
    """What a probe is for, by the name that it has in a container."""

    STARTUP = "startupProbe"
    READINESS = "readinessProbe"
    LIVENESS = "livenessProbe"

    @property
    def word(self) -> str:
        """As a kubelet's messages have it, such as `Startup`."""
        return self.value.removesuffix("Probe").capitalize()


_STARTUP_SECONDS = 1.0


@dataclass(frozen=True)
class Probe:
    """A probe of a container; times are in seconds.

    Attributes:
        purpose: What it is for.
        action: The part of the manifest with `httpGet`, `grpc`, `tcpSocket` or `exec`.
        delay: Before it is asked the first time.
        period: Between two times.
        timeout: For one answer.
        successes: So many in a row make it succeed.
        failures: So many in a row make it fail.
    """

    purpose: Purpose
    action: Mapping[str, Any]
    delay: float
    period: float
    timeout: float
    successes: int
    failures: int

    @classmethod
    def of(cls, container: Mapping[str, Any], purpose: Purpose) -> Self | None:
        """A container's probe, or None if it has none for this."""
        if (given := container.get(purpose.value)) is None:
            return None
        probe = cls(
            purpose,
            given,
            given.get("initialDelaySeconds", 0),
            given.get("periodSeconds", 10),
            given.get("timeoutSeconds", 1),
            given.get("successThreshold", 1),
            given.get("failureThreshold", 3),
        )
        return probe.impatient() if purpose is Purpose.STARTUP else probe

    def impatient(self) -> Self:
        """The same probe, asked every second, in which a container has as long to start.

        This is where the agent is unlike a kubelet: the periods of startup probes suit models that load for minutes,
        which a simulator does not.
        """
        period = min(self.period, _STARTUP_SECONDS)
        return replace(self, period=period, failures=round(self.failures * self.period / period))


class Tally:
    """The answers of one probe, counted.

    Attributes:
        passed: What they come to; it changes when a threshold is reached.
    """

    def __init__(self, probe: Probe) -> None:
        """Begin as a kubelet does: alive, and neither started nor ready."""
        self._probe = probe
        self._last: bool | None = None
        self._in_a_row = 0
        self.passed = probe.purpose is Purpose.LIVENESS

    def count(self, answer: bool) -> bool:
        """Count an answer.

        Returns:
            Whether it reached a threshold: that of failures, or that of successes.
        """
        self._in_a_row = self._in_a_row + 1 if answer == self._last else 1
        self._last = answer
        if self._in_a_row < (self._probe.successes if answer else self._probe.failures):
            return False
        self.passed = answer
        return True
