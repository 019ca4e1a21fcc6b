"""Every cell of the matrix either renders a correct system or is refused with the reason."""

import os
import re
from pathlib import Path

import pytest

from llmd_constructs.config.environment import Environment
from llmd_constructs.config.load import load_environments
from llmd_constructs.context import Context
from llmd_constructs.emit.yaml_text import yaml_text
from llmd_constructs.environment import EnvironmentApp
from llmd_constructs.patterns.support import refusals
from llmd_constructs.plan.collect import collect
from llmd_constructs.reports.matrix import GATEWAYS, KINDS, STACKS, VARIANTS, Cell, cell_environment, cells

ROOT = Path(__file__).parents[2]
SNAPSHOTS = ROOT / "tests" / "snapshots" / "matrix"
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


def test_every_pattern_on_each_stack_is_in_an_environment() -> None:
    """What can be rendered is also shown: each pattern on each stack, switched on, in a committed environment."""
    shown = {
        (deployment.pattern, deployment.stack)
        for loaded in load_environments(ROOT)
        for deployment in loaded.environment.active
    }
    assert shown == {(variant.pattern, stack) for variant in VARIANTS for stack in STACKS}


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell.refusal], ids=_name)
def test_refusal_says_what_to_write_instead(cell: Cell) -> None:
    """A refusal names the reason and the nearest combination that works."""
    assert cell.refusal
    assert cell.refusal.message
    assert cell.refusal.instead


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell.refusal], ids=_name)
def test_the_nearest_that_a_refusal_names_works(cell: Cell) -> None:
    """The same pattern for the same gateway and accelerator works with what the refusal says to write."""
    assert cell.refusal
    written = re.findall(r"`(\w+): ([\w-]+)`", cell.refusal.instead)
    assert written
    for field, value in written:
        content = cell_environment(cell.variant, cell.stack, cell.gateway, cell.kind).model_dump(
            by_alias=True
        )
        assert content["deployments"][0][field] != value
        content["deployments"][0][field] = value
        mended = Environment.model_validate(content)
        assert list(refusals(Context("matrix", mended))) == []
        assert collect(EnvironmentApp("matrix", mended)).applications


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
