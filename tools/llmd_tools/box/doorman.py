"""The first process of the private network: it sets up the bridge, and opens doors into the network from outside.

Run as a script, with the number of a socket as its argument. Each message on that socket is an address, as JSON
`[host, port]`, with a listening socket of the world outside: whoever connects to that is connected to the address.
When the socket closes, its owner has ended, and so does the network with every process in it.
"""

import asyncio
import json
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

_BRIDGE = "pods"
_SETUP = f"""\
link set lo up
link add {_BRIDGE} type bridge
addr add 10.244.0.1/16 dev {_BRIDGE}
link set {_BRIDGE} up
route add local 10.96.0.0/16 dev lo
route add local 10.97.0.0/16 dev lo
"""
_CHUNK = 1 << 16


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(_CHUNK):
            sink.write(data)
            await sink.drain()
        if sink.can_write_eof():
            sink.write_eof()


async def connect(outer: tuple[asyncio.StreamReader, asyncio.StreamWriter], host: str, port: int) -> None:
    """Connect a connection to an address, until both sides have ended."""
    reader, writer = outer
    try:
        inner_reader, inner_writer = await asyncio.open_connection(host, port)
    except OSError:
        writer.transport.abort()
        return
    try:
        await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))
    finally:
        inner_writer.close()
        writer.close()


async def _open(listener: socket.socket, host: str, port: int) -> asyncio.Server:
    async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await connect((reader, writer), host, port)

    return await asyncio.start_server(welcome, sock=listener)


async def _serve(owner: socket.socket) -> None:
    loop, doors = asyncio.get_running_loop(), list[asyncio.Server]()
    ended = loop.create_future()

    def hear() -> None:
        message, fds, _, _ = socket.recv_fds(owner, 1024, 1)
        if not message:
            loop.remove_reader(owner)
            ended.set_result(None)
            return
        host, port = json.loads(message)
        task = loop.create_task(_open(socket.socket(fileno=fds[0]), host, port))
        task.add_done_callback(lambda done: doors.append(done.result()))

    loop.add_reader(owner, hear)
    await ended


def main() -> None:
    """Set the network up, say so, and open doors until the owner is gone."""
    subprocess.run(["ip", "-batch", "-"], input=_SETUP, text=True, check=True)
    subprocess.run(["mount", "-t", "tmpfs", "run", "/run"], check=True)
    Path("/run/netns").mkdir()
    signal.signal(
        signal.SIGCHLD, signal.SIG_IGN
    )  # orphans come to the first process, which lets the kernel bury them
    owner = socket.socket(fileno=int(sys.argv[1]))
    owner.send(b"ready")
    asyncio.run(_serve(owner))


if __name__ == "__main__":
    main()
