"""The cache: a folder in it is whole, made once, and found again."""

import threading
from pathlib import Path

import pytest

from llmd_tools import cache
from llmd_tools.errors import ToolError


def test_variable_names_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """LLMD_TOOLS_CACHE wins over the user's cache folder."""
    monkeypatch.setenv("LLMD_TOOLS_CACHE", str(tmp_path))
    assert cache.cache_root() == tmp_path


@pytest.mark.parametrize(
    ("platform", "expected"), [("linux", ".cache/llmd-tools"), ("darwin", "Library/Caches/llmd-tools")]
)
def test_default_folder_is_the_platforms_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, platform: str, expected: str
) -> None:
    """Without a variable, each platform's usual place for caches is used."""
    monkeypatch.delenv("LLMD_TOOLS_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(cache.sys, "platform", platform)
    assert cache.cache_root() == tmp_path / expected


def test_xdg_folder_is_honoured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On Linux the desktop standard's variable moves the cache."""
    monkeypatch.delenv("LLMD_TOOLS_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(cache.sys, "platform", "linux")
    assert cache.cache_root() == tmp_path / "llmd-tools"


def test_key_tells_inputs_apart() -> None:
    """Where one input ends and the next begins is part of the key."""
    assert cache.key("ab", "c") != cache.key("a", "bc")
    assert cache.key("a", "b") != cache.key("b", "a")
    assert cache.key("a", b"b") == cache.key(b"a", "b")


def test_folder_is_made_once(tmp_path: Path) -> None:
    """A folder that is there is not made again."""
    made: list[Path] = []
    for _ in range(2):
        cache.made_once(tmp_path / "x" / "folder", made.append)
    assert len(made) == 1
    assert (tmp_path / "x" / "folder").is_dir()


def test_failed_folder_is_not_there(tmp_path: Path) -> None:
    """What could not be made whole leaves no trace, and the next attempt starts from nothing."""

    def fail(staging: Path) -> None:
        (staging / "half").touch()
        raise ToolError("no")

    with pytest.raises(ToolError, match="no"):
        cache.made_once(tmp_path / "folder", fail)
    assert [each.name for each in tmp_path.iterdir()] == [".folder.lock"]
    cache.made_once(tmp_path / "folder", lambda staging: (staging / "whole").touch())
    assert [each.name for each in (tmp_path / "folder").iterdir()] == ["whole"]


def test_leftovers_of_a_killed_run_are_dropped(tmp_path: Path) -> None:
    """Files of a run that died while it made the folder do not get into it."""
    (tmp_path / ".folder.part").mkdir()
    (tmp_path / ".folder.part" / "half").touch()
    cache.made_once(tmp_path / "folder", lambda staging: (staging / "whole").touch())
    assert [each.name for each in (tmp_path / "folder").iterdir()] == ["whole"]


def test_second_run_waits_for_the_first(tmp_path: Path) -> None:
    """Two runs that want one folder make it once, and the second says that it waits."""
    started, waited = threading.Event(), threading.Event()

    def slowly(staging: Path) -> None:
        started.set()
        assert waited.wait(30)
        (staging / "first").touch()

    first = threading.Thread(target=cache.made_once, args=(tmp_path / "folder", slowly))
    first.start()
    assert started.wait(30)
    cache.made_once(tmp_path / "folder", lambda staging: (staging / "second").touch(), waiting=waited.set)
    first.join()
    assert waited.is_set()
    assert [each.name for each in (tmp_path / "folder").iterdir()] == ["first"]


def test_unwritable_cache_is_said_in_words(tmp_path: Path) -> None:
    """A cache that cannot be written names its place and the variable that moves it."""
    (tmp_path / "file").touch()
    with pytest.raises(ToolError, match=r"cannot write the cache .*LLMD_TOOLS_CACHE"):
        cache.made_once(tmp_path / "file" / "folder", lambda _: None)
