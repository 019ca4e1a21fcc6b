"""What containers print, given out as a kubelet does, so that `kubectl logs` works."""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from llmd_tools.box.agent.api import Key

_POLL_SECONDS = 0.2


def log_of(pod_folder: Path, container: str, *, previous: bool = False) -> Path | None:
    """The log of a container's last run, or of the one before it; None if there was none.

    Args:
        pod_folder: The pod's.
        container: Its name.
        previous: Whether the run before is meant.
    """
    files = sorted((pod_folder / "logs" / container).glob("*.log"), key=lambda file: int(file.stem))
    wanted = files[:-1] if previous else files
    return wanted[-1] if wanted else None


def tail(text: bytes, lines: int | None) -> bytes:
    """The last lines of a text; all of it without a number."""
    if lines is None:
        return text
    return b"".join(text.splitlines(keepends=True)[-lines:]) if lines else b""


class LogServer:
    """Answers the API server when somebody asks for a log."""

    def __init__(self, folder_of: Callable[[Key], Path | None]) -> None:
        """Describe it.

        Args:
            folder_of: The folder of a pod.
        """
        self._folder_of = folder_of

    async def start(self, address: str, port: int, certificate: Path, key: Path) -> None:
        """Serve, until the event loop ends."""
        application = web.Application()
        application.router.add_get("/containerLogs/{namespace}/{pod}/{container}", self._answer)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        await web.TCPSite(runner, address, port, ssl_context=context).start()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        pod = request.match_info["namespace"], request.match_info["pod"]
        folder = self._folder_of(pod)
        previous = request.query.get("previous") == "true"
        log = log_of(folder, request.match_info["container"], previous=previous) if folder else None
        if log is None:
            raise web.HTTPNotFound(text="this container has not run yet\n")
        lines = request.query.get("tailLines")
        text = tail(log.read_bytes(), int(lines) if lines else None)
        response = web.StreamResponse()
        response.content_type = "text/plain"
        await response.prepare(request)
        await response.write(text)
        if request.query.get("follow") == "true":
            await _follow(log, response)
        await response.write_eof()
        return response


async def _follow(log: Path, response: web.StreamResponse) -> None:
    """Write what is added to a log, until the container runs anew or the reader leaves."""
    with log.open("rb") as source:
        source.seek(0, 2)
        while not (log.parent / f"{int(log.stem) + 1}.log").exists():
            if added := source.read():
                await response.write(added)
            else:
                await asyncio.sleep(_POLL_SECONDS)
