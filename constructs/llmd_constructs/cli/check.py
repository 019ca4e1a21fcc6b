"""`check` and `explain`: the rules, and what they find."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from llmd_constructs.cli.batch import batch
from llmd_constructs.cli.progress import step
from llmd_constructs.config.errors import InputError, Problem, closest

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


def explain(id: str) -> None:
    """Print one rule."""
    from llmd_constructs.rules import RULES
    from llmd_constructs.rules.report import explanation

    known = RULES.get(id.upper())
    if known is None:
        near = closest(id, RULES)
        click.echo(
            f"{id} is not a rule; "
            + (f"did you mean {near}?" if near else f"the rules are {', '.join(RULES)}"),
            err=True,
        )
        sys.exit(1)
    click.echo(explanation(known))


@batch()
def _findings(root: Path, names: Sequence[str]) -> "list[Finding]":
    with step("reading environments"):
        from llmd_constructs.config.load import ENVIRONMENTS, load_environments

        loaded = load_environments(root)
    known = [item.name for item in loaded]
    unknown = [
        Problem(ENVIRONMENTS, None, "", f"holds no environment '{name}'", f"write one of {', '.join(known)}")
        for name in names
        if name not in known
    ]
    if unknown:
        raise InputError(unknown)
    chosen = [item for item in loaded if not names or item.name in names]
    with step(f"checking {len(chosen)} environments"):
        from llmd_constructs.rules.check import check_plan
        from llmd_constructs.synthesis import synthesize

        return check_plan(synthesize(chosen), chosen)
