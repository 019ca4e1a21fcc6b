"""What `make demo` shows while the environment comes up: live tables on a terminal, else a line per change."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from llmd_tools.box.demo_state import State

_COLOURS = {
    "Synced": "green",
    "Healthy": "green",
    "Running": "green",
    "OutOfSync": "yellow",
    "Progressing": "yellow",
    "Pending": "yellow",
    "ContainerCreating": "yellow",
    "PodInitializing": "yellow",
    "Terminating": "dim",
    "Missing": "yellow",
}


class Show(Protocol):
    """Shows how everything stands by now."""

    def __call__(self, state: State) -> None:
        """Show it."""
        ...


@contextmanager
def view(console: Console, began: float) -> Generator[Show]:
    """Show states for as long as a block lasts.

    Args:
        console: Where to.
        began: When it all began, by the monotonic clock: lines tell the seconds since.
    """
    if not console.is_terminal:
        yield _Lines(console, began)
        return
    with Live(console=console, auto_refresh=False) as live:
        yield lambda state: live.update(tables(state), refresh=True)


class _Lines:
    """One line for each change, for logs."""

    def __init__(self, console: Console, began: float) -> None:
        self._console = console
        self._began = began
        self._last: dict[str, str] = {}

    def __call__(self, state: State) -> None:
        now = lines(state)
        changed = {name: line for name, line in now.items() if self._last.get(name) != line}
        gone = dict.fromkeys(self._last.keys() - now.keys(), "gone")
        seconds = time.monotonic() - self._began
        for name, line in {**changed, **gone}.items():
            self._console.print(
                f"{seconds:4.0f} s  {name}: {line}", highlight=False, markup=False, soft_wrap=True
            )
        self._last = now


def lines(state: State) -> dict[str, str]:
    """One line for each thing, by its name."""
    gateway = {"gateway": state.gateway} if state.gateway else {}
    return {
        **{
            f"application {each.name}": f"{each.sync or '-'}, {each.health or '-'}"
            for each in state.applications
        },
        **{f"pod {each.namespace}/{each.name}": f"{each.ready} {each.status}" for each in state.pods},
        **gateway,
    }


def tables(state: State) -> Group:
    """Applications by wave, the pods that are not ready, and the gateway: short enough for a terminal."""
    applications = Table("wave", "application", "sync", "health", title="Argo CD", title_justify="left")
    for each in state.applications:
        sync, health = _coloured(each.sync or "-"), _coloured(each.health or "-")
        applications.add_row(str(each.wave), each.name, sync, health)
    unready = [each for each in state.pods if not each.is_ready]
    ready = f"{len(state.pods) - len(unready)} of {len(state.pods)} pods are ready"
    pods = Table("namespace", "pod", "ready", "status", "restarts", title=ready, title_justify="left")
    for each in unready:
        pods.add_row(each.namespace, each.name, each.ready, _coloured(each.status), str(each.restarts or ""))
    gateway = Text(f"Gateway: {state.gateway or 'no address yet'}")
    return Group(applications, pods if unready else Text(ready), gateway)


def _coloured(word: str) -> Text:
    return Text(word, style=_COLOURS.get(word, "" if word in {"-", ""} else "red"))
