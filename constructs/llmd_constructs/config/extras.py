"""What users add to an application by hand, and rules that they choose to live with.

Manifests and patches are checked for their shape here; the rules then hold for them as for everything else.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import Field, StringConstraints

from llmd_constructs.config._files import label, read_text
from llmd_constructs.config._reader import read_tree
from llmd_constructs.config.base import Model, in_words
from llmd_constructs.config.errors import InputError, Problem, ValuePath, described, shown
from llmd_constructs.config.source import Node, Source

Text = Annotated[
    str,
    StringConstraints(min_length=1, max_length=500, pattern=r"^\S(.*\S)?$"),
    in_words("must be one line that neither begins nor ends with a space"),
]
_LONGEST_NAME = 200
_KIND = re.compile(r"[A-Z][A-Za-z0-9]{0,62}")
_NAME = re.compile(r"[a-zA-Z0-9]([-a-zA-Z0-9.:_]*[a-zA-Z0-9])?")
_VERSION = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?v[0-9][a-z0-9]*")
_ENVIRONMENTS = "environments"


class Target(Model):
    """The objects that a patch changes."""

    kind: Text
    """Kind, such as `HTTPRoute`."""
    name: Text
    """Name of the object."""
    namespace: Text | None = None
    """Namespace. Default: whichever the object is in."""


class Patch(Model):
    """A change to rendered objects."""

    target: Target
    """What is changed."""
    patch: dict[str, Any]
    """JSON merge patch (RFC 7386): mappings merge, `null` takes a key away, anything else replaces."""


class Extra(Model):
    """Manifests and patches of your own for one application."""

    application: Text
    """Name of the application: a deployment's, or such as `gateway` and `namespaces`."""
    manifests: tuple[Text | dict[str, Any], ...] = ()
    """Objects, each written out here or in a file named relative to this one."""
    patches: tuple[Patch, ...] = ()
    """Changes to objects of the application, in order."""


class Waiver(Model):
    """One place that may break one rule, and why."""

    rule: Text
    """Id of the rule, such as `GKE-03`."""
    object: Text
    """`Kind/name` or `Kind/namespace/name` of an object, or the path of a field of this file."""
    reason: Text
    """Why this is right here. It stands in every report."""


Extras = Annotated[tuple[Extra, ...], Field(max_length=200)]


@dataclass(frozen=True)
class ExtraManifest:
    """An object that a user adds."""

    application: str
    path: ValuePath
    """Where the environment file names it."""
    manifest: dict[str, Any]
    node: Node
    """The object, each value with the file and line that it was written on."""


def read_extras(extras: Extras, source: Source, root: Path) -> tuple[ExtraManifest, ...]:
    """The objects of all `extras`, from the environment file and from files it names.

    Raises:
        InputError: With every problem of every file and object.
    """
    manifests: list[ExtraManifest] = []
    problems: list[Problem] = []
    for index, extra in enumerate(extras):
        for number, entry in enumerate(extra.manifests):
            path: ValuePath = ("extras", index, "manifests", number)
            try:
                node = _read(entry, path, source, root) if isinstance(entry, str) else source.node(path)
                manifest = _checked(node.plain(), path, source)
                manifests.append(ExtraManifest(extra.application, path, manifest, node))
            except InputError as error:
                problems.extend(error.problems)
    if problems:
        raise InputError(problems)
    return tuple(manifests)


def object_faults(manifest: Any) -> Iterator[tuple[str, str]]:
    """What keeps a mapping from being a Kubernetes object: what is wrong, and what to write instead."""
    if not isinstance(manifest, dict):
        yield f"must be an object, is {described(manifest)}", "write apiVersion, kind and metadata"
        return
    fields = cast("dict[str, Any]", manifest)
    metadata = fields.get("metadata")
    names = cast("dict[str, Any]", metadata) if isinstance(metadata, dict) else {}
    if str(fields.get("kind", "")).endswith("List"):
        yield f"is a {fields['kind']}", "write its objects one by one"
    for field, value, pattern, example in (
        ("apiVersion", fields.get("apiVersion"), _VERSION, "such as apps/v1"),
        ("kind", fields.get("kind"), _KIND, "such as Deployment"),
        ("metadata.name", names.get("name"), _NAME, "lower case letters, digits and -"),
    ):
        if not isinstance(value, str) or not pattern.fullmatch(value) or len(value) > _LONGEST_NAME:
            yield f"has {field} {described(value)}", f"write {field}, {example}"
    namespace = names.get("namespace")
    if namespace is not None and not (isinstance(namespace, str) and _NAME.fullmatch(namespace)):
        yield f"has metadata.namespace {described(namespace)}", "write the name of a namespace"


def _checked(manifest: Any, path: ValuePath, source: Source) -> dict[str, Any]:
    faults = [source.problem(path, *fault) for fault in object_faults(manifest)]
    if faults:
        raise InputError(faults)
    return manifest


def _read(name: str, path: ValuePath, source: Source, root: Path) -> Node:
    """The object in a file, which is named relative to the file that names it."""
    position = source.position(path)
    file = (root / position.file).parent / name
    shown_name = label(file, root)
    if not shown_name.startswith(f"{_ENVIRONMENTS}/") or shown_name.count("/") < 2:
        message = f"{shown(name)} is not in a folder below {_ENVIRONMENTS}/"
        raise InputError([source.problem(path, message, f"put it into {_ENVIRONMENTS}/manifests/")])
    try:
        return read_tree(read_text(file, root), shown_name, literal=True)
    except InputError as error:
        named = [_at_name(problem, name, shown_name, path, source) for problem in error.problems]
        raise InputError(named) from None


def _at_name(problem: Problem, name: str, file: str, path: ValuePath, source: Source) -> Problem:
    """What has no line of its own, a missing file above all, is best seen where it is named."""
    if problem.file != file or problem.line is not None:
        return problem
    return source.problem(path, f"{shown(name)} {problem.message}", problem.instead)
