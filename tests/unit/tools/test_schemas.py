"""Strict JSON schemas from CRDs and from the wheel of built-in kinds."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from llmd_tools import crd_schema, schemas
from llmd_tools.errors import ToolError


def _crd(spec: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"metadata": {"type": "object"}, "spec": spec}}
    version = {"name": "v1", "served": True, "schema": {"openAPIV3Schema": schema}}
    return {"spec": {"group": "example.com", "names": {"kind": "Widget"}, "versions": [version]}}


def _accepts(spec_schema: dict[str, Any], spec: object, **metadata: object) -> bool:
    [(api_version, kind, schema)] = crd_schema.versions(_crd(spec_schema))
    widget = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "w", **metadata}, "spec": spec}
    return jsonschema_rs.is_valid(schema, widget)


_SIZE = {"type": "object", "properties": {"size": {"type": "integer"}}}


def test_unknown_field_is_refused() -> None:
    """A field that the CRD does not name is an error, at any depth."""
    assert _accepts(_SIZE, {"size": 1})
    assert not _accepts(_SIZE, {"size": 1, "sise": 2})
    assert not _accepts({"type": "array", "items": _SIZE}, [{"sise": 2}])
    assert not _accepts({"type": "object", "additionalProperties": _SIZE}, {"a": {"sise": 2}})


def test_field_of_an_object_without_fields_is_refused() -> None:
    """The server drops everything inside an object whose schema names nothing."""
    assert _accepts({"type": "object"}, {})
    assert not _accepts({"type": "object"}, {"size": 1})


def test_kept_unknown_fields_are_accepted() -> None:
    """A schema that keeps unknown fields keeps them here too, yet checks those that it knows."""
    schema = _SIZE | {"x-kubernetes-preserve-unknown-fields": True}
    assert _accepts(schema, {"other": 1})
    assert not _accepts(schema, {"size": "big"})


def test_embedded_object_may_say_what_it_is() -> None:
    """An embedded object has apiVersion, kind and metadata, although its schema does not name them."""
    schema = _SIZE | {"x-kubernetes-embedded-resource": True}
    assert _accepts(schema, {"apiVersion": "v1", "kind": "Pod", "metadata": {}, "size": 1})
    assert not _accepts(schema, {"sise": 1})


def test_condition_does_not_close_an_object() -> None:
    """A part of `oneOf` names the fields of its own case only."""
    schema = {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "oneOf": [{"required": ["a"], "properties": {"a": {"minimum": 1}}}, {"required": ["b"]}],
    }
    assert _accepts(schema, {"a": 1})
    assert _accepts(schema, {"a": 0, "b": 1})
    assert not _accepts(schema, {"a": 0})


def test_nullable_field_may_be_null() -> None:
    """`nullable` is OpenAPI's word for a type that JSON schema writes as a second one."""
    assert _accepts({"type": "string", "nullable": True, "enum": ["a"]}, None)
    assert not _accepts({"type": "string", "enum": ["a"]}, None)


def test_number_or_text() -> None:
    """A port may be a number or a name, and nothing else."""
    schema = {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}
    assert _accepts(schema, 80)
    assert _accepts(schema, "http")
    assert not _accepts(schema, [])


def test_metadata_is_checked() -> None:
    """A misspelt field of metadata, or a label that is no text, is an error although the CRD says nothing of it."""
    assert _accepts(_SIZE, {}, namespace="n", labels={"a": "b"})
    assert not _accepts(_SIZE, {}, lables={"a": "b"})
    assert not _accepts(_SIZE, {}, labels={"a": 1})


def test_version_that_is_not_served_has_no_schema() -> None:
    """An API version that the server would not serve is not judged as if it did."""
    crd = _crd(_SIZE)
    crd["spec"]["versions"][0]["served"] = False
    assert list(crd_schema.versions(crd)) == []


def test_bare_equals_sign_is_text(tmp_path: Path) -> None:
    """The Prometheus operator's CRDs list `=` among the operators, which YAML 1.1 gives a type of its own."""
    file = tmp_path / "crd.yaml"
    file.write_text("kind: CustomResourceDefinition\nenum: [=, '!=']\n---\n---\nkind: Other\n")
    assert [crd["enum"] for crd in schemas.custom_resource_definitions(file)] == [["=", "!="]]


def test_schema_that_does_not_compile_is_refused(tmp_path: Path) -> None:
    """The program that uses it would report it as a schema that it cannot find."""
    with pytest.raises(ToolError, match=r"the schema of example\.com/v1 Widget does not compile"):
        schemas.write(tmp_path, "example.com/v1", "Widget", {"type": "objekt"})


@pytest.mark.parametrize(
    ("api_version", "kind", "expected"),
    [
        ("v1", "Pod", "v1/pod_v1.json"),
        ("apps/v1", "Deployment", "apps/deployment_v1.json"),
        ("gateway.networking.k8s.io/v1", "HTTPRoute", "gateway.networking.k8s.io/httproute_v1.json"),
    ],
)
def test_file_is_named_after_kind_and_version(api_version: str, kind: str, expected: str) -> None:
    """Groups that begin alike, as those of the two inference pools, do not collide."""
    assert schemas.file_name(api_version, kind) == expected


@pytest.fixture
def core() -> Path:
    """The schemas of built-in kinds, as the code of today makes them: its bytes are part of their key."""
    return schemas.core_schemas("1.34")


def _core_accepts(core: Path, pod_spec: dict[str, Any]) -> bool:
    schema = json.loads((core / schemas.file_name("v1", "Pod")).read_text())
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": pod_spec}
    return jsonschema_rs.is_valid(schema, pod)


def test_built_in_kinds_stand_alone_and_are_strict(core: Path) -> None:
    """The schema of a Pod needs no other file and refuses a misspelt field deep inside."""
    container = {"name": "c", "image": "i", "ports": [{"containerPort": 80}]}
    assert _core_accepts(core, {"containers": [container]})
    assert not _core_accepts(core, {"containers": [container | {"prots": []}]})


def test_schemas_are_small(core: Path) -> None:
    """Each holds just the definitions that it reaches: a ConfigMap's has nothing of a Pod's."""
    config_map = json.loads((core / schemas.file_name("v1", "ConfigMap")).read_text())
    assert "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" in config_map["$defs"]
    assert not any("Pod" in name for name in config_map["$defs"])


def test_prose_of_a_crd_goes_and_values_stay() -> None:
    """A description is prose where a schema has it, and something else as a field's name or inside a value."""
    definition = {
        "description": "prose",
        "properties": {"description": {"type": "string", "description": "prose"}},
        "default": {"description": "value"},
        "enum": [{"description": "value"}],
        "oneOf": [{"description": "prose", "required": ["description"]}],
    }
    assert schemas.without_prose({"schema": definition})["schema"] == {
        "properties": {"description": {"type": "string"}},
        "default": {"description": "value"},
        "enum": [{"description": "value"}],
        "oneOf": [{"required": ["description"]}],
    }


def test_unknown_kubernetes_version_lists_those_there_are() -> None:
    """A version that the wheel does not have is answered with those it has."""
    with pytest.raises(ToolError, match=r"no schemas of Kubernetes '1\.9'; .* 1\.34"):
        schemas.core_schemas("1.9")
