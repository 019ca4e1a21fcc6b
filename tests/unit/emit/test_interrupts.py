"""Signals end a run before files move or after, never in between; a killed run leaves nothing behind for long."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from llmd_constructs.emit.tree import GENERATED_HEADER, write_tree

BEFORE = {f"dist/{name}.yaml": f"{GENERATED_HEADER}\n{name}\n" for name in "abc"}
AFTER = {f"dist/{name}.yaml": f"{GENERATED_HEADER}\n{name} is new\n" for name in "bcd"}

SCRIPT = """
import os, signal, sys
from pathlib import Path
from llmd_constructs.emit.tree import write_tree

# Whoever started the tests may have had signals ignored, as nohup and background jobs do.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
root, files, call, signals, before = Path(sys.argv[1]), eval(sys.argv[2]), sys.argv[3], eval(sys.argv[4]), sys.argv[5]
exec(before)
usual, turns = getattr(os, call), iter(range(1000))

def interrupted(*args):
    if next(turns) == 1:
        for number in signals:
            os.kill(os.getpid(), number)
    return usual(*args)

setattr(os, call, interrupted)
try:
    write_tree(root, files, ["dist"])
except BaseException as error:
    print(type(error).__name__)
    raise
print("done")
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository after a first run."""
    write_tree(tmp_path, BEFORE, ["dist"])
    return tmp_path


def run(
    root: Path, call: str, *signals: signal.Signals, before: str = ""
) -> subprocess.CompletedProcess[str]:
    """A run that gets signals at its second `call` to the system."""
    numbers = [int(number) for number in signals]
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, str(root), repr(AFTER), call, repr(numbers), before],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )


def contents(root: Path) -> dict[str, str]:
    """The text of every file below a folder."""
    return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_staging_changes_nothing(root: Path, number: signal.Signals) -> None:
    """The process ends of the signal; the folders are as before and the staging folder is gone."""
    assert run(root, "write", number).returncode == -number
    assert contents(root) == BEFORE
    assert [path.name for path in root.iterdir()] == ["dist"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_files_move_waits(root: Path, number: signal.Signals) -> None:
    """All files are put in place before the process ends of the signal."""
    assert run(root, "replace", number).returncode == -number
    assert contents(root) == AFTER
    assert [path.name for path in root.iterdir()] == ["dist"]


@pytest.mark.parametrize(("call", "files"), [("write", BEFORE), ("replace", AFTER)])
def test_control_c_is_a_keyboard_interrupt_as_usual(root: Path, call: str, files: dict[str, str]) -> None:
    """The caller sees `KeyboardInterrupt` after the folders are whole again."""
    assert run(root, call, signal.SIGINT).stdout == "KeyboardInterrupt\n"
    assert contents(root) == files


def test_impatience_does_no_harm(root: Path) -> None:
    """Many signals count once each and cannot break the second half."""
    assert run(root, "replace", *[signal.SIGINT] * 5).stdout == "KeyboardInterrupt\n"
    assert contents(root) == AFTER


def test_an_ignored_signal_stays_ignored(root: Path) -> None:
    """Under nohup the run goes on to its end."""
    ignored = "signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    assert run(root, "write", signal.SIGHUP, before=ignored).stdout == "done\n"
    assert contents(root) == AFTER


def test_a_handler_that_returns_does_not_make_an_aborted_run_a_success(root: Path) -> None:
    """The run reports that it was interrupted, and the handler of the program was called."""
    handler = "signal.signal(signal.SIGTERM, lambda *_: print('handled'))"
    result = run(root, "write", signal.SIGTERM, before=handler)
    assert result.stdout == "handled\nWriteFailed\n"
    assert "the run was interrupted; nothing was changed" in result.stderr
    assert contents(root) == BEFORE


def test_a_signal_is_delivered_once(root: Path) -> None:
    """However often it came while files moved, the program's handler is called once at the end."""
    handler = "signal.signal(signal.SIGTERM, lambda *_: print('handled'))"
    assert run(root, "replace", *[signal.SIGTERM] * 5, before=handler).stdout == "handled\ndone\n"
    assert contents(root) == AFTER


def test_handlers_are_given_back(root: Path) -> None:
    """After a run the program's own handlers are in place again."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    write_tree(root, AFTER, ["dist"])
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


def test_a_run_killed_while_staging_changes_nothing(root: Path) -> None:
    """What `kill -9` leaves behind is one staging folder, which the next run removes."""
    assert run(root, "write", signal.SIGKILL).returncode == -signal.SIGKILL
    assert {path: text for path, text in contents(root).items() if path.startswith("dist/")} == BEFORE
    assert len(list(root.glob(".llmd-staging-*"))) == 1
    write_tree(root, BEFORE, ["dist"])
    assert [path.name for path in root.iterdir()] == ["dist"]


def test_a_run_killed_while_files_move_is_repaired_by_the_next(root: Path) -> None:
    """The next run brings the folders to the end, whatever half was done."""
    assert run(root, "replace", signal.SIGKILL).returncode == -signal.SIGKILL
    assert contents(root) not in (BEFORE, AFTER)
    write_tree(root, AFTER, ["dist"])
    assert contents(root) == AFTER


def test_a_stale_staging_link_is_not_followed(root: Path, tmp_path: Path) -> None:
    """A link of that name is not a staging folder; what it points to stays."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/a").write_text("mine")
    (root / ".llmd-staging-x").symlink_to(tmp_path / "mine")
    write_tree(root, AFTER, ["dist"])
    assert (tmp_path / "mine/a").read_text() == "mine"
