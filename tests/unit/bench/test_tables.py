"""Tables show seconds, and ratios to this repository."""

import pytest

from llmd_bench.contestants.ours import NAME as OURS
from llmd_bench.grid import Grid, as_markdown, as_rich
from llmd_bench.measure import Cost
from llmd_bench.rounds import Measured
from llmd_bench.steps import durations
from llmd_bench.tables import overview, ratio, seconds, size_table, steps_table

_MEASURED = {
    OURS: Measured(Cost(0.5, 0.4, 80e6), 9),
    "rival": Measured(Cost(1.5, 0.1, 40e6), 7),
}


@pytest.mark.parametrize(
    ("value", "text"), [(0.0421, "0.042"), (0.9, "0.900"), (3.14159, "3.14"), (64.21, "64.2")]
)
def test_seconds_show_three_digits(value: float, text: str) -> None:
    """Short and long runs are shown to the same precision."""
    assert seconds(value) == text


@pytest.mark.parametrize(("value", "text"), [(3.0, "1.5x"), (2.0, "1.0x"), (0.5, "0.25x")])
def test_a_ratio_says_how_many_times_the_base(value: float, text: str) -> None:
    """More than the base is more than one."""
    assert ratio(value, 2.0) == text


def test_a_size_shows_every_cost_with_its_ratio() -> None:
    """Time, processor time and memory each stand beside their ratio."""
    rows = size_table(10, _MEASURED).rows
    assert rows[0] == [OURS, "0.500", "1.0x", "0.400", "1.0x", "80", "1.0x", "9"]
    assert rows[1] == ["rival", "1.50", "3.0x", "0.100", "0.25x", "40", "0.50x", "7"]


def test_the_overview_has_a_column_per_size() -> None:
    """The ratio of wall time at each size, in one line per contestant."""
    slower = {**_MEASURED, "rival": Measured(Cost(5.0, 1.0, 1.0), 1)}
    grid = overview({1: _MEASURED, 10: slower})
    assert grid.columns[1:] == ["1", "10"]
    assert grid.rows[1] == ["rival", "3.0x", "10.0x"]


def test_steps_show_their_share() -> None:
    """Each step stands with its milliseconds and its part of the whole."""
    grid = steps_table({"30": {"start node": 0.3, "YAML": 0.1}})
    assert grid.rows == [["start node", "300 (75%)"], ["YAML", "100 (25%)"], ["total", "400"]]


def test_durations_run_from_mark_to_mark() -> None:
    """The first step begins when the process is started."""
    assert durations(10.0, [("start", 10.5), ("work", 12.0)]) == {"start": 0.5, "work": 1.5}


def test_a_grid_is_a_markdown_table() -> None:
    """Names to the left, numbers to the right."""
    text = as_markdown(Grid("Sizes", ["tool", "s"], [["a", "1"], ["b", "22"]]))
    assert text == "## Sizes\n\n| tool | s |\n| --- | ---: |\n| a | 1 |\n| b | 22 |\n"


def test_a_grid_is_a_table_on_the_terminal() -> None:
    """Every row and column of the grid is there."""
    table = as_rich(Grid("Sizes", ["tool", "s"], [["a", "1"], ["b", "22"]]))
    assert (table.row_count, len(table.columns), table.title) == (2, 2, "Sizes")
