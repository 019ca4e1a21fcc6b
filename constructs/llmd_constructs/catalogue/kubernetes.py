"""Types of the Kubernetes API: which kinds there are, which fields each has, and what a field holds.

Source: the jsii assembly in the package cdk8s-plus, which tells every type that cdk8s generates from the OpenAPI
document of a release. Nothing of it is copied here. Reading it needs no node, and takes 0.2 s, so that only those
who hold manifests of users' own against it load it.
"""

import json
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

RELEASE = "1.34"
"""Of Kubernetes, as cdk8s-plus names it in its own name."""
_PACKAGE = f"cdk8s_plus_{RELEASE.partition('.')[2]}"
_PREFIX = f"{_PACKAGE.replace('_', '-')}.k8s."
_KIND = re.compile(r"io\.k8s\.(?:api|[\w-]+\.pkg\.apis)\.(?P<group>\w+)\.(?P<version>v\w+)\.(?P<kind>\w+)")
_GROUPS = {
    "core": "",
    **{name: name for name in ("apps", "autoscaling", "batch", "policy")},
    "rbac": "rbac.authorization.k8s.io",
    "flowcontrol": "flowcontrol.apiserver.k8s.io",
    "apiserverinternal": "internal.apiserver.k8s.io",
}
"""API group by its name among Kubernetes' types. All others are that name and `.k8s.io`."""

Kind = Literal["text", "number", "fraction", "flag", "quantity", "any", "list", "map", "object"]
_PRIMITIVES: Mapping[str, Kind] = {"string": "text", "date": "text", "number": "number", "boolean": "flag"}
_FRACTIONS = "JSONSchemaProps"
"""The one type whose numbers need not be whole."""
_MISTAKEN = "PolicyRulesWithSubjects"
"""Of a FlowSchema. cdk8s knows one type named Subject, which is another than that of its fields."""


class Shape(NamedTuple):
    """What a value has to be."""

    kind: Kind
    """`quantity` is text or a number; `object` has the fields of a type."""
    of: "Shape | None" = None
    """What a list or a mapping holds."""
    type: str = ""
    """Name of an object's type, for `type_named`."""


class Field(NamedTuple):
    """A field of a type."""

    shape: Shape
    required: bool


@dataclass(frozen=True)
class Type:
    """A type with fields."""

    name: str
    """Such as `PodSpec`."""
    is_kind: bool
    """Whether objects of it have `apiVersion` and `kind`."""
    fields: Mapping[str, Field]


METADATA = Shape("object", type=f"{_PREFIX}ObjectMeta")
"""Of every object, whoever defines its kind."""


@cache
def kinds() -> Mapping[tuple[str, str], Shape]:
    """Every kind of Kubernetes' own, by API version and kind."""
    found: dict[tuple[str, str], Shape] = {}
    for name, described in _assembly().items():
        if name.startswith(f"{_PREFIX}Kube") and name.endswith("Props"):
            match = _KIND.fullmatch(_schema(described))
            if match:
                group = _GROUPS.get(match["group"], f"{match['group']}.k8s.io")
                api_version = f"{group}/{match['version']}" if group else match["version"]
                found[api_version, match["kind"]] = Shape("object", type=name)
    return found


@cache
def groups() -> frozenset[str]:
    """API groups of Kubernetes' own; the empty one is the core group."""
    return frozenset(api_version.rpartition("/")[0] for api_version, _ in kinds())


@cache
def type_named(name: str) -> Type:
    """The type of that name, as a shape has it."""
    described = _assembly()[name]
    title = _schema(described).rpartition(".")[2]
    fields: dict[str, Field] = {}
    for item in cast("list[dict[str, Any]]", described.get("properties", [])):
        # The name in TypeScript differs from the one in YAML: clusterIp.
        field = _schema(item).rpartition("#")[2]
        shape = _shape(item["type"], title) if title != _MISTAKEN else Shape("any")
        fields[field] = Field(shape, not item.get("optional"))
    return Type(title, name.startswith(f"{_PREFIX}Kube"), fields)


def _shape(reference: Mapping[str, Any], owner: str) -> Shape:
    if "collection" in reference:
        collection = reference["collection"]
        kind: Kind = "map" if collection["kind"] == "map" else "list"
        return Shape(kind, _shape(collection["elementtype"], owner))
    name = reference.get("fqn", "")
    if not name:
        kind = _PRIMITIVES.get(reference.get("primitive", ""), "any")
        return Shape("fraction" if kind == "number" and owner == _FRACTIONS else kind)
    # Quantity and IntOrString are classes, and take either.
    return Shape("object", type=name) if _assembly()[name]["kind"] == "interface" else Shape("quantity")


def _schema(described: Mapping[str, Any]) -> str:
    """The name that Kubernetes gives a type or a field."""
    return described.get("docs", {}).get("custom", {}).get("schema", "")


@cache
def _assembly() -> Mapping[str, dict[str, Any]]:
    """Every type of cdk8s-plus by its full name; importing the package instead would load it into node."""
    package = find_spec(_PACKAGE)
    folder = Path(str(package.origin if package else "")).parent / "_jsii"
    with tarfile.open(next(folder.glob("*.jsii.tgz"))) as archive:
        member = archive.extractfile("package/.jsii")
        loaded = cast("dict[str, Any]", json.loads(member.read() if member else b"{}"))
    return loaded["types"]
