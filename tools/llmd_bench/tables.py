"""From measurements to tables. A ratio is to this repository's own run: `3.0x` takes three times as much."""

from collections.abc import Mapping

from llmd_bench.contestants.ours import NAME as OURS
from llmd_bench.grid import Grid
from llmd_bench.rounds import Measured, Results
from llmd_bench.steps import Steps
from llmd_bench.workload import OBJECTS

_MEGABYTE = 1e6


def overview(results: Results) -> Grid:
    """Ratios of wall time, one column per size."""
    names = dict.fromkeys(name for measured in results.values() for name in measured)
    columns = ["wall time, ratio to this repository", *(str(size) for size in results)]
    rows = [[name, *(_wall_ratio(results[size], name) for size in results)] for name in names]
    return Grid(f"Overview: number of applications, {OBJECTS} objects each", columns, rows)


def _wall_ratio(measured: Mapping[str, Measured], name: str) -> str:
    return ratio(measured[name].cost.wall, measured[OURS].cost.wall)


def size_table(applications: int, measured: Mapping[str, Measured]) -> Grid:
    """Everything that was measured at one size."""
    ours = measured[OURS].cost
    rows = [
        [
            name,
            seconds(item.cost.wall),
            ratio(item.cost.wall, ours.wall),
            seconds(item.cost.cpu),
            ratio(item.cost.cpu, ours.cpu),
            f"{item.cost.peak / _MEGABYTE:.0f}",
            ratio(item.cost.peak, ours.peak),
            str(item.runs),
        ]
        for name, item in measured.items()
    ]
    columns = ["contestant", "wall s", "ratio", "CPU s", "ratio", "peak MB", "ratio", "runs"]
    return Grid(f"{applications} x {OBJECTS} objects", columns, rows)


def steps_table(profiles: Mapping[str, Steps]) -> Grid:
    """Milliseconds and share of each step of this repository's synthesis."""
    names = dict.fromkeys(name for steps in profiles.values() for name in steps)
    rows = [[name, *(_part(steps, name) for steps in profiles.values())] for name in names]
    total = ["total", *(f"{sum(steps.values()) * 1000:.0f}" for steps in profiles.values())]
    return Grid("This repository, step by step: ms (share)", ["step", *profiles], [*rows, total])


def _part(steps: Steps, name: str) -> str:
    return f"{steps[name] * 1000:.0f} ({steps[name] / sum(steps.values()):.0%})"


def commands_table(measured: Mapping[str, Measured]) -> Grid:
    """The commands of this repository on its own environments."""
    rows = [
        [
            name,
            seconds(item.cost.wall),
            seconds(item.cost.cpu),
            f"{item.cost.peak / _MEGABYTE:.0f}",
            str(item.runs),
        ]
        for name, item in measured.items()
    ]
    return Grid("This repository's own environments", ["command", "wall s", "CPU s", "peak MB", "runs"], rows)


def seconds(value: float) -> str:
    """Three digits that matter."""
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def ratio(value: float, base: float) -> str:
    """How many times the base."""
    times = value / base
    return f"{times:.2f}x" if times < 1 else f"{times:.1f}x"
