"""Tables, for a terminal and for Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True)
class Grid:
    """A table; its first column names the rows, all others hold numbers."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def as_rich(grid: Grid) -> Table:
    """For the terminal."""
    table = Table(title=grid.title, title_justify="left", title_style="bold")
    for number, column in enumerate(grid.columns):
        table.add_column(column, justify="right" if number else "left")
    for row in grid.rows:
        table.add_row(*row)
    return table


def as_markdown(grid: Grid) -> str:
    """For a page."""
    lines = [grid.columns, ["---", *("---:" for _ in grid.columns[1:])], *grid.rows]
    return "\n".join([f"## {grid.title}", "", *(f"| {' | '.join(line)} |" for line in lines), ""])
