"""When waiting leads nowhere."""

import time
from collections.abc import Mapping

from llmd_tools.argocd.applications import ApplicationState

_SECONDS = 5


class Standstill:
    """Tells when nothing has changed for a while.

    Argo CD misses changes that come while it reads the API of new CRDs, and sees them when it next looks by itself,
    which is after minutes.
    """

    def __init__(self) -> None:
        """Begin to watch."""
        self._last: Mapping[str, ApplicationState] = {}
        self._since = time.monotonic()

    def seen_in(self, states: Mapping[str, ApplicationState]) -> bool:
        """Whether these are the states of some time ago; says so once, and then not for that time."""
        now = time.monotonic()
        if states != self._last or now - self._since > _SECONDS:
            stands, self._last, self._since = states == self._last, states, now
            return stands
        return False
