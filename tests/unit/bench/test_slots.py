"""Slots turn one description into charts, libraries and overlays."""

import json
import re

from llmd_bench.slots import as_json, camel, close, expression, fill, interpolated, leaves, open_values
from llmd_bench.workload import manifests, values_of
from llmd_constructs.emit.yaml_text import yaml_text


def test_slots_filled_with_values_are_the_objects_of_those_values() -> None:
    """A template with an application's values in its slots is that application."""
    values = values_of(6)
    filled = [
        fill(yaml_text(manifest), lambda name: str(as_json(values)[name]))
        for manifest in manifests(open_values())
    ]
    assert filled == [yaml_text(manifest) for manifest in manifests(values)]


def test_fill_writes_names_in_camel_case() -> None:
    """Templates use the names that charts use."""
    opened = open_values()
    assert (
        fill(f"{opened.image_tag} {opened.max_model_len}", lambda name: f"<{name}>")
        == "<imageTag> <maxModelLen>"
    )


def test_expressions_concatenate_text_and_slots() -> None:
    """In Jsonnet and JavaScript, a slot inside text is joined to it."""
    opened = open_values()
    value = {
        "args": [f"--len={opened.max_model_len}!", opened.model],
        "replicas": opened.replicas,
        "plain": [1, None],
    }
    assert expression(value) == (
        '{"args": ["--len=" + v.maxModelLen + "!", v.model], "replicas": v.replicas, "plain": [1, null]}'
    )


def test_expressions_keep_empty_text() -> None:
    """Text without slots stays what it is, even if there is none."""
    assert expression({"group": "", "port": True}) == '{"group": "", "port": true}'


def test_interpolation_stays_inside_the_quotes() -> None:
    """In CUE, a slot inside text is interpolated, and a number is a reference."""
    opened = open_values()
    assert (
        interpolated([f"--len={opened.max_model_len}", opened.replicas])
        == r'["--len=\(v.maxModelLen)", v.replicas]'
    )


def test_leaves_find_every_slot_and_nothing_else() -> None:
    """A leaf is a scalar with a slot, together with the way to it."""
    opened = open_values()
    found = leaves({"spec": {"replicas": opened.replicas, "ports": [80, f"x-{opened.name}"], "on": True}})
    assert [path for path, _ in found] == [("spec", "replicas"), ("spec", "ports", 1)]
    values = values_of(2)
    assert [close(value, values) for _, value in found] == [values.replicas, f"x-{values.name}"]


def test_values_are_plain_json() -> None:
    """The values file of a chart holds one entry per value."""
    held = json.loads(json.dumps(as_json(values_of(1))))
    assert held["maxModelLen"] == values_of(1).max_model_len
    assert all(re.fullmatch("[a-z]+([A-Z][a-z]+)*", name) for name in held)


def test_camel() -> None:
    """Python's names become the names of YAML."""
    assert [camel(name) for name in ("name", "max_model_len")] == ["name", "maxModelLen"]
