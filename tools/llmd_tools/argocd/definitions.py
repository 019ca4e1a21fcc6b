"""Argo CD's own CRDs, as small as can be: each time it applies an object, it reads all about its API version first."""

from collections.abc import Iterator, Mapping
from typing import Any

from llmd_tools.crds import crd_files
from llmd_tools.schemas import custom_resource_definitions

def argo_cd() -> Iterator[dict[str, Any]]:
    """Each of them; the one of ApplicationSets, of which nothing here is one, without its schema."""
    for file in crd_files("argocd"):
        for each in custom_resource_definitions(file):
            yield _without_schema(each) if each["spec"]["names"]["kind"] == "ApplicationSet" else each


def _without_schema(definition: Mapping[str, Any]) -> dict[str, Any]:
    anything = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    versions = [{**each, "schema": anything} for each in definition["spec"]["versions"]]
    return {**definition, "spec": {**definition["spec"], "versions": versions}}
