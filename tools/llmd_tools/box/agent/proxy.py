"""Who connects to an address of a Service is connected to one of its ready endpoints, as kube-proxy has it."""

import asyncio
import random
from collections.abc import Mapping

from llmd_tools.box.agent.forwards import Address
from llmd_tools.box.doorman import connect


class ServiceProxy:
    """Listens on the addresses of Services, all of which are this machine's own in the private network.

    A Service without ready endpoints has no listener, so that a connection is refused. Endpoints see the proxy as
    their client, not the pod that asked.
    """

    def __init__(self) -> None:
        """Begin without any Service."""
        self._targets: dict[Address, tuple[Address, ...]] = {}
        self._servers: dict[Address, asyncio.Server] = {}

    async def update(self, targets: Mapping[Address, tuple[Address, ...]]) -> None:
        """Serve these addresses from now on, and no others; open connections stay."""
        self._targets = dict(targets)
        for address in self._servers.keys() - targets.keys():
            self._servers.pop(address).close()
        for address in targets.keys() - self._servers.keys():
            self._servers[address] = await self._listen(address)

    async def _listen(self, address: Address) -> asyncio.Server:
        async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            host, port = random.choice(self._targets[address])  # noqa: S311 - kube-proxy's own choice
            await connect((reader, writer), host, port)

        return await asyncio.start_server(welcome, *address, backlog=1024)
