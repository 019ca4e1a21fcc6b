"""Renderings are folded into templates: what differs is explained by the settings that decide it."""

from collections.abc import Callable, Mapping
from itertools import product

import pytest

from llmd_constructs.charts.evaluating import evaluate, holds
from llmd_constructs.charts.folding import Folder, Sample, merged_order
from llmd_constructs.charts.learning import Learner, UnexplainedError
from llmd_constructs.charts.nodes import (
    Answer,
    Choice,
    Column,
    Each,
    Feature,
    Fields,
    Items,
    Node,
    Plain,
    Ref,
    Text,
    Value,
)
from llmd_constructs.charts.reading import Reader

PROVIDER: Feature = ("provider",)
REPLICAS: Feature = ("replicas", ">1")
MACHINE: Feature = ("machine",)
MACHINES = tuple(f"machine-{index}" for index in range(9))
DOMAINS: Mapping[Feature, tuple[Answer, ...]] = {
    PROVIDER: ("gke", "istio"),
    REPLICAS: (False, True),
    MACHINE: MACHINES,
}


def _read(value: object, name: str = "zqnameqz") -> Value:
    return Reader({"name": name}, {}, [], ()).read(value)


def _samples(render: Callable[[str, bool, str], object]) -> list[Sample]:
    return [
        Sample(
            {PROVIDER: provider, REPLICAS: several, MACHINE: machine},
            {},
            _read(render(provider, several, machine)),
        )
        for provider, several, machine in product(("gke", "istio"), (False, True), MACHINES)
    ]


def _fold(samples: list[Sample]) -> Node:
    return Folder(Learner(DOMAINS, {}), [MACHINE]).fold(samples)


def test_what_is_always_the_same_stays() -> None:
    """A field that no value changes is a literal."""
    node = _fold(_samples(lambda _, __, ___: {"kind": "Service"}))
    assert isinstance(node, Fields)
    assert node.slots[0].node == Plain("str", "Service")


def test_a_users_text_is_a_reference() -> None:
    """Text of a value becomes a reference to it, wherever it stands."""
    assert _read("ms-zqnameqz-epp") == Text(("ms-", Ref(("name",)), "-epp"))


def test_a_field_is_there_when_the_setting_says_so() -> None:
    """The one setting that decides is found, and no other."""
    node = _fold(_samples(lambda provider, _, __: {"a": 1, **({"b": 2} if provider == "gke" else {})}))
    assert isinstance(node, Fields)
    (test,) = node.slots[1].when.rows[0]
    assert (test.feature, test.answers) == (PROVIDER, frozenset({"gke"}))


def test_two_settings_together_decide() -> None:
    """A condition on two settings holds just where both do."""
    node = _fold(
        _samples(lambda provider, several, _: {"a": 1, **({"b": 2} if several and provider == "gke" else {})})
    )
    assert isinstance(node, Fields)
    for provider, several in product(("gke", "istio"), (False, True)):
        there = holds(node.slots[1].when, {PROVIDER: provider, REPLICAS: several, MACHINE: MACHINES[0]})
        assert there == (several and provider == "gke")


def test_many_cases_are_a_tables_column() -> None:
    """What a machine decides is looked up rather than asked case by case."""
    node = _fold(_samples(lambda _, __, machine: {"cpu": machine.removeprefix("machine-")}))
    assert isinstance(node, Fields)
    column = node.slots[0].node
    assert isinstance(column, Column)
    assert column.axes == (MACHINE,)
    assert column.rows["machine-3",] == Plain("str", "3")


def test_few_cases_are_a_choice() -> None:
    """Two values are an alternative."""
    node = _fold(_samples(lambda provider, _, __: {"class": f"class-of-{provider}"}))
    assert isinstance(node, Fields)
    assert isinstance(node.slots[0].node, Choice)


def test_a_list_of_the_users_is_a_loop() -> None:
    """Items that differ only in which of the user's they are about are one loop."""
    read = Reader({"hosts": ["zqaqz", "zqbqz"]}, {}, [], ()).read(["x", "zqaqz.example", "zqbqz.example"])
    node = Folder(Learner(DOMAINS, {}), []).fold([Sample({}, {}, read)])
    assert isinstance(node, Items)
    assert isinstance(node.slots[1].node, Each)


def test_every_sample_is_said_again() -> None:
    """A template evaluated with a sample's answers is what was rendered."""
    samples = _samples(
        lambda provider, several, machine: {
            "name": "zqnameqz",
            "size": machine,
            "args": ["--a", *(["--b"] if several else []), f"--provider={provider}"],
        }
    )
    node = _fold(samples)
    assert all(evaluate(node, sample.answers) == sample.value for sample in samples)


def test_an_answer_that_no_sample_gave_means_what_most_others_mean() -> None:
    """Sixteen devices are as seldom drawn with a machine that has them as one is often, and are no exception."""
    several: Feature = ("several",)
    size: Feature = ("size",)
    domains: Mapping[Feature, tuple[Answer, ...]] = {several: (False, True), size: (1, 2, 4, 8, 16)}
    drawn = [*product((False, True), (1, 2, 4, 8)), (False, 16)] * 2
    answers: list[Mapping[Feature, Answer]] = [{several: machine, size: devices} for machine, devices in drawn]
    condition = Learner(domains, {}).condition(answers, [m and devices > 1 for m, devices in drawn])
    assert holds(condition, {several: True, size: 16})
    assert not holds(condition, {several: True, size: 1})
    assert not holds(condition, {several: False, size: 16})


def test_what_no_value_explains_is_refused() -> None:
    """A field that differs for no reason stops the folding, with its path."""
    samples = [
        Sample(sample.answers, {}, _read({"spec": {"luck": index % 7}}))
        for index, sample in enumerate(_samples(lambda _, __, ___: {}) * 2)
    ]
    with pytest.raises(UnexplainedError, match="spec > luck"):
        _fold(samples)


def test_orders_that_contradict_get_a_second_name() -> None:
    """What stands before another in one row and after it in the next has two places."""
    order, rows = merged_order([("a", "b"), ("b", "a")])
    assert len(order) == 3
    assert all([key for key in order if key in row] == list(row) for row in rows)
