"""Kustomize: one base, one overlay and one `kustomize build` per application."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from llmd_bench.contest import Contestant, each, names
from llmd_bench.slots import close, leaves, open_values
from llmd_bench.workload import INSTANCE, Values, manifests, values_of
from llmd_constructs.emit.yaml_text import yaml_text
from llmd_constructs.manifest import JsonObject
from llmd_tools.build import tool

_BY_FIELD = re.compile(
    r"metadata/namespace|.*/labels/[^/]*instance|subjects/\d+/namespace|.*/image|spec/replicas"
)
"""What Kustomize's own fields set: `namespace`, `labels`, `images`, `replicas`. All else takes patches."""


def prepare(folder: Path, values: Sequence[Values]) -> list[Contestant]:
    """Write the base and the overlays."""
    kustomize = str(tool("kustomize"))
    output = folder / "output"
    _base(folder / "base")
    for item in values:
        overlay = folder / "overlays" / item.name
        overlay.mkdir(parents=True)
        (overlay / "kustomization.yaml").write_text(yaml_text(_overlay(item)))
    command = each([kustomize, "build", "overlays/{}", "--output", f"{output}/{{}}.yaml"])
    return [Contestant("kustomize build", command, folder, output, names(values))]


def _base(folder: Path) -> None:
    folder.mkdir()
    objects = manifests(values_of(0))
    files = [f"{number:02}-{manifest['kind']}.yaml" for number, manifest in enumerate(objects)]
    for file, manifest in zip(files, objects, strict=True):
        (folder / file).write_text(yaml_text(manifest))
    (folder / "kustomization.yaml").write_text(yaml_text({"resources": files}))


def _overlay(values: Values) -> JsonObject:
    objects = manifests(values)
    images = {
        container["image"].rpartition(":")[0]
        for manifest in objects
        if manifest["kind"] == "Deployment"
        for container in manifest["spec"]["template"]["spec"]["containers"]
    }
    return {
        "resources": ["../../base"],
        "namespace": values.name,
        "labels": [{"pairs": {INSTANCE: values.name}, "includeTemplates": True}],
        "images": [{"name": image, "newTag": values.image_tag} for image in sorted(images)],
        "replicas": [{"name": role, "count": values.replicas} for role in ("decode", "prefill")],
        "patches": [patch for manifest in manifests(open_values()) for patch in _patches(manifest, values)],
    }


def _patches(manifest: JsonObject, values: Values) -> list[JsonObject]:
    """A JSON patch with all that differs in one object and that no field of Kustomize sets."""
    operations = [
        {"op": "replace", "path": f"/{pointer}", "value": close(value, values)}
        for path, value in leaves(manifest)
        if not _BY_FIELD.fullmatch(pointer := _pointer(path))
    ]
    target = {"kind": manifest["kind"], "name": manifest["metadata"]["name"]}
    return [{"target": target, "patch": json.dumps(operations)}] if operations else []


def _pointer(path: Sequence[str | int]) -> str:
    return "/".join(str(step).replace("~", "~0").replace("/", "~1") for step in path)
