"""CRDs as small as they can be: before Argo CD applies an object, each time, it reads all about its API version."""

from collections.abc import Iterator, Mapping
from typing import Any

from llmd_tools.crds import crd_files
from llmd_tools.schemas import Json, custom_resource_definitions

_VALUES = frozenset({"default", "enum", "example"})
"""Fields of a schema below which everything is somebody's value, and nothing prose."""


def argo_cd() -> Iterator[dict[str, Any]]:
    """Argo CD's own CRDs; the one of ApplicationSets, of which nothing here is one, without its schema."""
    for file in crd_files("argocd"):
        for each in custom_resource_definitions(file):
            small = _without_schema if each["spec"]["names"]["kind"] == "ApplicationSet" else without_prose
            yield small(each)


def without_prose(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A CRD without descriptions, on which no verdict of the server depends."""
    return {name: _without_prose(each) for name, each in definition.items()}


def _without_prose(value: Json) -> Any:
    if isinstance(value, dict):
        return {
            name: each if name in _VALUES else _without_prose(each)
            for name, each in value.items()
            if not (name == "description" and isinstance(each, str))
        }
    return [_without_prose(each) for each in value] if isinstance(value, list) else value


def _without_schema(definition: Mapping[str, Any]) -> dict[str, Any]:
    anything = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    versions = [{**each, "schema": anything} for each in definition["spec"]["versions"]]
    return {**definition, "spec": {**definition["spec"], "versions": versions}}
