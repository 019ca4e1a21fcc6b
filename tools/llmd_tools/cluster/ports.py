"""Free ports that two runs side by side do not both take."""

import fcntl
import random
import socket
from typing import IO

from llmd_tools.cache import cache_root
from llmd_tools.cluster.process import Network
from llmd_tools.errors import ToolError

_RANGE = range(20000, 28000)
"""Below the ports that Linux (32768) and macOS (49152) give to outgoing connections, and below node ports (30000)."""

_LOOPBACK = "127.0.0.1"


class Ports:
    """Ports that belong to one run.

    A port is claimed by a lock on a file until the run ends, since a program opens it only some time after it was
    found free. A run that dies gives its ports back: the system drops its locks.
    """

    def __init__(self, network: Network | None = None) -> None:
        """Start without any port.

        Args:
            network: Where the ports are, if not on the machine's own: each then has a door of the same number.
        """
        self._network = network
        self._claims: list[IO[str]] = []

    def take(self) -> int:
        """A port on loopback that nobody uses.

        Raises:
            ToolError: If there is none.
        """
        folder = cache_root() / "ports"
        folder.mkdir(parents=True, exist_ok=True)
        for port in random.sample(_RANGE, len(_RANGE)):
            claim = (folder / str(port)).open("w")
            if _locked(claim) and _free(port):
                self._claims.append(claim)
                if self._network:
                    self._network.open(port, (_LOOPBACK, port))
                return port
            claim.close()
        raise ToolError(f"no free port between {_RANGE[0]} and {_RANGE[-1]}")

    def release(self) -> None:
        """Give all ports back."""
        while self._claims:
            self._claims.pop().close()


def _locked(claim: IO[str]) -> bool:
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_LOOPBACK, port))
        except OSError:
            return False
    return True
