"""Problems of the input as findings, so that code review shows them beside the lines too."""

from collections.abc import Iterator

from llmd_constructs.config.errors import InputError, Problem
from llmd_constructs.rules.model import Finding, Offence, Where, rule
from llmd_constructs.rules.view import View


def _nothing(view: View) -> Iterator[Offence]:
    del view
    return iter(())


INPUT = rule(
    "INPUT",
    "Environment files can be read, and say what can be built",
    symptom="Nothing is rendered.",
    cause="A file has a mistake, or asks for what does not work together.",
    instead="Mend what the message names.",
    source=("docs/schemas/environment.schema.json",),
)(_nothing)
"""Not a rule that could be waived or left out: without input there is nothing to hold rules against."""


def findings(error: InputError) -> list[Finding]:
    """Every problem as a finding."""
    return [_finding(problem) for problem in error.problems]


def _finding(problem: Problem) -> Finding:
    where = Where(problem.file, problem.line or 0, "", problem.field)
    return Finding(INPUT, "", where, problem.message, problem.instead or INPUT.instead)
