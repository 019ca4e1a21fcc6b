"""A word about what is going on, where somebody is watching."""

import sys
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def step(title: str) -> Generator[None]:
    """Show a spinner on a terminal; say nothing where the output goes into a file or a log."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(title):
        yield
