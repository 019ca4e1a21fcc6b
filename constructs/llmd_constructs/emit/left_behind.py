"""What a change of the generated folders would leave running, because Argo CD may no longer delete it."""

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from llmd_constructs.emit.tree import Tree

_NODES = ("LLMInferenceService", "LeaderWorkerSet", "Deployment")
"""Kinds that keep nodes running, named first."""
_SHOWN = 3

_Object = Mapping[str, Any]


def left_behind(root: Path, files: Tree) -> Iterator[str]:
    """Tell what Argo CD leaves on the cluster once `files` are committed in place of what is there.

    It deletes only what an AppProject allows, and only for environments that are there (docs/removing.md). What cannot
    be read says nothing; `write_tree` names it.

    Args:
        root: The repository, with the generated folders as the last run left them.
        files: Everything that the folders will hold.

    Yields:
        One sentence for each environment that goes, each namespace and each kind.
    """
    for file in sorted(root.glob("argocd/*/AppProject-*.yaml")):
        name, path = file.parent.name, file.relative_to(root).as_posix()
        if path not in files:
            yield (
                f"{name}: what was deployed keeps running, unless it was taken off the cluster before "
                "(docs/removing.md)"
            )
        elif (old := _read(file)) and old != (new := _parsed(files[path])):
            yield from _narrowed(name, root, old["spec"], new["spec"])


def _narrowed(name: str, root: Path, old: _Object, new: _Object) -> Iterator[str]:
    """Namespaces and kinds that a project no longer allows, with the objects that are there."""
    allowed = _namespaces(new)
    namespaces = {
        each for each in _namespaces(old) if not any(fnmatchcase(each, pattern) for pattern in allowed)
    }
    kinds = _kinds(old) - _kinds(new)
    if not namespaces and not kinds:
        return
    objects = [each for each in map(_read, sorted(root.glob(f"dist/{name}/*/*.yaml"))) if each]
    for namespace in sorted(namespaces):
        if there := [each for each in objects if each["metadata"].get("namespace") == namespace]:
            yield (
                f"{name}: nothing is deployed to the namespace {namespace} any more, so that Argo CD would not delete "
                f"{_listed(there)}; until they are gone, write `namespaces: [{namespace}]` under `gitops` in "
                f"environments/{name}.yaml (docs/removing.md)"
            )
    if there := [
        each
        for each in objects
        if _kind(each) in kinds and each["metadata"].get("namespace") not in namespaces
    ]:
        yield (
            f"{name}: nothing else is of their kind, so that Argo CD will not delete {_listed(there)}; "
            "delete them by hand after the sync (docs/removing.md)"
        )


def _listed(objects: Iterable[_Object]) -> str:
    names = [
        f"{each['kind']}/{each['metadata']['name']}"
        for each in sorted(objects, key=lambda each: each["kind"] not in _NODES)
    ]
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _namespaces(spec: _Object) -> set[str]:
    return {each["namespace"] for each in spec["destinations"]}


def _kinds(spec: _Object) -> set[tuple[str, str]]:
    lists = (spec["clusterResourceWhitelist"], spec["namespaceResourceWhitelist"])
    return {(each["group"], each["kind"]) for listed in lists for each in listed}


def _kind(manifest: _Object) -> tuple[str, str]:
    return manifest["apiVersion"].rpartition("/")[0], manifest["kind"]


def _read(file: Path) -> _Object:
    """The object in a file; empty if it holds none that we could have written."""
    try:
        found = _parsed(file.read_text("utf-8"))
        return found if {"apiVersion", "kind", "metadata"} <= found.keys() else {}
    except (OSError, ValueError, AttributeError, yaml.YAMLError):
        return {}


def _parsed(text: str) -> _Object:
    return yaml.load(text, yaml.CSafeLoader)
