"""From the OpenAPI schema of a CRD to a strict JSON schema."""

from collections.abc import Iterator
from typing import Any

_DRAFT = "https://json-schema.org/draft/2020-12/schema"

_TEXT = {"type": "string"}
_TEXTS = {"type": "object", "additionalProperties": _TEXT}
_METADATA = {
    "type": "object",
    "properties": {
        "name": _TEXT,
        "generateName": _TEXT,
        "namespace": _TEXT,
        "labels": _TEXTS,
        "annotations": _TEXTS,
        "finalizers": {"type": "array", "items": _TEXT},
        "ownerReferences": {"type": "array", "items": {"type": "object"}},
    },
    "additionalProperties": False,
}
"""What a manifest may say in `metadata`; the other fields of ObjectMeta are the server's."""

_IDENTITY = {"apiVersion": _TEXT, "kind": _TEXT, "metadata": {"type": "object"}}
"""The fields that an embedded object may have although its schema does not name them."""

_FRAGMENTS = ("allOf", "anyOf", "oneOf")
_PROSE = ("description", "default", "example", "externalDocs")


def versions(crd: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """API version, kind and strict schema of every version that a CRD serves."""
    spec = crd["spec"]
    for version in spec["versions"]:
        schema = version.get("schema", {}).get("openAPIV3Schema")
        if schema and version["served"]:
            api_version, kind = f"{spec['group']}/{version['name']}", spec["names"]["kind"]
            yield api_version, kind, _root(schema, api_version, kind)


def _root(schema: dict[str, Any], api_version: str, kind: str) -> dict[str, Any]:
    strict = _node(schema)
    strict["properties"] = {
        **strict.get("properties", {}),
        "apiVersion": {"const": api_version},
        "kind": {"const": kind},
        "metadata": _METADATA,
    }
    strict["required"] = sorted({*strict.get("required", []), "apiVersion", "kind", "metadata"})
    return {"$schema": _DRAFT, **strict}


def _node(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema in structural position: it says all there is to say about the fields below it."""
    strict = _parts(schema, _node)
    if schema.get("x-kubernetes-int-or-string"):
        for name in ("type", "anyOf", "allOf"):
            strict.pop(name, None)
        return strict | {"type": ["integer", "string", *(["null"] if schema.get("nullable") else [])]}
    if schema.get("type") == "object":
        _close(strict, schema)
    if schema.get("nullable"):
        strict["type"] = [schema["type"], "null"]
        if "enum" in strict:
            strict["enum"] = [*strict["enum"], None]
    return strict


def _close(strict: dict[str, Any], schema: dict[str, Any]) -> None:
    """Refuse fields that the schema does not name, unless it says that it keeps them."""
    if schema.get("x-kubernetes-embedded-resource"):
        strict["properties"] = _IDENTITY | strict.get("properties", {})
    if not schema.get("x-kubernetes-preserve-unknown-fields"):
        strict.setdefault("additionalProperties", False)


def _fragment(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema inside `allOf` and the like: one more condition, which does not name every field."""
    return _parts(schema, _fragment)


def _parts(schema: dict[str, Any], inner: Any) -> dict[str, Any]:
    return {
        name: _part(name, value, inner)
        for name, value in schema.items()
        if name not in _PROSE and name != "nullable" and not name.startswith("x-kubernetes-")
    }


def _part(name: str, value: Any, inner: Any) -> Any:
    if name == "properties":
        return {field: inner(each) for field, each in value.items()}
    if name in _FRAGMENTS:
        return [_fragment(each) for each in value]
    if name == "not":
        return _fragment(value)
    if name == "items" or (name == "additionalProperties" and isinstance(value, dict)):
        return inner(value)
    return value
