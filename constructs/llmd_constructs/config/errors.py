"""What is wrong with the user's input, where, and what to write instead."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

ValuePath = tuple[str | int, ...]
"""Keys and list indexes that lead from the top of a file to a value."""

MOST_PROBLEMS = 100
"""Problems listed at once. More of them help nobody, and finding them could take for ever."""

_LONGEST_SHOWN = 60
# Between difflib's own 0.6, which takes `on` for `zone`, and 0.75, which one wrong letter in four costs.
_SIMILAR = 0.7
_SHORTEST_START = 3
_PLAIN_KEY = re.compile(r"[\w-]+")


@dataclass(frozen=True)
class Problem:
    """One thing wrong with one file."""

    file: str
    """Path from the root of the repository, with `/`."""
    line: int | None
    """Line, counted from 1; `None` for the file as a whole."""
    field: str
    """Path to the value, such as `deployments[0].engine`; empty for the file as a whole."""
    message: str
    """What is wrong."""
    instead: str = ""
    """What to write instead; empty where the message says it."""

    def __str__(self) -> str:
        where = ":".join(part for part in (self.file, str(self.line or "")) if part)
        what = "; ".join(part for part in (self.message, self.instead) if part)
        return ": ".join(part for part in (where, self.field, what) if part)

    def __lt__(self, other: "Problem") -> bool:
        return self._order < other._order

    @property
    def _order(self) -> tuple[str, int, str, str, str]:
        return (self.file, self.line or 0, self.field, self.message, self.instead)


class InputError(Exception):
    """The user's input cannot be used. Holds every problem found, each once, in order of file and line."""

    problems: tuple[Problem, ...]

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


def capped(problems: Sequence[Problem]) -> list[Problem]:
    """The first problems, with a last one that says so where there are more."""
    if len(problems) <= MOST_PROBLEMS:
        return list(problems)
    last = problems[MOST_PROBLEMS - 1]
    more = Problem(
        last.file,
        last.line,
        "",
        f"has more than the {MOST_PROBLEMS} problems listed here",
        "mend these first",
    )
    return [*problems[:MOST_PROBLEMS], more]


def dotted(path: ValuePath) -> str:
    """`("deployments", 0, "name")` as people write it: `deployments[0].name`."""
    return "".join(_part(part) for part in path).removeprefix(".")


def shown(text: str) -> str:
    """The text in quotes, on one line, cut short where it is long."""
    return repr(_short(text))


def described(value: object, literal: str | None = None) -> str:
    """The value in words: `the text 'x'`, `the number 3`, `a list`. `literal` is what was typed."""
    if value is None:
        return "empty"
    if isinstance(value, str):
        return f"the text {shown(value)}"
    if isinstance(value, bool):
        word = str(value).lower()
        return word if literal in (None, word) else f"the word {literal}, which YAML reads as {word}"
    if isinstance(value, int | float):
        return f"the number {literal or value}"
    return "a mapping" if isinstance(value, dict) else "a list"


def closest(text: str, choices: Iterable[str]) -> str:
    """The choice that was probably meant, whatever its case, dashes and underscores; empty if none is near."""
    bare = _bare(text)
    if len(bare) > _LONGEST_SHOWN:
        return ""
    spelled = {_bare(choice): choice for choice in choices}
    near = get_close_matches(bare, spelled, n=1, cutoff=_SIMILAR)
    begun = [choice for choice in spelled if len(bare) >= _SHORTEST_START and choice.startswith(bare)]
    found = near or (begun if len(begun) == 1 else [])
    return spelled[found[0]] if found else ""


def _bare(text: str) -> str:
    return text.lower().replace("-", "").replace("_", "")


def _part(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    if _PLAIN_KEY.fullmatch(part) and len(part) <= _LONGEST_SHOWN:
        return f".{part}"
    return f"[{json.dumps(_short(part), ensure_ascii=False)}]"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"
