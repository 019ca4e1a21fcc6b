"""What is expected of this repository, held against what was measured."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from llmd_bench.contestants.ours import NAME as OURS
from llmd_bench.repository import UNCHANGED
from llmd_bench.rounds import Measured, Results
from llmd_bench.steps import NODE, Steps

_FROM = 10
_LARGE = 1000
_UNCHANGED_SECONDS = 0.3
_HELM_TIMES = 5


@dataclass(frozen=True)
class Verdict:
    """One expectation and what became of it."""

    expectation: str
    held: bool
    found: str


def judge(results: Results, commands: Mapping[str, Measured], own: Steps) -> list[Verdict]:
    """Every expectation that these measurements can tell about."""
    return [
        *(_ahead(results, name) for name in _names(results) if _is_rival(name)),
        *_at_large(results),
        *_growth(results),
        _node(own),
        _unchanged(commands[UNCHANGED]),
    ]


def _names(results: Results) -> list[str]:
    return list(dict.fromkeys(name for measured in results.values() for name in measured))


def _is_rival(name: str) -> bool:
    return name.startswith(("helm", "kustomize", "go-jsonnet"))


def _times(results: Results, size: int, name: str) -> float:
    """How many times as long as this repository's run."""
    return results[size][name].cost.wall / results[size][OURS].cost.wall


def _ahead(results: Results, name: str) -> Verdict:
    times = {size: _times(results, size, name) for size in results if size >= _FROM}
    found = (
        ", ".join(f"{value:.1f} times as long at {size}" for size, value in times.items()) or "not measured"
    )
    return Verdict(
        f"ahead of {name} from {_FROM} applications on", all(value > 1 for value in times.values()), found
    )


def _at_large(results: Results) -> list[Verdict]:
    verdicts: list[Verdict] = []
    for name in results.get(_LARGE, {}):
        least = _HELM_TIMES if name == "helm template" else 1 if name.startswith("cdk8s") else None
        if least is not None:
            times = _times(results, _LARGE, name)
            expectation = f"{name} takes more than {least} times as long at {_LARGE} applications"
            verdicts.append(Verdict(expectation, times > least, f"{times:.1f} times"))
    return verdicts


def _growth(results: Results) -> list[Verdict]:
    sizes = sorted(results)
    verdicts: list[Verdict] = []
    for small, large in pairwise(sizes):
        grown = results[large][OURS].cost.wall / results[small][OURS].cost.wall
        found = f"{grown:.1f} times the time"
        verdicts.append(
            Verdict(
                f"{large / small:g} times the work, no more than that in time", grown <= large / small, found
            )
        )
    return verdicts


def _node(own: Steps) -> Verdict:
    largest = max(own, key=own.__getitem__)
    found = f"{own[NODE] * 1000:.0f} ms of {sum(own.values()) * 1000:.0f} ms"
    if largest != NODE:
        found += f"; the largest is '{largest}', {own[largest] * 1000:.0f} ms"
    return Verdict(
        "starting node is the largest cost of this repository's own synthesis", largest == NODE, found
    )


def _unchanged(measured: Measured) -> Verdict:
    wall = measured.cost.wall
    expectation = f"an unchanged repository is recognised within {_UNCHANGED_SECONDS} s"
    return Verdict(expectation, wall <= _UNCHANGED_SECONDS, f"{wall:.3f} s")
