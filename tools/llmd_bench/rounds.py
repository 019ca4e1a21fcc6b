"""Repeated runs, one contestant after the other, so that a busy minute falls on all of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from llmd_bench.contest import Contestant
from llmd_bench.measure import Cost, run

_ENOUGH = 40.0
"""Seconds after which a contestant at a size is not run again: a run that long hardly varies."""
_ROUNDS = {1: 9, 10: 9, 30: 7, 100: 5}


@dataclass(frozen=True)
class Measured:
    """The medians of several runs."""

    cost: Cost
    runs: int


def rounds_of(applications: int, *, quick: bool) -> int:
    """How often a size is measured at most."""
    return 3 if quick else next((rounds for size, rounds in _ROUNDS.items() if applications <= size), 3)


def contest(
    contestants: Sequence[Contestant],
    rounds: int,
    *,
    tell: Callable[[str], None],
    measure: Callable[[Contestant], Cost] = run,
) -> dict[str, Measured]:
    """Run all contestants in turn, and every second round in reverse.

    Args:
        contestants: Who takes part.
        rounds: How often each is run, unless it takes long.
        tell: Gets a line about what is running.
        measure: Runs a contestant once.
    """
    costs: dict[str, list[Cost]] = {contestant.name: [] for contestant in contestants}
    for number in range(rounds):
        for contestant in reversed(contestants) if number % 2 else contestants:
            so_far = costs[contestant.name]
            if sum(cost.wall for cost in so_far) < _ENOUGH:
                tell(f"round {number + 1} of {rounds}, {contestant.name}")
                so_far.append(measure(contestant))
    return {name: Measured(medians(found), len(found)) for name, found in costs.items()}


def medians(costs: Sequence[Cost]) -> Cost:
    """The median of each kind of cost by itself."""
    return Cost(
        wall=median(cost.wall for cost in costs),
        cpu=median(cost.cpu for cost in costs),
        peak=median(cost.peak for cost in costs),
    )


Results = dict[int, dict[str, Measured]]
"""Size to contestant to its medians."""
