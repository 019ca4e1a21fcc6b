"""How a data file is read and refused."""

from pathlib import Path
from typing import Any, Protocol

import pytest
import yaml
from pydantic import ValidationError

from llmd_constructs.catalogue import (
    _table,  # pyright: ignore[reportPrivateUsage] - reading is the room's own affair, but its errors are not
)
from llmd_constructs.catalogue.prices import Price


class Write(Protocol):
    """Writes a data file with these entries, and keys beside them."""

    def __call__(self, *entries: dict[str, Any], **file: object) -> None:
        """Replace the data file."""


PRICE = {
    "id": "a",
    "item": "tpu-v6e",
    "unit": "chip",
    "model": "spot",
    "region": "r",
    "usd_per_hour": 1,
    "source": "s",
}


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a data file where the catalogue looks for it."""
    monkeypatch.setattr(_table, "_ROOT", tmp_path)

    def _write(*entries: dict[str, Any], **file: object) -> None:
        content = {"date": "2026-01-02", "entries": list(entries), **file}
        (tmp_path / "data.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")

    return _write


def test_an_entry_takes_the_date_of_its_file(write: Write) -> None:
    """The date is written once per file, and an entry may differ."""
    write(PRICE, {**PRICE, "id": "b", "date": "2026-03-04"})
    table = _table.read_table("data.yaml", Price)
    assert [str(price.date) for price in table.values()] == ["2026-01-02", "2026-03-04"]


def test_a_single_source_may_be_a_plain_string(write: Write) -> None:
    """One source needs no list, and is a tuple all the same."""
    write(PRICE)
    assert _table.read_table("data.yaml", Price)["a"].source == ("s",)


def test_an_unknown_key_is_refused(write: Write) -> None:
    """A misspelt key cannot be lost in silence."""
    write({**PRICE, "usd_per_hours": 2})
    with pytest.raises(ValidationError, match="usd_per_hours"):
        _table.read_table("data.yaml", Price)


def test_an_unknown_key_of_the_file_is_refused(write: Write) -> None:
    """The same holds beside the entries."""
    write(PRICE, entrys=[])
    with pytest.raises(ValidationError, match="entrys"):
        _table.read_table("data.yaml", Price)


@pytest.mark.parametrize("source", [None, []])
def test_an_entry_without_source_is_refused(write: Write, source: object) -> None:
    """No fact without a place where it was read."""
    write({**PRICE, "source": source})
    with pytest.raises(ValidationError, match="source"):
        _table.read_table("data.yaml", Price)


def test_an_id_may_appear_once(write: Write) -> None:
    """Two entries of one id would hide each other."""
    write(PRICE, PRICE)
    with pytest.raises(ValueError, match=r"data\.yaml: 'a' appears twice"):
        _table.read_table("data.yaml", Price)


def test_entries_are_frozen(write: Write) -> None:
    """Nobody changes a fact at run time."""
    write(PRICE)
    table = _table.read_table("data.yaml", Price)
    with pytest.raises(ValidationError, match="frozen"):
        table["a"].item = "tpu-v5e"
    with pytest.raises(TypeError):
        table["b"] = table["a"]  # pyright: ignore[reportIndexIssue]
