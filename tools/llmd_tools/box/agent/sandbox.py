"""A pod's own network: an address on the bridge, and all ports for itself."""

import itertools
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from llmd_tools.box.agent.commands import run
from llmd_tools.box.network import NODE_ADDRESS

_counter = itertools.count(1)
_FIRST = IPv4Address("10.244.1.0")
"""Addresses below are the node's own. None is given twice, so that a client which keeps an old one notices."""


@dataclass(frozen=True)
class Sandbox:
    """The network namespace of a pod.

    Attributes:
        name: The namespace's name.
        address: The pod's address.
    """

    name: str
    address: str

    def within(self, command: Sequence[str]) -> list[str]:
        """The command that runs a command in it, with mounts and a host name of its own."""
        return [
            "nsenter",
            f"--net=/run/netns/{self.name}",
            "--",
            "unshare",
            "--mount",
            "--uts",
            "--",
            *command,
        ]

    async def close(self) -> None:
        """End whatever still runs in it, and take it away."""
        for pid in (await run(["ip", "netns", "pids", self.name])).split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        await run(["ip", "netns", "delete", self.name])


async def make_sandbox() -> Sandbox:
    """A new one."""
    number = next(_counter)
    name, address = f"pod{number}", str(_FIRST + number)
    await run(
        ["ip", "-batch", "-"],
        f"netns add {name}\n"
        f"link add veth{number} type veth peer name eth0 netns {name}\n"
        f"link set veth{number} master pods up\n",
    )
    await run(
        ["ip", "-netns", name, "-batch", "-"],
        "link set lo up\n"
        f"addr add {address}/16 dev eth0\n"
        "link set eth0 up\n"
        f"route add default via {NODE_ADDRESS}\n",
    )
    return Sandbox(name, address)


def hosts_file(folder: Path) -> Path:
    """Where a pod's `/etc/hosts` is."""
    return folder / "hosts"
