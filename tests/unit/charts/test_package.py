import json
from functools import cache
from itertools import product
from typing import Any, get_args

import jsonschema_rs
import pytest
import yaml

from llmd_constructs import catalogue
from llmd_constructs.charts.package import package_files, platform_files
from llmd_constructs.charts.readme import Row, rows_of
from llmd_constructs.charts.values import PATTERNS, values_model
from llmd_constructs.config.deployment import Stack
from llmd_constructs.config.schema import described_schema

COMBINATIONS = list(product(PATTERNS, get_args(Stack)))
every_chart = pytest.mark.parametrize(("pattern", "stack"), COMBINATIONS)


@cache
def _schema(pattern: str, stack: Stack) -> dict[str, Any]:
    return described_schema(values_model(pattern, stack))


@cache
def _files(pattern: str, stack: Stack) -> dict[str, str]:
    return package_files(f"{stack}-{pattern}", pattern, stack, _schema(pattern, stack))


@cache
def _defaults(pattern: str, stack: Stack) -> dict[str, Any]:
    return values_model(pattern, stack).model_validate({}).model_dump(by_alias=True, mode="json")


@cache
def _validator(pattern: str, stack: Stack) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(json.loads(_files(pattern, stack)["values.schema.json"]))


def _refused(pattern: str, stack: Stack, change: dict[str, Any]) -> bool:
    validator = _validator(pattern, stack)
    return not validator.is_valid({**_defaults(pattern, stack), **change})


@every_chart
def test_a_chart_has_all_that_helm_looks_for(pattern: str, stack: Stack) -> None:
    """Card, schema, README, helpers, notes and test are there, each ending in a newline."""
    files = _files(pattern, stack)
    assert set(files) == {
        "Chart.yaml",
        "README.md",
        "values.schema.json",
        "templates/_helpers.tpl",
        "templates/NOTES.txt",
        "templates/tests/chat.yaml",
    }
    assert all(text.endswith("\n") for text in files.values())


def test_a_chart_without_a_model_has_no_chat() -> None:
    """What models stand on has notes, and nothing that could answer."""
    files = platform_files("platform-gateway", "The shared Gateway.", {"properties": {}})
    assert "templates/NOTES.txt" in files
    assert "templates/tests/chat.yaml" not in files


@every_chart
def test_the_card_names_chart_engine_and_releases(pattern: str, stack: Stack) -> None:
    """The card has the chart's name, the default engine's version, and the releases that the values accept."""
    card = yaml.safe_load(_files(pattern, stack)["Chart.yaml"])
    assert card["name"] == f"{stack}-{pattern}"
    assert card["appVersion"] == catalogue.default_engine("tpu").version
    kind, ids = ("kserve", "kserve_release") if stack == "kserve" else ("picker", "picker_release")
    assert card["annotations"][f"llmd/{kind}"].split(", ") == list(catalogue.ids(ids))
    assert "maintainers" not in card


@every_chart
def test_the_schema_takes_the_defaults_and_helms_own_key(pattern: str, stack: Stack) -> None:
    """The chart's own values are right, with or without the values of a chart above."""
    assert not _refused(pattern, stack, {})
    assert not _refused(pattern, stack, {"global": {"anything": 1}})


@every_chart
def test_the_schema_is_closed(pattern: str, stack: Stack) -> None:
    """A value that nobody knows is refused, at the top and below."""
    assert _refused(pattern, stack, {"gatway": {}})
    assert _refused(pattern, stack, {"gateway": {"nmae": "inference-gateway"}})
    assert _refused(pattern, stack, {"gateway": {"provider": "nginx"}})


@every_chart
def test_a_refusal_has_one_reason(pattern: str, stack: Stack) -> None:
    """Nothing is behind a reference or a choice of schemas, whose every step Helm would print."""
    text = _files(pattern, stack)["values.schema.json"]
    assert not [word for word in ("$ref", "$defs", "anyOf", "allOf", "oneOf") if f'"{word}"' in text]


@every_chart
def test_null_stands_for_what_is_not_set(pattern: str, stack: Stack) -> None:
    """What has no default may be null, a closed choice among it, and what has one may not."""
    assert not _refused(pattern, stack, {"gateway": {"hostname": None}})
    assert _refused(pattern, stack, {"gateway": {"provider": None}})
    if stack == "kserve":
        assert not _refused(pattern, stack, {"istio": None})
        assert _refused(pattern, stack, {"istio": "1.25"})


@every_chart
def test_the_readme_has_a_row_for_every_value(pattern: str, stack: Stack) -> None:
    """Each value without values below it has a row with what it means, and long choices stand below the table."""
    readme = _files(pattern, stack)["README.md"]
    rows = rows_of(_schema(pattern, stack))
    assert len({row.path for row in rows}) == len(rows)
    assert not [row.path for row in rows if not row.description]
    for row in rows:
        assert f"| `{row.path}` |" in readme
    assert all(f"`{model}`" in readme for model in catalogue.ids("model") if pattern == "single-replica")


def test_the_readme_gives_type_bounds_and_default() -> None:
    """A row says what a value can be, between which bounds, and what it is when nobody says anything."""
    rows = {row.path: row for row in rows_of(_schema("prefix-cache", "llm-d"))}
    assert rows["requestTimeoutSeconds"][1:3] == ("integer from 30 to 3600", "`600`")
    assert rows["routing"][1:3] == ("`approximate`, `precise`", '`"approximate"`')
    assert rows["engine.extraArgs"][1:3] == ("list of strings", "`[]`")
    rows = {row.path: row for row in rows_of(_schema("multi-model", "llm-d"))}
    assert rows["models[].model"].default == "required"


def test_a_default_can_come_from_above() -> None:
    """What a part of the values must have is not asked of the user where the chart's own values have it."""
    provider = {"type": "string", "description": "Whose it is."}
    gateway = {"type": "object", "properties": {"provider": provider}, "required": ["provider"]}
    schema = {"properties": {"gateway": {**gateway, "default": {"provider": "gke"}}}}
    assert rows_of(schema) == [Row("gateway.provider", "string", '`"gke"`', "Whose it is.")]


def test_names_are_those_of_the_constructs() -> None:
    """Notes and test ask the Services and routes that the constructs make."""
    llmd = _files("single-replica", "llm-d")
    assert "http://ms-{{ $.Release.Name }}-llm-d-modelservice:8000/v1" in llmd["templates/tests/chat.yaml"]
    assert "httproute llm-d-{{ $.Release.Name }}-inference-scheduling" in llmd["templates/NOTES.txt"]
    kserve = _files("single-replica", "kserve")
    assert "http://{{ $.Release.Name }}-http:8000" in kserve["templates/tests/chat.yaml"]
    assert '(list "odh-0.15")' in kserve["templates/tests/chat.yaml"]


@pytest.mark.parametrize("stack", get_args(Stack))
def test_several_models_are_asked_one_by_one(stack: Stack) -> None:
    """With several models, notes and test repeat for each, under its own name."""
    files = _files("multi-model", stack)
    for path in ("templates/tests/chat.yaml", "templates/NOTES.txt"):
        assert "{{- range $model := $.Values.models }}" in files[path]
        assert "$model.name" in files[path]
        assert "$.Values.model " not in files[path]


def test_the_answer_of_a_group_is_awaited_as_a_group() -> None:
    """A replica over several nodes is a LeaderWorkerSet, which has no rollout to ask for."""
    text = _files("mixture-of-experts", "llm-d")["templates/NOTES.txt"]
    assert "{{ if gt (int $.Values.nodesPerReplica) 1 }}wait leaderworkerset/" in text
