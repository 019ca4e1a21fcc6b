"""A network of one's own, for as long as a `with` block lasts: no rights needed, no address of the machine taken."""

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from llmd_tools.box import doorman
from llmd_tools.errors import ToolError

NODE_ADDRESS = "10.244.0.1"
"""Of the machine itself, on the bridge that all pods are on."""

_UNSHARE = (
    *("unshare", "--user", "--map-root-user", "--net", "--mount"),
    *("--pid", "--fork", "--kill-child", "--mount-proc"),
)
_NEEDED = ("unshare", "nsenter", "ip", "mount")
_LOOPBACK = "127.0.0.1"
_SECONDS = 20


class PrivateNetwork:
    """Linux namespaces of users, network, mounts and processes.

    Whoever is in them is root there and nowhere else, sees the machine's files, and reaches nothing outside. Services
    may have addresses in 10.96.0.0/16 and load balancers in 10.97.0.0/16; pods are on a bridge, 10.244.0.0/16. When
    the block ends, or its process dies, the kernel ends every process inside.
    """

    def __init__(self) -> None:
        """Describe it; entering it makes it."""
        self._doors: list[socket.socket] = []

    def __enter__(self) -> Self:
        """Make the namespaces.

        Raises:
            ToolError: If this machine cannot; the message says what it lacks, in one line.
        """
        _check_programs()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with closing(theirs):
            self._process = subprocess.Popen(
                [
                    *_UNSHARE,
                    *(sys.executable, "-I", "-S", doorman.__file__, str(theirs.fileno())),
                ],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        self._control.settimeout(_SECONDS)
        with suppress(OSError):
            if self._control.recv(16) == b"ready":
                return self
        raise ToolError(self._why())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for door in self._doors:
            door.close()
        self._control.close()
        self._process.kill()
        self._process.communicate()

    def within(self, command: Sequence[str | Path]) -> list[str]:
        """The command that runs a command inside."""
        pid = self._process.pid
        return [
            *("nsenter", f"--target={pid}", "--user", "--preserve-credentials", "--net", "--mount"),
            *(f"--pid=/proc/{pid}/ns/pid_for_children", "--"),
            *map(str, command),
        ]

    def open(self, port: int, to: tuple[str, int]) -> int:
        """Open a door: who connects to a port on loopback, outside, is connected to an address inside.

        Args:
            port: The port outside; 0 for any that is free.
            to: The address inside.

        Returns:
            The port outside.
        """
        door = socket.create_server((_LOOPBACK, port))
        self._doors.append(door)
        socket.send_fds(self._control, [json.dumps(to).encode()], [door.fileno()])
        return int(door.getsockname()[1])

    def _why(self) -> str:
        self._control.close()
        self._process.kill()
        said = self._process.communicate()[1].strip().splitlines()
        reason = said[-1] if said else "no reason is given"
        return (
            f"this machine lets its users have no user namespaces, which a cluster in a box needs: {reason}"
        )


def _check_programs() -> None:
    if sys.platform != "linux":
        raise ToolError("a cluster in a box needs Linux, for its namespaces of users and networks")
    if missing := [name for name in _NEEDED if shutil.which(name) is None]:
        raise ToolError(
            f"a cluster in a box needs {', '.join(missing)}; Debian has them in util-linux, mount and iproute2"
        )
