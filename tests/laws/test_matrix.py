"""Every cell of the matrix either renders a correct system or is refused with the reason."""

import os
from pathlib import Path

import pytest

from llmd_constructs.emit.yaml_text import yaml_text
from llmd_constructs.environment import EnvironmentApp
from llmd_constructs.plan.collect import collect
from llmd_constructs.reports.matrix import GATEWAYS, KINDS, STACKS, VARIANTS, Cell, cell_environment, cells

SNAPSHOTS = Path(__file__).parent.parent / "snapshots" / "matrix"
CELLS = list(cells())
WORKING = [cell for cell in CELLS if cell.refusal is None]


def _name(cell: Cell) -> str:
    title = cell.variant.title.replace(",", "").replace("'", "").replace(" ", "-")
    return f"{title}-{cell.stack}-{cell.gateway}-{cell.kind}"


def _rendered(cell: Cell) -> str:
    environment = cell_environment(cell.variant, cell.stack, cell.gateway, cell.kind)
    plan = collect(EnvironmentApp("matrix", environment))
    wanted = [item for item in plan.applications if item.name in ("sample", "body-router")]
    return "---\n".join(yaml_text(file.manifest) for item in wanted for file in item.files)


def test_matrix_is_complete() -> None:
    """No combination is forgotten."""
    assert len(CELLS) == len(VARIANTS) * len(STACKS) * len(GATEWAYS) * len(KINDS)


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell.refusal], ids=_name)
def test_refusal_says_what_to_write_instead(cell: Cell) -> None:
    """A refusal names the reason and the nearest combination that works."""
    assert cell.refusal
    assert cell.refusal.message
    assert cell.refusal.instead


@pytest.mark.parametrize("cell", WORKING, ids=_name)
def test_cell_renders_as_its_snapshot(cell: Cell) -> None:
    """A change in any cell shows in the snapshot's diff; `make accept` accepts it."""
    path = SNAPSHOTS / f"{_name(cell)}.yaml"
    text = _rendered(cell)
    if os.environ.get("LLMD_ACCEPT"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    assert path.is_file(), "no snapshot yet; run `make accept` and review it"
    assert text == path.read_text("utf-8"), (
        "the cell renders differently; run `make accept` and review the diff"
    )


def test_there_is_no_snapshot_without_a_cell() -> None:
    """A snapshot of a cell that is gone would guard nothing."""
    assert {path.stem for path in SNAPSHOTS.glob("*.yaml")} == {_name(cell) for cell in WORKING}
