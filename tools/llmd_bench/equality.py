"""Whether all contestants render the same objects."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from llmd_bench.workload import Values, manifests
from llmd_constructs.manifest import JsonObject, identity

Identity = tuple[str, str, str, str]


def expected(values: Iterable[Values]) -> dict[Identity, JsonObject]:
    """The objects of a workload, by what makes each one object on a cluster."""
    return _by_identity(manifest for item in values for manifest in manifests(item))


def rendered(output: Path) -> dict[Identity, JsonObject]:
    """The objects in a contestant's output."""
    files = sorted(path for path in output.rglob("*.yaml") if "argocd" not in path.parts)
    return _by_identity(
        document
        for file in files
        for document in yaml.load_all(file.read_text("utf-8"), Loader=yaml.CSafeLoader)
        if document is not None
    )


def differences(wanted: Mapping[Identity, JsonObject], found: Mapping[Identity, JsonObject]) -> list[str]:
    """Every object that is missing, too many, or not equal as a value, in words."""
    said = [
        *(("missing", key) for key in wanted.keys() - found.keys()),
        *(("too many", key) for key in found.keys() - wanted.keys()),
        *(("not equal", key) for key in wanted.keys() & found.keys() if wanted[key] != found[key]),
    ]
    return sorted(f"{kind} {namespace}/{name}: {what}" for what, (_, kind, namespace, name) in said)


def _by_identity(objects: Iterable[JsonObject]) -> dict[Identity, JsonObject]:
    return {identity(manifest): manifest for manifest in objects}
