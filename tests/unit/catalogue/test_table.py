"""How a data file is read and refused."""

import re
from pathlib import Path
from typing import Any, Protocol

import pytest
import yaml
from pydantic import ValidationError

from llmd_constructs.catalogue import (
    _table,  # pyright: ignore[reportPrivateUsage] - reading is the room's own affair, but its errors are not
)
from llmd_constructs.catalogue.models import Model
from llmd_constructs.catalogue.prices import Price
from llmd_constructs.config.errors import InputError


class Write(Protocol):
    """Writes a data file with these entries, and keys beside them."""

    def __call__(self, *entries: dict[str, Any], **file: object) -> None:
        """Replace the data file."""


FOLDER = "constructs/llmd_constructs/catalogue"
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


def _told(entry: type[_table.Entry] = Price) -> list[str]:
    """What is said of the data file, without its name."""
    with pytest.raises(InputError) as caught:
        _table.read_table("data.yaml", entry)
    return [str(problem).removeprefix(f"{FOLDER}/data.yaml:") for problem in caught.value.problems]


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
    assert _told() == [
        "10: a: usd_per_hours: unknown field; did you mean usd_per_hour?",
    ]


def test_an_unknown_key_of_the_file_is_refused(write: Write) -> None:
    """The same holds beside the entries."""
    write(PRICE, entrys=[])
    assert _told() == ["10: entrys: unknown field; did you mean entries?"]


@pytest.mark.parametrize("source", [None, []])
def test_an_entry_without_source_is_refused(write: Write, source: object) -> None:
    """No fact without a place where it was read."""
    write({**PRICE, "source": source})
    (told,) = _told()
    assert re.match(r"\d+: a: source: must (be a list, is empty|not be empty)", told)


def test_an_id_may_appear_once(write: Write) -> None:
    """Two entries of one id would hide each other."""
    write(PRICE, {**PRICE})
    assert _told() == ["10: a: is there on line 3 already; keep one of the two"]


def test_entries_are_frozen(write: Write) -> None:
    """Nobody changes a fact at run time."""
    write(PRICE)
    table = _table.read_table("data.yaml", Price)
    with pytest.raises(ValidationError, match="frozen"):
        table["a"].item = "tpu-v5e"
    with pytest.raises(TypeError):
        table["b"] = table["a"]  # pyright: ignore[reportIndexIssue]


MODEL = """\
date: 2026-01-02
shared:
  small: &small
    parameters: 1
    active_parameters: 1
    layers: 1
    hidden_size: 8
entries:
  - id: example/one
    <<: *small
    attention_heads: 1
    kv_heads: 1
    head_dim: 8
    context_length: 128
    weight_gib: 2
    native_dtype: bfloat16
    gated: false
    kind: dense
    source: s
"""


def test_the_text_that_is_mended_below_is_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What each case changes is what is told."""
    monkeypatch.setattr(_table, "_ROOT", tmp_path)
    (tmp_path / "data.yaml").write_text(MODEL, encoding="utf-8")
    table = _table.read_table("data.yaml", Model)
    assert list(table) == ["example/one"]
    assert table.file == f"{FOLDER}/data.yaml"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("    weight_gib: 2\n", "", ["9: example/one: weight_gib: is required"]),
        (
            "kind: dense",
            "kind: Dense",
            ["18: example/one: kind: 'Dense' is not one of dense, moe; did you mean dense?"],
        ),
        (
            "    layers: 1\n",
            "    layers: many\n",
            ["6: example/one: layers: must be a whole number, is the text 'many'"],
        ),
        (
            "gated: false\n    kind: dense",
            "gated: perhaps\n    kind: Dense",
            [
                "17: example/one: gated: must be true or false, is the text 'perhaps'",
                "18: example/one: kind: 'Dense' is not one of dense, moe; did you mean dense?",
            ],
        ),
        (
            "kind: dense",
            "kind: moe",
            [
                (
                    "9: example/one: kind is moe, and experts are missing; write `experts: {count, active}` "
                    "for a mixture of experts, and for nothing else"
                )
            ],
        ),
        ("id: example/one", "name: example/one", [
            "9: entries[0]: id: is required", "9: entries[0]: name: unknown field; allowed here:"]),
        ("entries:\n", "entries: x\nmore:\n", [
            "8: entries: must be a list, is the text 'x'; begin each entry with `- `", "9: more: unknown field"]),
        ("date: 2026-01-02\n", "", ["1: date: is required"]),
        ("    kind: dense", "   kind: dense", ["18: expected a list item here; begin it with `- `, indented as its list"]),
        ("date: 2026-01-02", "date: 2026-13-02", [" cannot be read: month must be in 1..12"]),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_entry_and_field(
    old: str, new: str, told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in an environment file: no traceback, all at once, and where an anchor brings it, at the anchor."""
    monkeypatch.setattr(_table, "_ROOT", tmp_path)
    assert old in MODEL
    (tmp_path / "data.yaml").write_text(MODEL.replace(old, new, 1), encoding="utf-8")
    found = _told(Model)
    assert len(found) == len(told), found
    assert [text for text, start in zip(found, told, strict=True) if not text.startswith(start)] == []
