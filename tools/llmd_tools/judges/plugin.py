"""A pytest plugin that gathers what the judges saw, over all worker processes, and shows it at the end of a run."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import pytest
from rich.console import Console

from llmd_tools.judges.limits import limits
from llmd_tools.judges.scoreboard import Score, notes, table

_SCORES = pytest.StashKey[list[Score]]()
_OUTPUT = "llmd_judges"

Judged = Callable[..., None]
"""`judged(judge, environment, objects, notes=(), seconds=...)`; the time is the test's own unless it is given."""


def pytest_configure(config: pytest.Config) -> None:
    """Start without scores."""
    config.stash[_SCORES] = []


@pytest.fixture
def judged(request: pytest.FixtureRequest) -> Judged:
    """Tells how many objects of an environment this test has judged."""
    begun = time.monotonic()

    def tell(
        judge: str,
        environment: str,
        objects: int,
        notes: tuple[str, ...] = (),
        *,
        seconds: float | None = None,
    ) -> None:
        spent = time.monotonic() - begun if seconds is None else seconds
        request.config.stash[_SCORES].append(Score(judge, environment, objects, spent, notes))

    return tell


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand this worker's scores to the process that reports."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_OUTPUT] = [asdict(score) for score in session.config.stash[_SCORES]]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take the scores of a worker that is done."""
    output: Mapping[str, Any] = getattr(node, "workeroutput", {})
    node.config.stash[_SCORES] += [_score(**each) for each in output.get(_OUTPUT, [])]


def _score(*, notes: list[str], **rest: Any) -> Score:
    """A score that has been a message between processes, which knows no tuples."""
    return Score(**rest, notes=tuple(notes))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show the table, if any judge was at work."""
    scores = config.stash[_SCORES]
    if not scores:
        return
    console = Console(width=None if terminalreporter.isatty else 160)
    terminalreporter.write_line("")
    console.print(table(scores))
    for line in (*notes(scores), "", "What no program judges here:", *(f"- {each}" for each in limits())):
        console.print(line, soft_wrap=True, markup=False, highlight=False)
