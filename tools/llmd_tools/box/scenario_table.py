"""A pytest plugin that shows what scenarios of the box saw, as a table at the end of a run."""

from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

_SEEN = "seen in the box"
"""Name of the property of a test's report; reports come from all worker processes."""

Told = Callable[[str, str, str], None]
"""`told(environment, scenario, line)`: a line of what was seen."""


@pytest.fixture
def told(record_property: Callable[[str, object], None]) -> Told:
    """Tells what a scenario has seen."""
    return lambda environment, scenario, line: record_property(_SEEN, [environment, scenario, line])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the table, if any scenario was run."""
    table = Table("environment", "scenario", "result", "what was seen", "seconds", show_lines=True)
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            lines: list[Any] = [value for name, value in report.user_properties if name == _SEEN]
            if lines:
                environment, scenario, _ = lines[0]
                seen = "\n".join(line for *_, line in lines)
                table.add_row(environment, scenario, outcome, seen, f"{report.duration:.1f}")
    if table.row_count:
        terminalreporter.write_line("")
        Console(markup=False, width=None if terminalreporter.isatty else 160).print(table)
