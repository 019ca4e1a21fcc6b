"""Progress of long work: a live line on a terminal, a plain line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

_PLAIN_EVERY = 30.0
"""Seconds between two plain lines: enough to see that a build lives, few enough for a CI log."""


@contextmanager
def activity(what: str) -> Generator[Callable[[str], None]]:
    """Show that `what` is under way; the function that is handed out tells how far it has come.

    It is called often; on a terminal each call shows, elsewhere one in thirty seconds.
    """
    console = Console(stderr=True)
    started = time.monotonic()
    if console.is_terminal:
        with Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        ) as live:
            task = live.add_task(what)
            yield lambda detail: live.update(task, description=f"{what}: {detail}")
    else:
        say(what)
        yield _plain(what, started)
    say(f"{what}: done in {_clock(time.monotonic() - started)}")


def _plain(what: str, started: float) -> Callable[[str], None]:
    last = started

    def tell(detail: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _PLAIN_EVERY:
            last = now
            say(f"{what}: {detail}, {_clock(now - started)}")

    return tell


def say(line: str) -> None:
    """One line about the work, where it does not mix with results."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201  # progress goes to the user


def _clock(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{whole} s"
