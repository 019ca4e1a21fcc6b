"""What each judge saw of each environment, as a table."""

from collections.abc import Iterable
from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True)
class Score:
    """One judge's work on one environment.

    Attributes:
        judge: Who judged.
        environment: What was judged.
        objects: How many objects of it.
        seconds: How long it took.
        notes: What was let pass or judged by something else, and why.
    """

    judge: str
    environment: str
    objects: int
    seconds: float
    notes: tuple[str, ...] = ()


def table(scores: Iterable[Score]) -> Table:
    """Environments down, judges across: objects judged, and the time it took."""
    found = list(scores)
    judges = sorted({score.judge for score in found})
    result = Table("environment", *judges, title="objects judged, and seconds")
    for environment in sorted({score.environment for score in found}):
        own = [score for score in found if score.environment == environment]
        cells = [_cell([score for score in own if score.judge == judge]) for judge in judges]
        result.add_row(environment, *cells)
    return result


def notes(scores: Iterable[Score]) -> list[str]:
    """What was let pass, once each, with the environments that it is true of."""
    found: dict[tuple[str, str], set[str]] = {}
    for score in scores:
        for note in score.notes:
            found.setdefault((score.judge, note), set()).add(score.environment)
    return [f"{judge}: {note} ({', '.join(sorted(where))})" for (judge, note), where in sorted(found.items())]


def _cell(scores: list[Score]) -> str:
    if not scores:
        return ""
    return f"{sum(score.objects for score in scores)}, {sum(score.seconds for score in scores):.1f} s"
