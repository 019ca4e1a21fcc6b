"""What is in a pod's volumes."""

import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from llmd_tools.box.agent.environment import ConfigError, Sources
from llmd_tools.box.agent.fields import UnknownFieldError, container_resource, pod_field

Token = Callable[[Mapping[str, Any]], Awaitable[str]]
"""A token of the pod's service account, for the spec of a TokenRequest."""

Files = dict[str, bytes]
"""Content by path."""

_HOUR = 3600
_WRITTEN = ("configMap", "secret", "projected", "downwardAPI")


def is_written(volume: Mapping[str, Any]) -> bool:
    """Whether a volume holds files of the API server's, which are the agent's to write, and read-only to others."""
    return any(kind in volume for kind in _WRITTEN)


async def content(volume: Mapping[str, Any], sources: Sources, token: Token) -> Files:
    """The files of a volume; none for one that containers fill.

    Args:
        volume: One of the pod's `volumes`.
        sources: What it may refer to.
        token: Gives tokens.

    Raises:
        ConfigError: If something that it refers to is missing, or there are no volumes of its kind here.
    """
    if "emptyDir" in volume:
        return {}
    if "projected" in volume:
        files: Files = {}
        for source in volume["projected"].get("sources", []):
            files |= await _source(source, sources, token)
        return files
    if not is_written(volume):
        kind = next((key for key in volume if key != "name"), "nothing")
        raise ConfigError(f"volume {volume['name']!r}: there are no volumes of the kind {kind!r} here")
    return await _source({key: value for key, value in volume.items() if key != "name"}, sources, token)


async def _source(source: Mapping[str, Any], sources: Sources, token: Token) -> Files:
    if "serviceAccountToken" in source:
        asked = source["serviceAccountToken"]
        spec = {"expirationSeconds": asked.get("expirationSeconds", _HOUR)}
        if "audience" in asked:
            spec["audiences"] = [asked["audience"]]
        return {asked["path"]: (await token(spec)).encode()}
    if "downwardAPI" in source:
        return {
            item["path"]: _downward(item, sources).encode() for item in source["downwardAPI"].get("items", [])
        }
    for kind in ("configMap", "secret"):
        if kind in source:
            reference = source[kind]
            name = reference.get("name") or reference["secretName"]
            optional = reference.get("optional", False)
            return chosen(sources.data(kind.lower(), name, optional=optional), reference)
    raise ConfigError(f"a projected volume has no source of the kind {next(iter(source))!r} here")


def chosen(data: Mapping[str, bytes], reference: Mapping[str, Any]) -> Files:
    """The entries of a ConfigMap or Secret that a volume names, at the paths that it gives; without names, all.

    Raises:
        ConfigError: If one is missing and the volume does not say that it may be.
    """
    items = reference.get("items")
    if items is None:
        return dict(data)
    missing = [item["key"] for item in items if item["key"] not in data]
    if missing and not reference.get("optional", False):
        raise ConfigError(f"references non-existent config key: {', '.join(missing)}")
    return {item["path"]: data[item["key"]] for item in items if item["key"] in data}


def _downward(item: Mapping[str, Any], sources: Sources) -> str:
    try:
        if "fieldRef" in item:
            return pod_field(sources.pod, item["fieldRef"]["fieldPath"])
        reference = item["resourceFieldRef"]
        containers = sources.pod["spec"]["containers"]
        container = next(each for each in containers if each["name"] == reference["containerName"])
        return container_resource(container, sources.allocatable, reference)
    except UnknownFieldError as error:
        raise ConfigError(str(error)) from error


def write(folder: Path, files: Files) -> None:
    """Make a volume hold exactly these files, all changed at one moment, as programs that watch a folder expect.

    Each name in the folder leads through the link `..data` to a folder with everything; the link is what changes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "..data"
    old = data.resolve() if data.is_symlink() else None
    if old and _read(old) == files:
        return
    number = int(old.name.removeprefix("..")) + 1 if old else 1
    new = folder / f"..{number}"
    for path, text in files.items():
        target = new / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text)
    new.mkdir(exist_ok=True)
    link = folder / "..new"
    link.symlink_to(new.name)
    link.replace(data)
    _link(folder, {path.split("/")[0] for path in files})
    if old:
        shutil.rmtree(old)


def _link(folder: Path, names: set[str]) -> None:
    there = {each.name for each in folder.iterdir() if not each.name.startswith("..")}
    for name in names - there:
        (folder / name).symlink_to(f"..data/{name}")
    for name in there - names:
        (folder / name).unlink()


def _read(folder: Path) -> Files:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
