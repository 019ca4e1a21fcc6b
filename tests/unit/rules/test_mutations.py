"""Committed environments, changed at one place at a time: refused by a rule, or equivalent.

The share that slips through is printed with the list (`pytest -rP`). It may shrink, and must not grow.
"""

import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.unit.rules.mutations import KINDS, Kind, Mutation, mutated, mutations

from llmd_constructs.config.load import load_environments
from llmd_constructs.rules.check import check
from llmd_constructs.rules.model import Finding
from llmd_constructs.rules.view import View
from llmd_constructs.synthesis import synthesize

ROOT = Path(__file__).parents[3]
SAMPLE = 24
"""Mutations tried per environment, spread evenly; trying all of the thousands takes minutes."""
MOST: dict[Kind, float] = {
    "label": 0.08,
    "port": 0.20,
    "name": 0.06,
    "version": 0.0,
    "topology": 0.0,
    "replicas": 0.0,
}
"""The share of each kind that may slip through, as measured on all of them, with room for the sample."""


def _key(finding: Finding) -> tuple[str, str, str]:
    return finding.rule.id, str(finding.where), finding.message


@pytest.fixture(scope="module")
def tried() -> dict[Mutation, bool]:
    """Every mutation that was tried, and whether a rule refused it."""
    loaded = load_environments(ROOT)
    outcome: dict[Mutation, bool] = {}
    for item, plan in zip(loaded, synthesize(loaded).environments, strict=True):
        before = {_key(finding) for finding in check(View(plan, item.source))}
        every = list(mutations(plan))
        for mutation in every[:: max(len(every) // SAMPLE, 1)]:
            found = check(View(mutated(plan, mutation), item.source))
            outcome[mutation] = any(finding.fails and _key(finding) not in before for finding in found)
    return outcome


def test_the_share_that_slips_through_does_not_grow(tried: dict[Mutation, bool]) -> None:
    """Of each kind of mutation, at most the measured share gets past the rules."""
    total = Counter(mutation.kind for mutation in tried)
    slipped = [mutation for mutation, refused in tried.items() if not refused]
    missed = Counter(mutation.kind for mutation in slipped)
    shares = [f"  {kind}: {missed[kind]} of {total[kind]}" for kind in KINDS]
    head = f"{len(slipped)} of {len(tried)} mutations slip through"
    sys.stdout.write("\n".join([head, *shares, *map(str, slipped), ""]))
    assert {kind: missed[kind] for kind in KINDS if missed[kind] > MOST[kind] * total[kind] + 1} == {}


def test_versions_topologies_and_replicas_never_slip_through(tried: dict[Mutation, bool]) -> None:
    """What costs an evening is always refused: a wrong API or tag, a wrong topology, replicas without nodes."""
    sure = {"version", "topology", "replicas"}
    assert [
        str(mutation) for mutation, refused in tried.items() if mutation.kind in sure and not refused
    ] == []


def test_every_kind_of_mutation_is_tried(tried: dict[Mutation, bool]) -> None:
    """The sample holds labels, ports, names, versions, topologies and replica counts."""
    assert {mutation.kind for mutation in tried} == set(KINDS)
