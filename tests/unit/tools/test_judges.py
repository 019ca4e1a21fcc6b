"""What the judges of rendered objects work out for themselves."""

from llmd_tools.judges.comparison import lost, quantity
from llmd_tools.judges.nodes import allocatable_cpu, allocatable_disk, allocatable_memory
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
