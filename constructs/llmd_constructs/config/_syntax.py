"""What libyaml says about broken syntax, in words that name the remedy."""

from typing import Final

from yaml import Mark
from yaml.error import MarkedYAMLError

_UNCLOSED: Final = ("did not find expected ',' or ']'", "did not find expected ',' or '}'")
_OPEN_QUOTE: Final = "found unexpected end of stream"
_NO_TOKEN: Final = "found character that cannot start any token"  # noqa: S105 - a token of YAML
_TABS: Final = (
    "found a tab character that violates indentation",
    "found a tab character where an indentation space",
)
_CHECK: Final = "check the indentation and the quotes"
_WORDS: Final = {
    "mapping values are not allowed in this context": (
        "has a `: ` where no value can begin",
        "put text that holds `: ` in quotes, or mend the indentation",
    ),
    _OPEN_QUOTE: ("a quote is opened here and never closed", "close it"),
    "did not find expected key": ("expected `key: value` here", _CHECK),
    "could not find expected ':'": ("expected `key: value` here", _CHECK),
    "did not find expected '-' indicator": (
        "expected a list item here",
        "begin it with `- `, indented as its list",
    ),
    "block sequence entries are not allowed in this context": (
        "a list cannot begin here",
        "begin it on a line of its own",
    ),
    "did not find expected node content": ("a value is missing here", "check the commas and brackets"),
    "did not find expected <document start>": (
        "the file should end here",
        "check the indentation and the brackets",
    ),
    "did not find expected alphabetic or numeric character": (
        "a value cannot begin with `*` or `&`",
        "put it in quotes",
    ),
    "found unknown escape character": (
        "has a backslash that escapes nothing",
        "write it twice, or use single quotes",
    ),
}
USE_SPACES: Final = ("is indented with a tab", "indent with spaces")


def explain(error: MarkedYAMLError, text: str) -> tuple[int, str, str]:
    """Line (from 1), what is wrong, what to write instead."""
    lines = text.splitlines() or [""]
    open_quote = error.problem == _OPEN_QUOTE
    mark = (error.context_mark if open_quote else None) or error.problem_mark
    # At the end of the file libyaml names the line after the last.
    line = min(mark.line, len(lines) - 1) if mark else 0
    at = lines[line][mark.column : mark.column + 1] if mark else ""
    message, instead = _explanation(error.problem or "", at, error.context_mark)
    return line + 1, message, instead


def _explanation(problem: str, at: str, opened: Mark | None) -> tuple[str, str]:
    if problem.startswith(_TABS) or (problem == _NO_TOKEN and at == "\t"):
        return USE_SPACES
    if problem == _NO_TOKEN:
        return (f"a value cannot begin with {at}", "put it in quotes")
    since = f" opened on line {opened.line + 1}" if opened else ""
    if problem in _UNCLOSED:
        return (f"the bracket{since} is not closed before this", f"expected a comma or {problem[-2]}")
    return _WORDS.get(problem, (f"is not valid YAML: {problem}", _CHECK))
