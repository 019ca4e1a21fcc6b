"""Expectations are judged by the numbers, and said to fail where they do."""

from llmd_bench.contestants.ours import NAME as OURS
from llmd_bench.expectations import judge
from llmd_bench.measure import Cost
from llmd_bench.repository import UNCHANGED
from llmd_bench.rounds import Measured


def _took(**walls: float) -> dict[str, Measured]:
    return {name.replace("_", " "): Measured(Cost(wall, 1.0, 1.0), 3) for name, wall in walls.items()}


def _judge(
    results: dict[int, dict[str, Measured]], *, unchanged: float = 0.1, node: float = 0.2
) -> dict[str, tuple[bool, str]]:
    own = {"start node": node, "YAML": 0.1}
    verdicts = judge(results, {UNCHANGED: Measured(Cost(unchanged, 0.1, 1.0), 3)}, own)
    return {verdict.expectation: (verdict.held, verdict.found) for verdict in verdicts}


def _sized(ours: float, **rivals: float) -> dict[str, Measured]:
    return {OURS: Measured(Cost(ours, 1.0, 1.0), 3), **_took(**rivals)}


def test_being_behind_at_one_application_is_allowed() -> None:
    """Rivals are to be beaten from ten applications on."""
    found = _judge({1: _sized(1.0, kustomize_build=0.1), 10: _sized(1.0, kustomize_build=1.5)})
    assert found["ahead of kustomize build from 10 applications on"] == (True, "1.5 times as long at 10")


def test_being_behind_at_any_size_from_ten_on_is_a_failure() -> None:
    """One size at which a rival is faster breaks the expectation, and is shown."""
    found = _judge({10: _sized(1.0, helm_template=0.5), 30: _sized(1.0, helm_template=2.0)})
    held, shown = found["ahead of helm template from 10 applications on"]
    assert not held
    assert shown == "0.5 times as long at 10, 2.0 times as long at 30"


def test_helm_has_to_take_five_times_as_long_at_a_thousand() -> None:
    """The factor for helm is five; cdk8s only has to be slower."""
    found = _judge(
        {1000: {**_sized(10.0, helm_template=49.0), "cdk8s in TypeScript": Measured(Cost(11, 1, 1), 1)}}
    )
    assert found["helm template takes more than 5 times as long at 1000 applications"] == (False, "4.9 times")
    assert found["cdk8s in TypeScript takes more than 1 times as long at 1000 applications"] == (
        True,
        "1.1 times",
    )


def test_growth_is_held_against_the_growth_of_the_work() -> None:
    """Ten times the work may take ten times the time."""
    found = _judge({10: _sized(1.0), 100: _sized(10.0), 1000: _sized(101.0)})
    assert [held for name, (held, _) in found.items() if name.startswith("10 times")] == [False]
    assert _judge({10: _sized(1.0), 100: _sized(10.0)})["10 times the work, no more than that in time"][0]


def test_the_largest_step_is_named_where_it_is_not_node() -> None:
    """Whoever wants to know what to mend reads it in the verdict."""
    expectation = "starting node is the largest cost of this repository's own synthesis"
    assert _judge({}, node=0.2)[expectation][0]
    held, shown = _judge({}, node=0.05)[expectation]
    assert not held
    assert "the largest is 'YAML', 100 ms" in shown


def test_an_unchanged_repository_has_three_tenths_of_a_second() -> None:
    """The limit is part of what is expected."""
    expectation = "an unchanged repository is recognised within 0.3 s"
    assert _judge({}, unchanged=0.3)[expectation][0]
    assert not _judge({}, unchanged=0.31)[expectation][0]
