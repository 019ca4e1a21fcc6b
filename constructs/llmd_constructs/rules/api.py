"""Manifests and patches of users' own: kinds that exist, fields that they have, values of the right type."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple, cast

from llmd_constructs.catalogue import kubernetes
from llmd_constructs.catalogue.kubernetes import METADATA, RELEASE, Shape, Type, type_named
from llmd_constructs.config.errors import ValuePath, closest, described
from llmd_constructs.manifest import (
    GATEWAY,
    GCP_BACKEND_POLICY,
    HEALTH_CHECK_POLICY,
    HTTP_ROUTE,
    INFERENCE_POOL,
    KINDS,
    JsonObject,
)
from llmd_constructs.rules.fields import fields
from llmd_constructs.rules.model import Offence, rule
from llmd_constructs.rules.reading import entries, mapping
from llmd_constructs.rules.resources import Resource
from llmd_constructs.rules.view import View

_REFERENCE = "https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.34/"
_GATEWAY_API = "https://gateway-api.sigs.k8s.io/reference/spec/"
_RENDERED = frozenset((kind.group, kind.kind) for kind in KINDS)
_LISTED = frozenset(
    (kind.group, kind.kind)
    for kind in (GATEWAY, HTTP_ROUTE, INFERENCE_POOL, HEALTH_CHECK_POLICY, GCP_BACKEND_POLICY)
)
"""Kinds of third parties whose fields `fields.yaml` has."""
_SAID = frozenset({("PodSpec", ""), ("Container", ""), ("EnvVar", "value"), ("ObjectMeta", "labels.*")})
"""Holders that POD-03 and POD-11 look at, in rendered objects too."""
_OF_ANY_KIND = frozenset({"apiVersion", "kind", "status"})
_OF_RENDERED_KINDS = _OF_ANY_KIND | {"metadata", "spec"}
"""All that an object of a third party's kind has, of those that we render."""
_WORDS = {
    "text": "text",
    "number": "a whole number",
    "fraction": "a number",
    "flag": "true or false",
    "quantity": "a number or text",
    "list": "a list",
    "map": "a mapping",
    "object": "a mapping",
}
_CLASSES: Mapping[str, type | tuple[type, ...]] = {
    "text": str,
    "number": int,
    "fraction": (int, float),
    "flag": bool,
    "quantity": (str, int, float),
    "list": list,
    "map": dict,
    "object": dict,
}


_Holder = tuple[str, str]
"""A type, and its field that holds a value: `a.*` for what the field's mapping or list holds, empty if it has none."""


class _Fault(NamedTuple):
    path: ValuePath
    holder: _Holder
    message: str
    instead: str


@rule(
    "API-01",
    "A manifest of one's own is of a kind that exists",
    waivable=True,
    symptom='The sync fails: no matches for kind "ConfgMap" in version "v1".',
    cause=f"The kind is misspelt, or stands with another group's version. Kinds of Kubernetes' own are known as of "
    f"{RELEASE}, and those of third parties are not looked at.",
    instead="write a kind that the API version has",
    source=(_REFERENCE,),
)
def kinds(view: View) -> Iterator[Offence]:
    """Every object that users add, in the API groups of Kubernetes' own."""
    for resource in _own(view):
        group = resource.group
        known = kubernetes.kinds()
        ours = group in kubernetes.groups() or "." not in group  # others' groups have a dot
        if ours and (resource.api_version, resource.kind) not in known and not _is_rendered(resource):
            message = f"is {resource.kind}, which {resource.api_version} does not have"
            yield Offence(resource.at("kind"), message, _meant(resource))


def _meant(resource: Resource) -> str:
    known = kubernetes.kinds()
    versions = [version for version, kind in known if kind == resource.kind]
    if versions:
        return f"write apiVersion: {versions[0]}"
    near = closest(resource.kind, (kind for version, kind in known if version == resource.api_version))
    return f"did you mean {near}?" if near else ""


def _is_rendered(resource: Resource) -> bool:
    """Whether ARG-08 knows at which versions the kind is served."""
    return (resource.group, resource.kind) in _RENDERED


@rule(
    "API-02",
    "Every field of a manifest or patch of one's own exists, and holds what it can hold",
    waivable=True,
    symptom="The sync fails with a strict decoding error; or the field is dropped, and nothing it asked for happens.",
    cause=f"A slip of the pen, or a number where Kubernetes wants text. Kinds of Kubernetes' own are known as of "
    f"{RELEASE}, with all their fields; of others metadata is, and what we render ourselves.",
    instead="write a field that the kind has, and a value of its type",
    source=(_REFERENCE, _GATEWAY_API, "the Kubernetes API as cdk8s-plus ships it"),
)
def own_fields(view: View) -> Iterator[Offence]:
    """Every object that users add or patch."""
    for resource in _own(view):
        shape = kubernetes.kinds().get((resource.api_version, resource.kind))
        found = (
            _faults(resource.manifest, shape, (), (resource.kind, "")) if shape else _third_party(resource)
        )
        for fault in found:
            if fault.holder not in _SAID:
                yield Offence(resource.place(fault.path), fault.message, fault.instead)


def _own(view: View) -> Iterator[Resource]:
    return (resource for resource in view.resources if resource.own)


def _third_party(resource: Resource) -> Iterator[_Fault]:
    """Metadata, and names of fields where we render the kind ourselves."""
    yield from _faults(resource.get("metadata"), METADATA, ("metadata",), (resource.kind, "metadata"))
    if _is_rendered(resource):
        yield from _unknown(resource.manifest, _OF_RENDERED_KINDS, resource.kind, ())
    for path, name in _parts(resource):
        yield from _unknown(mapping(resource.manifest, *path), fields(name), name, path)


def _parts(resource: Resource) -> Iterator[tuple[ValuePath, str]]:
    """What `fields.yaml` lists of a kind: its spec, and the rules of a route."""
    if (resource.group, resource.kind) in _LISTED:
        yield ("spec",), f"{resource.kind}Spec"
    for index, _ in enumerate(entries(resource.manifest, "spec", "rules")):
        if resource.kind == HTTP_ROUTE.kind:
            yield ("spec", "rules", index), "HTTPRouteRule"


def _faults(value: Any, shape: Shape, path: ValuePath, holder: _Holder) -> Iterator[_Fault]:
    """What keeps a value from being of its shape. Kubernetes reads null as not written."""
    if value is None or shape.kind == "any":
        return
    if not _fits(value, shape):
        message = f"is {described(value)}, and has to be {_WORDS[shape.kind]}"
        yield _Fault(path, holder, message, _instead(value, shape))
    elif shape.kind == "object":
        yield from _object_faults(value, type_named(shape.type), path)
    elif shape.of:
        inside = (holder[0], f"{holder[1]}.*")
        items = (
            cast("JsonObject", value).items() if shape.kind == "map" else enumerate(cast("list[Any]", value))
        )
        for key, item in items:
            yield from _faults(item, shape.of, (*path, key), inside)


def _object_faults(value: JsonObject, type: Type, path: ValuePath) -> Iterator[_Fault]:
    yield from _unknown(value, {*type.fields, *(_OF_ANY_KIND if type.is_kind else ())}, type.name, path)
    for name, field in type.fields.items():
        where, holder = (*path, name), (type.name, name)
        if field.required and value.get(name) is None:
            yield _Fault(where, holder, f"is missing, and {type.name} needs it", f"add {name}")
        yield from _faults(value.get(name), field.shape, where, holder)


def _unknown(value: JsonObject, known: Collection[str], type: str, path: ValuePath) -> Iterator[_Fault]:
    for name in value.keys() - set(known):
        near = closest(name, known)
        instead = f"did you mean {near}?" if near else ""
        yield _Fault((*path, name), (type, ""), f"is not a field of {type}", instead)


def _fits(value: Any, shape: Shape) -> bool:
    # Python takes true and false for numbers, and Kubernetes does not.
    return isinstance(value, _CLASSES[shape.kind]) and isinstance(value, bool) == (shape.kind == "flag")


def _instead(value: Any, shape: Shape) -> str:
    if shape.kind == "text" and not isinstance(value, dict | list):
        return "put it in quotes"
    if shape.kind in ("number", "fraction") and isinstance(value, str):
        return "take away the quotes" if value.isdecimal() else "write a number"
    return "begin each entry with `- `" if shape.kind == "list" else ""


RULES = (kinds, own_fields)
