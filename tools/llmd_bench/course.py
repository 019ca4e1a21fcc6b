"""One run of the benchmark, part by part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from llmd_bench import repository
from llmd_bench.contest import Contestant, Prepare
from llmd_bench.contestants import CONTESTANTS, NOT_MEASURED, ours
from llmd_bench.equality import differences, expected, rendered
from llmd_bench.measure import run
from llmd_bench.rounds import Measured, contest, rounds_of
from llmd_bench.steps import Steps, steps
from llmd_bench.workload import OBJECTS, Values, workload
from llmd_tools.errors import ToolError
from llmd_tools.progress import activity

OWN = "its own environments"
"""Names the profile without a workload."""
_CHECKED = 5
"""Applications that all contestants render before anything is measured: each value takes several forms."""


@dataclass(frozen=True)
class Field:
    """Who takes part, and who cannot."""

    tools: Mapping[str, Prepare]
    missing: Mapping[str, str]
    """Tool to the reason."""
    equal: Sequence[str]
    """Contestants whose objects were held against the description, and are the same."""


def line_up(folder: Path) -> Field:
    """Find out which tools can be had, and hold what each renders against the description.

    Raises:
        ToolError: If a contestant renders something else: then there is nothing to compare.
    """
    tools: dict[str, Prepare] = {}
    missing = dict(NOT_MEASURED)
    equal: list[str] = []
    values = workload(_CHECKED)
    with activity("checking that all contestants render the same objects") as tell:
        for name, prepare in CONTESTANTS.items():
            tell(name)
            try:
                contestants = prepare(_fresh(folder / name), values)
            except ToolError as error:
                missing[name] = str(error)
                continue
            tools[name] = prepare
            for contestant in contestants:
                _check(contestant, values)
                equal.append(contestant.name)
    return Field(tools, missing, equal)


def _check(contestant: Contestant, values: Sequence[Values]) -> None:
    run(contestant)
    if wrong := differences(expected(values), rendered(contestant.output)):
        shown = "; ".join(wrong[:3])
        raise ToolError(
            f"{contestant.name} renders other objects than the rest: {shown} ({len(wrong)} in all)"
        )


def measure_size(entered: Field, folder: Path, applications: int, *, quick: bool) -> dict[str, Measured]:
    """Run all contestants on a workload of this size."""
    values = workload(applications)
    with activity(f"measuring {applications} x {OBJECTS} objects") as tell:
        tell("laying out charts, overlays and libraries")
        contestants = [
            contestant
            for name, prepare in entered.tools.items()
            for contestant in prepare(_fresh(folder / name), values)
        ]
        return contest(contestants, rounds_of(applications, quick=quick), tell=tell)


def measure_commands(root: Path, folder: Path, *, quick: bool) -> dict[str, Measured]:
    """Run this repository's own commands in its copy at `root`."""
    with activity("this repository's own environments") as tell:
        return contest(repository.commands(root, folder), rounds_of(1, quick=quick), tell=tell)


def profiles(root: Path, folder: Path, sizes: Sequence[int], *, quick: bool) -> dict[str, Steps]:
    """The steps of this repository's synthesis: of its own environments in `root`, and of each size."""
    with activity("where this repository's time goes") as tell:
        tell("its own environments")
        found = {OWN: steps(root, folder, 0, runs=rounds_of(1, quick=quick))}
        for size in sizes:
            tell(f"{size} applications")
            bare = folder / f"bare-{size}"
            ours.repository(bare, size)
            found[str(size)] = steps(bare, folder, size, runs=rounds_of(size, quick=quick))
    return found


def _fresh(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder
