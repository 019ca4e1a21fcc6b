"""`check`: what the rules find."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from llmd_constructs.cli.batch import batch
from llmd_constructs.cli.progress import step
from llmd_constructs.config.errors import InputError

if TYPE_CHECKING:
    from llmd_constructs.rules.model import Finding

Format = Literal["text", "json", "sarif"]


def run(root: Path, names: Sequence[str], form: Format) -> None:
    """Print every finding; leave with 1 if one of them stops a synthesis."""
    from llmd_constructs.rules import report

    try:
        found = _findings(root, names)
    except InputError as error:
        if form == "text":
            raise
        from llmd_constructs.rules.input import findings

        found = findings(error)
    writers = {"text": report.text, "json": report.as_json, "sarif": report.sarif}
    click.echo(writers[form](found))
    if any(finding.fails for finding in found):
        sys.exit(1)


@batch()
def _findings(root: Path, names: Sequence[str]) -> "list[Finding]":
    with step("reading environments"):
        from llmd_constructs.cli.environments import named
        from llmd_constructs.config.load import load_environments

        loaded = load_environments(root)
        wanted = named(root, names)
    chosen = [item for item in loaded if not names or item.name in wanted]
    with step(f"checking {len(chosen)} environments"):
        from llmd_constructs.rules.check import check_plan
        from llmd_constructs.synthesis import synthesize

        return check_plan(synthesize(chosen), chosen)
