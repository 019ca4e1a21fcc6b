"""Runs alternate, and their medians are what counts."""

from pathlib import Path

from llmd_bench.contest import Contestant
from llmd_bench.measure import Cost
from llmd_bench.rounds import contest, medians, rounds_of


def _contestant(name: str) -> Contestant:
    return Contestant(name, (name,), Path(), Path())


def test_medians_are_taken_of_each_cost_by_itself() -> None:
    """One slow run, or one greedy run, does not show."""
    found = medians([Cost(1.0, 9.0, 30.0), Cost(50.0, 2.0, 10.0), Cost(2.0, 1.0, 20.0)])
    assert found == Cost(2.0, 2.0, 20.0)


def test_contestants_take_turns_and_every_second_round_goes_back() -> None:
    """Whoever comes first in one round comes last in the next."""
    order: list[str] = []

    def measure(contestant: Contestant) -> Cost:
        order.append(contestant.name)
        return Cost(1.0, 1.0, 1.0)

    found = contest([_contestant("a"), _contestant("b")], 3, tell=lambda _: None, measure=measure)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert {name: measured.runs for name, measured in found.items()} == {"a": 3, "b": 3}


def test_a_contestant_that_takes_long_is_not_run_again() -> None:
    """Only quick contestants are repeated where a run takes longer than a coffee."""

    def measure(contestant: Contestant) -> Cost:
        return Cost(60.0 if contestant.name == "slow" else 15.0, 1.0, 1.0)

    found = contest([_contestant("slow"), _contestant("quick")], 5, tell=lambda _: None, measure=measure)
    assert {name: measured.runs for name, measured in found.items()} == {"slow": 1, "quick": 3}


def test_small_sizes_get_more_rounds() -> None:
    """The shorter the runs, the more of them."""
    rounds = [rounds_of(size, quick=False) for size in (1, 10, 30, 100, 1000)]
    assert rounds == sorted(rounds, reverse=True)
    assert rounds[0] > rounds[-1] >= 3
    assert rounds_of(1, quick=True) == 3
