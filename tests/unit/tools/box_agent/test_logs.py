"""Which log is shown, and how much of it."""

from pathlib import Path

import pytest

from llmd_tools.box.agent.logs import log_of, tail


def test_the_last_run_is_shown(tmp_path: Path) -> None:
    """Runs are numbered, and the tenth comes after the ninth."""
    folder = tmp_path / "logs" / "main"
    folder.mkdir(parents=True)
    for number in (0, 9, 10):
        (folder / f"{number}.log").touch()
    assert log_of(tmp_path, "main") == folder / "10.log"
    assert log_of(tmp_path, "main", previous=True) == folder / "9.log"


def test_a_container_that_never_ran_has_no_log(tmp_path: Path) -> None:
    """Nor has one that ran once an earlier log."""
    assert log_of(tmp_path, "main") is None
    (tmp_path / "logs" / "main").mkdir(parents=True)
    (tmp_path / "logs" / "main" / "0.log").touch()
    assert log_of(tmp_path, "main", previous=True) is None


@pytest.mark.parametrize(
    ("lines", "expected"), [(None, b"a\nb\nc"), (0, b""), (1, b"c"), (2, b"b\nc"), (9, b"a\nb\nc")]
)
def test_the_last_lines_are_shown(lines: int | None, expected: bytes) -> None:
    """As many as are asked for, or as there are."""
    assert tail(b"a\nb\nc", lines) == expected
