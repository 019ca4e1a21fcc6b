"""How long a container that has ended waits before it is started again, as a kubelet has it."""

from dataclasses import dataclass

FIRST_SECONDS = 10.0
MOST_SECONDS = 300.0
FORGIVEN_SECONDS = 600.0
"""A container that ran this long starts anew: twice the longest wait."""


@dataclass
class BackOff:
    """The waits of one container: none after the first end, then ten seconds, then twice the last one."""

    _next: float = 0.0

    def wait(self, ran: float) -> float:
        """Seconds to wait, counted from the end of a run.

        Args:
            ran: How long the container ran, in seconds.
        """
        if ran >= FORGIVEN_SECONDS:
            self._next = 0.0
        now = self._next
        self._next = min(max(now * 2, FIRST_SECONDS), MOST_SECONDS)
        return now
