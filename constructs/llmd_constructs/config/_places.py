"""Where in a model, and where in the user's file, a pydantic error belongs.

Pydantic puts the tag or the type name of a union's branch into an error's `loc`. Walking the model
along `loc` tells those from the user's own keys.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeGuard, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from llmd_constructs.config._docs import field_docs
from llmd_constructs.config._node import Node
from llmd_constructs.config.errors import ValuePath


@dataclass(frozen=True)
class Place:
    """A place in the model."""

    path: ValuePath
    """The keys of the file that lead here."""
    annotation: Any
    """The type expected here, without `Annotated` and `None`; `None` where the model does not say."""
    metadata: tuple[Any, ...] = ()
    """What is annotated to the type, outermost first."""
    unions: tuple[ValuePath, ...] = ()
    """Unions on the way here."""


@dataclass(frozen=True)
class Meaning:
    """Annotated to a field: what it means, in the words below it."""

    text: str


def place_of(loc: ValuePath, model: type[BaseModel], values: Node) -> Place:
    """Follow the `loc` of an error through the model, or through the values where the model has no word."""
    if len(loc) > 1 and loc[-1] == "[key]":
        # A mapping's key is wrong, and not the value under it.
        owner = place_of(loc[:-2], model, values)
        return _at(owner, loc[-2], next(iter(get_args(owner.annotation)), None))
    place = Place((), model)
    for element in loc:
        place = _step(place, element, values)
    return place


def fields(annotation: Any) -> dict[str, FieldInfo]:
    """The fields of a model by the names that users write; empty for any other type."""
    return _fields(annotation) if _is_model(annotation) else {}


def field_at(place: Place, key: str) -> Place:
    """The place below a model, under a key that the model need not know."""
    info = fields(place.annotation).get(key)
    if info is None:
        return _at(place, key, None)
    return _at(place, key, info.annotation, (info, Meaning(field_docs(place.annotation).get(key, ""))))


def choices(annotation: Any) -> list[Any]:
    """The values that a `Literal` or an enumeration allows; empty for any other type."""
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [member.value for member in annotation]
    return []


def discriminator(place: Place) -> str:
    """The key that tells the branches of the union at `place` apart; empty if it has none."""
    named = (getattr(item, "discriminator", None) for item in place.metadata)
    name = next((name for name in named if isinstance(name, str)), "")
    models = (_peeled(branch)[0] for branch in _branches(place.annotation))
    aliases = (info.alias for model in models if _is_model(model) and (info := model.model_fields.get(name)))
    return next((alias for alias in aliases if alias), name)


def tags(place: Place) -> list[str]:
    """The values that the discriminator of the union at `place` can have."""
    key = discriminator(place)
    found = [str(tag) for branch in _branches(place.annotation) for tag in _tags(branch, key)]
    return list(dict.fromkeys(found))


@cache
def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {info.alias or name: info for name, info in model.model_fields.items()}


def _is_model(annotation: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _step(place: Place, element: str | int, values: Node) -> Place:
    branches = _branches(place.annotation)
    if len(branches) > 1:
        return _into_branch(place, branches, str(element))
    if fields(place.annotation):
        return field_at(place, str(element))
    inner = _inner(place.annotation, element)
    # Without a type to follow, what is not in the file is a label of pydantic's.
    return (
        _at(place, element, inner)
        if inner is not None or values.nearest((*place.path, element))[1]
        else place
    )


def _at(place: Place, element: str | int, annotation: Any, metadata: tuple[Any, ...] = ()) -> Place:
    bare, more = _peeled(annotation)
    return Place((*place.path, element), bare, (*metadata, *more), place.unions)


def _into_branch(place: Place, branches: list[Any], label: str) -> Place:
    key = discriminator(place)
    chosen = next((branch for branch in branches if _is_branch(branch, key, label)), None)
    bare, metadata = _peeled(chosen)
    return Place(place.path, bare, metadata, (*place.unions, place.path))


def _is_branch(branch: Any, key: str, label: str) -> bool:
    if key:
        return label in {str(tag) for tag in _tags(branch, key)}
    bare, _ = _peeled(branch)
    if get_origin(bare) is Literal:
        return label.startswith("literal[")
    name = getattr(get_origin(bare) or bare, "__name__", "")
    return re.search(rf"\b{re.escape(name)}\b", label) is not None


def _tags(branch: Any, key: str) -> list[Any]:
    bare, _ = _peeled(branch)
    inner = _branches(bare)
    if len(inner) > 1:
        return [tag for each in inner for tag in _tags(each, key)]
    info = fields(bare).get(key)
    return choices(_peeled(info.annotation)[0]) if info else []


def _branches(annotation: Any) -> list[Any]:
    if get_origin(annotation) not in (Union, UnionType):
        return []
    return [branch for branch in get_args(annotation) if branch is not NoneType]


def _peeled(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """The type without `Annotated`, alias and `None`, and what was annotated to it."""
    metadata: tuple[Any, ...] = ()
    while True:
        if hasattr(annotation, "__value__"):
            annotation = annotation.__value__
        elif get_origin(annotation) is Annotated:
            annotation, *more = get_args(annotation)
            metadata = (*metadata, *more)
        elif len(branches := _branches(annotation)) == 1:
            annotation = branches[0]
        else:
            return annotation, metadata


def _inner(annotation: Any, element: str | int) -> Any:
    """The type of an entry of a list or mapping."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if not isinstance(origin, type) or not arguments:
        return None
    if issubclass(origin, Mapping):
        return arguments[1]
    if not isinstance(element, int) or not issubclass(origin, Sequence | set | frozenset):
        return None
    fixed = issubclass(origin, tuple) and arguments[-1] is not ...
    return arguments[element] if fixed and element < len(arguments) else arguments[0]
