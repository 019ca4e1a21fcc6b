"""What is made of the numbers of a load run."""

from io import StringIO
from xml.etree import ElementTree as ET

from rich.console import Console

from llmd_tools.box.load import Measured, table
from llmd_tools.box.plot import svg

_RUN = Measured(
    name="prefix-aware",
    seconds=10,
    answers=100,
    failures=3,
    first={5.0: 50, 20.0: 45, 300.0: 5},
    spread={"pod-a": 40, "pod-b": 60},
    cached=0.75,
)


def test_percentiles_are_times_that_occurred() -> None:
    """Half of the answers begin within the median, and the slowest counts for the last ones alone."""
    assert [_RUN.percentile(share) for share in (0.5, 0.51, 0.95, 1.0)] == [5.0, 20.0, 20.0, 300.0]


def test_table_has_throughput_latency_and_spread() -> None:
    """A row tells all that two ways of routing are compared by."""
    shown = StringIO()
    Console(width=200, file=shown).print(table([_RUN]))
    for part in ("prefix-aware", "100", "3", "10.0", "5 ms", "20 ms", "75%", "60/40"):
        assert part in shown.getvalue()


def test_picture_is_svg_with_a_line_for_each_run() -> None:
    """Any browser shows it, and it says whose numbers these are."""
    root = ET.fromstring(svg([_RUN, _RUN]))  # noqa: S314  # our own text
    texts = " ".join(text for element in root.iter() if (text := element.text))
    assert len(root.findall("{*}polyline")) == 2
    assert "simulator" in texts
