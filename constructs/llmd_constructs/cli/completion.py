"""What the shell offers for the words after a verb. It reads names alone, so that a key press is answered at once."""

import re
from collections.abc import Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

_PACKAGE = Path(__file__).parents[1]
_RULE = re.compile(r'^    "([A-Z]{2,4}-\d\d)",\n    "(.*)",$', re.MULTILINE)


def environments(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Environments of the working directory, but for those on the line already."""
    there = context.params.get(parameter.name or "")
    names = (path.stem for path in Path("environments").glob("*.yaml"))
    return _items(((name, "") for name in names if name not in (there or ())), begun)


def charts(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Charts of the working directory."""
    del context, parameter
    return _items(((path.parent.name, "") for path in Path("charts").glob("*/Chart.yaml")), begun)


def rules(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Rules with their titles, from the text of their modules: importing them would take half a second."""
    del context, parameter
    sources = (path.read_text("utf-8") for path in (_PACKAGE / "rules").glob("*.py"))
    return _items((rule for source in sources for rule in _RULE.findall(source)), begun.upper())


def _items(choices: Iterable[tuple[str, str]], begun: str) -> list[CompletionItem]:
    return [
        CompletionItem(name, help=title or None) for name, title in sorted(choices) if name.startswith(begun)
    ]
