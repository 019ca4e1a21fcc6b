"""Failures that the user can mend: no traceback, exit code 1."""

import sys
from collections.abc import Generator
from contextlib import contextmanager

import click

from llmd_constructs.config.errors import InputError
from llmd_constructs.emit.errors import OutputError


@contextmanager
def readable_failures(*, writes: bool) -> Generator[None]:
    """Print the text of an expected failure on standard error and leave with 1; `writes` is what the verb does."""
    try:
        yield
    except InputError as error:
        count = len(error.problems)
        click.echo(str(error), err=True)
        done = "; nothing was written" if writes else ""
        click.echo(f"\n{count} problem{'' if count == 1 else 's'}{done}", err=True)
        sys.exit(1)
    except OutputError as error:
        click.echo(f"{error}\nnothing was written", err=True)
        sys.exit(1)
