"""Commands that the agent runs to the end."""

import asyncio
from collections.abc import Sequence


class CommandError(Exception):
    """A command failed; the message has its own words."""


async def run(command: Sequence[str], stdin: str = "") -> str:
    """What a command prints.

    Raises:
        CommandError: If it fails.
    """
    status, output = await run_freely(command, stdin)
    if status:
        raise CommandError(f"{' '.join(command)}: {output.strip()}")
    return output


async def run_freely(command: Sequence[str], stdin: str = "") -> tuple[int, str]:
    """The exit status of a command, and what it prints; it is ended if the caller is cancelled."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate(stdin.encode())
    except asyncio.CancelledError:
        if process.returncode is None:
            process.kill()
        raise
    return process.returncode or 0, output.decode(errors="replace")
