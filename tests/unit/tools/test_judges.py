"""What the judges of rendered objects work out for themselves."""

from typing import cast

import pytest

from llmd_tools.groups import GROUPS
from llmd_tools.judges.comparison import lost, quantity
from llmd_tools.judges.crd_sets import NOT_SERVED, kserve_set
from llmd_tools.judges.limits import limits
from llmd_tools.judges.nodes import allocatable_cpu, allocatable_disk, allocatable_memory
from llmd_tools.judges.rendered import environments, other_releases
from llmd_tools.judges.scoreboard import Score, notes
from llmd_tools.judges.selection import selects


def test_dropped_and_changed_fields_are_named() -> None:
    """Each loss is named by its path; defaults that were added are none."""
    applied = {"spec": {"ports": [{"name": "http", "port": 80}], "kind": "A", "gone": 1}}
    stored = {"spec": {"ports": [{"name": "http", "port": 81, "protocol": "TCP"}], "kind": "A", "more": 2}}
    assert list(lost(applied, stored)) == [
        "spec.ports[http].port: 80 was applied, 81 is stored",
        "spec.gone: was dropped",
    ]


def test_quantities_are_equal_by_value() -> None:
    """`0.5` and `500m` are one amount of CPU, but two different strings elsewhere."""
    assert not list(lost({"requests": {"cpu": "0.5"}}, {"requests": {"cpu": "500m"}}))
    assert list(lost({"args": {"cpu": "0.5"}}, {"args": {"cpu": "500m"}}))
    assert quantity("2Gi") == 2 * 1024**3
    assert quantity("two") is None


def test_list_items_that_are_missing_are_named() -> None:
    """A shorter list has lost its end."""
    assert list(lost({"args": ["a", "b"]}, {"args": ["a"]})) == ["args[1]: was dropped"]


def test_reservations_are_those_of_gke() -> None:
    """The examples of GKE's own page on node sizes: 4 vCPUs and 16 GiB; a boot disk of 100 GB."""
    assert allocatable_cpu(4) == 3920
    assert allocatable_memory(16) == (16 - 2.6) * 1024 // 1 - 100
    assert allocatable_disk(100) == 45


def test_selectors_pick_as_kubernetes_does() -> None:
    """Labels, operators, and the empty selector that picks all."""
    labels = {"app": "one", "role": "picker"}
    assert selects({}, labels)
    assert selects({"matchLabels": {"app": "one"}}, labels)
    assert not selects({"matchLabels": {"app": "two"}}, labels)
    for operator, values, expected in (
        ("In", ["picker"], True),
        ("NotIn", ["picker"], False),
        ("Exists", [], True),
        ("DoesNotExist", [], False),
    ):
        expression = {"key": "role", "operator": operator, "values": values}
        assert selects({"matchExpressions": [expression]}, labels) is expected


def test_notes_are_told_once() -> None:
    """A note about several environments names them all."""
    scores = [Score("schema", name, 1, 0.1, ("no schema",)) for name in ("b", "a")]
    assert notes(scores) == ["schema: no schema (a, b)"]


def test_what_nobody_judges_is_told() -> None:
    """Each kind that no registry serves has its line."""
    told = "\n".join(limits())
    assert NOT_SERVED
    assert all(kind in told for kind in NOT_SERVED)


def test_every_kserve_that_can_be_built_judges_something() -> None:
    """A release of KServe that is built has an environment, or one that is rendered for it."""
    rendered = (*environments().values(), *other_releases().values())
    judged = {kserve_set(each.plan) for each in rendered} - {None}
    assert judged == {group.name for group in GROUPS if group.name.startswith("kserve-")}
    assert all(each.of_kind("LLMInferenceService") for each in other_releases().values())


@pytest.mark.xdist_group("groups")
def test_groups_of_tests_stay_in_one_worker(request: pytest.FixtureRequest) -> None:
    """Xdist knows a group by the end of a test's id; where pytest drops that, every worker starts every cluster."""
    if getattr(request.config.option, "loadgroup", False):
        assert cast("pytest.Item", request.node).nodeid.endswith("@groups")  # pyright: ignore[reportUnknownMemberType]
