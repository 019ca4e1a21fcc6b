"""What a rule is, and what it finds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from llmd_constructs.rules.view import View

Severity = Literal["error", "warning", "note"]
"""`error`: would not work on the cluster. `warning`: works, and bites later. `note`: worth knowing."""

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""The gravest first."""


@dataclass(frozen=True, order=True)
class Where:
    """A place in a file that a user wrote, or in a rendered manifest."""

    file: str
    """Path from the root of the repository, with `/`."""
    line: int = 0
    """Counted from 1, where a user wrote the value; 0 in a rendered manifest, which has no line of its own."""
    object: str = ""
    """`Kind namespace/name` of an object; empty for a setting of the environment file."""
    field: str = ""
    """Path to the value, such as `spec.default.timeoutSec`."""
    patched: str = ""
    """File and line of a patch that changes the object elsewhere; empty if there is none."""

    def __str__(self) -> str:
        file = f"{self.file}:{self.line}" if self.line else self.file
        title = f"{self.object} (patched at {self.patched})" if self.patched else self.object
        return ": ".join(part for part in (file, title, self.field) if part)


@dataclass(frozen=True)
class Offence:
    """One place that breaks a rule, as its check reports it."""

    where: Where
    message: str
    """What is wrong here, with the values that contradict each other."""
    instead: str = ""
    """What to write here instead. Empty: what the rule says in general."""


Check = Callable[["View"], Iterator[Offence]]
"""Looks at one environment and yields every offence."""


@dataclass(frozen=True)
class Rule:
    """One known failure and how to see it before it happens."""

    id: str
    """Stable: people write it into waivers and search for it."""
    title: str
    """The law, in one line."""
    severity: Severity
    waivable: bool
    """Whether an environment may keep an offence, with a reason. Not where the cluster would break."""
    symptom: str
    """What a user sees on the cluster."""
    cause: str
    """Why that happens."""
    instead: str
    """What to write instead."""
    source: tuple[str, ...]
    """Failure mode, public documentation, issue, or a seed's section."""
    check: Check


@dataclass(frozen=True)
class Finding:
    """An offence with the rule it breaks."""

    rule: Rule
    environment: str
    where: Where
    message: str
    instead: str
    waiver: str = ""
    """The reason for which the environment keeps it; empty if it does not."""

    @property
    def fails(self) -> bool:
        """Whether it stops a synthesis."""
        return self.rule.severity == "error" and not self.waiver


def rule(
    id: str,
    title: str,
    *,
    symptom: str,
    cause: str,
    instead: str,
    source: tuple[str, ...],
    severity: Severity = "error",
    waivable: bool | None = None,
) -> Callable[[Check], Rule]:
    """Make a rule of the check below it.

    Args:
        id: See `Rule`.
        title: See `Rule`.
        symptom: See `Rule`.
        cause: See `Rule`.
        instead: See `Rule`.
        source: See `Rule`.
        severity: See `Rule`.
        waivable: Default: everything but an error.
    """
    allowed = severity != "error" if waivable is None else waivable

    def make(check: Check) -> Rule:
        return Rule(id, title, severity, allowed, symptom, cause, instead, source, check)

    return make
