"""`explain`: a rule, or a check of the preflight scripts."""

import shlex
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llmd_constructs.cli.batch import batch
from llmd_constructs.cli.progress import step
from llmd_constructs.config.errors import closest

if TYPE_CHECKING:
    from llmd_constructs.plan.model import EnvironmentPlan
    from llmd_constructs.reports.preflight import Check

PREFLIGHT = "PRE-"
"""How ids of the preflight scripts' checks begin."""


def run(root: Path, id: str) -> None:
    """Print one rule or check; leave with 1 if there is none of that id."""
    from llmd_constructs.rules import RULES
    from llmd_constructs.rules.report import explanation

    wanted = id.upper()
    if wanted in RULES:
        click.echo(explanation(RULES[wanted]))
    elif wanted.startswith(PREFLIGHT):
        _explain_check(root, wanted)
    else:
        _refuse(f"{id} is not a rule", id, RULES)


def _refuse(message: str, id: str, known: Collection[str]) -> None:
    """Say what was probably meant: an id, those of its topic, or the topics."""
    near = closest(id, known)
    topics = sorted({each.partition("-")[0] for each in known})
    topic = id.upper().partition("-")[0]
    meant = [each for each in known if each.startswith(f"{topic}-")]
    if near:
        instead = f"did you mean {near}?"
    elif meant:
        instead = f"{topic} has {', '.join(meant)}"
    else:
        instead = f"rules begin with {', '.join(topics)}, and docs/rules.md lists them"
    click.echo(f"{message}; {instead}", err=True)
    sys.exit(1)


@batch()
def _explain_check(root: Path, id: str) -> None:
    """A check as the first environment asks it: the command differs from one to the next."""
    with step("synthesizing"):
        from llmd_constructs.config.load import load_environments
        from llmd_constructs.synthesis import synthesize

        plan = synthesize(load_environments(root))
    asked = [(environment, check) for environment in plan.environments for check in _checks(environment)]
    found = [(environment.name, check) for environment, check in asked if check.id == id]
    if not found:
        _refuse(f"no environment asks {id}", id, sorted({check.id for _, check in asked}))
    click.echo(_explanation(*found[0], sorted({name for name, _ in found})))


def _checks(environment: "EnvironmentPlan") -> "Iterator[Check]":
    from llmd_constructs.reports.preflight import checks

    return iter(checks(environment))


def _explanation(environment: str, check: "Check", names: list[str]) -> str:
    least = f", and on it {check.least} or more" if check.least is not None else ""
    return "\n".join(
        [
            f"{check.id}: {check.title}",
            f"a check of docs/environments/{environment}/preflight.sh; asked by {', '.join(names)}",
            "",
            f"Asks     {shlex.join(check.command)}",
            f"Wants    a line that matches {check.wanted}{least}",
            f"Instead  {check.mend}",
        ]
    )
