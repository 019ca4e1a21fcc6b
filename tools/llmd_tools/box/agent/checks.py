"""One look at a container, as a probe asks for it: over HTTP, gRPC or TCP, or by a command inside."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from typing import Any

import aiohttp

from llmd_tools.judges.grpc_health import Health, health

Execute = Callable[[Sequence[str]], Awaitable[tuple[int, str]]]
"""Runs a command inside a container: exit status and output."""

_MOST = 200
"""Characters of an answer that a message quotes."""


async def check(
    action: Mapping[str, Any], address: str, container: Mapping[str, Any], execute: Execute, seconds: float
) -> str | None:
    """Why a look finds a container unwell; None if it is well.

    Args:
        action: What to do: the part of the manifest with `httpGet`, `grpc`, `tcpSocket` or `exec`.
        address: The pod's address.
        container: Whose ports may be named.
        execute: Runs a command inside it.
        seconds: How long the answer may take.
    """
    try:
        async with asyncio.timeout(seconds):
            return await _look(action, address, container, execute)
    except TimeoutError:
        return f"no answer within {seconds:g} s"
    except (aiohttp.ClientError, OSError) as error:
        return str(error) or type(error).__name__


async def _look(
    action: Mapping[str, Any], address: str, container: Mapping[str, Any], execute: Execute
) -> str | None:
    if "exec" in action:
        status, output = await execute(action["exec"]["command"])
        return None if status == 0 else f"exit status {status}: {output.strip()[:_MOST]}"
    if "httpGet" in action:
        return await _http(action["httpGet"], address, container)
    if "grpc" in action:
        grpc = action["grpc"]
        return await _grpc(address, grpc["port"], grpc.get("service") or "")
    tcp = action["tcpSocket"]
    _, writer = await asyncio.open_connection(tcp.get("host") or address, port_of(tcp["port"], container))
    writer.close()
    return None


async def _http(get: Mapping[str, Any], address: str, container: Mapping[str, Any]) -> str | None:
    scheme = get.get("scheme", "HTTP").lower()
    url = f"{scheme}://{get.get('host') or address}:{port_of(get['port'], container)}/{get.get('path', '/').lstrip('/')}"
    headers = {"User-Agent": "kube-probe/1.36", "Accept": "*/*"}
    headers |= {each["name"]: each["value"] for each in get.get("httpHeaders", [])}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(url, ssl=_unchecked()) as answer,
    ):
        if answer.status < 400:
            return None
        return f"HTTP probe failed with statuscode: {answer.status}"


@cache
def _unchecked() -> ssl.SSLContext:
    """Probes do not check certificates: a pod's address is in none."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _grpc(address: str, port: int, service: str) -> str | None:
    found = await asyncio.to_thread(health, port, service, address)
    if found is Health.SERVING:
        return None
    if found is None:
        return f'service "{service}" of {address}:{port} does not answer, or is not known'
    return f"service unhealthy (responded with {found.name!r})"


def port_of(port: int | str, container: Mapping[str, Any]) -> int:
    """The number of a port that a probe gives as a number or by its name.

    Raises:
        OSError: If the container has no port of that name.
    """
    if isinstance(port, int) or port.isdigit():
        return int(port)
    for each in container.get("ports", []):
        if each.get("name") == port:
            return int(each["containerPort"])
    raise OSError(f"the container has no port named {port!r}")
