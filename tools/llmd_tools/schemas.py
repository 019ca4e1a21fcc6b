"""Strict JSON schemas of Kubernetes objects: from CRDs, and from the `kubernetes-validate` wheel for built-in kinds.

Strict means that a field which the schema does not name is an error, as it is for an API server that is asked to
validate strictly. CEL rules are no part of a JSON schema: only an API server judges them.

A folder of schemas holds one file per kind and version, named as `file_name` says.
"""

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import jsonschema_rs
import yaml

from llmd_tools import cache, crd_schema
from llmd_tools.crds import crd_folders
from llmd_tools.errors import ToolError

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

WHEEL = Path(__file__).parent.parent / "kubernetes-validate.txt"
"""The pin of the wheel with the schemas of built-in kinds, as pip reads it. It is no package to install: of its
17,000 files few are read, and those once."""
_IN_WHEEL = "kubernetes_validate/kubernetes-json-schema/v"
_DEFINITIONS = "/api/_definitions.json#/$defs/"


_VALUES = frozenset({"default", "enum", "example"})
"""Fields of a schema below which everything is somebody's value, and nothing prose."""


class Loader(yaml.CSafeLoader):
    """Reads YAML as Kubernetes does: a bare `=` is text, although YAML 1.1 gives it a type of its own."""


Loader.add_constructor("tag:yaml.org,2002:value", lambda _, node: node.value)  # pyright: ignore[reportUnknownLambdaType]


def file_name(api_version: str, kind: str) -> str:
    """Where the schema of a kind is in a folder of schemas: `apps/deployment_v1.json`, `v1/pod_v1.json`."""
    group, _, version = api_version.rpartition("/")
    return f"{group or version}/{kind.lower()}_{version}.json"


def crd_schemas(*names: str) -> dict[str, Path]:
    """The folders with the schemas of these sets of CRDs, by name.

    Raises:
        ToolError: If the lock has no such set, the CRDs cannot be had, or one of their schemas is not a JSON schema.
    """
    return {
        name: _cached(
            f"{folder.name}-{_own_key()}", lambda staging, folder=folder: _from_crds(folder, staging)
        )
        for name, folder in crd_folders(*names).items()
    }


def core_schemas(minor: str) -> Path:
    """The folder with the schemas of the built-in kinds of a Kubernetes minor version such as `1.34`.

    Raises:
        ToolError: If the `kubernetes-validate` wheel cannot be had, or does not have that version.
    """
    pin = cache.key(WHEEL.read_bytes())
    return _cached(
        f"kubernetes-{minor}-{pin}-{_own_key()}",
        lambda staging: _from_wheel(_cached(f"kubernetes-validate-{pin}", _download), minor, staging),
    )


def _own_key() -> str:
    """Changes when the conversion does."""
    return cache.key(Path(__file__).read_bytes(), Path(crd_schema.__file__).read_bytes())


def _cached(name: str, make: Callable[[Path], None]) -> Path:
    return cache.made_once(cache.cache_root() / "schemas" / name, make)


def _from_crds(folder: Path, staging: Path) -> None:
    for file in sorted(folder.iterdir()):
        for crd in custom_resource_definitions(file):
            for api_version, kind, schema in crd_schema.versions(crd):
                write(staging, api_version, kind, schema)


def custom_resource_definitions(file: Path) -> Iterator[dict[str, Any]]:
    """The CRDs in a file, whatever else it holds."""
    documents: Iterable[Any] = yaml.load_all(file.read_text(), Loader)
    return (each for each in documents if each and each.get("kind") == "CustomResourceDefinition")


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


def _download(staging: Path) -> None:
    """Put the wheel into a folder."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run(
        [*pip, "--only-binary=:all:", "--require-hashes", "--dest", staging, "--requirement", WHEEL],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ToolError(f"the schemas of Kubernetes cannot be downloaded: {done.stderr.strip()}")


def _from_wheel(folder: Path, minor: str, staging: Path) -> None:
    with zipfile.ZipFile(next(folder.iterdir())) as wheel:
        names = wheel.namelist()
        wanted = [name for name in names if name.startswith(f"{_IN_WHEEL}{minor}.0-local-strict/")]
        if not wanted:
            known = sorted(set(re.findall(rf"{_IN_WHEEL}(\d\.\d+)\.0-local-strict/", "\n".join(names))))
            raise ToolError(
                f"no schemas of Kubernetes {minor!r}; the kubernetes-validate wheel has {', '.join(known)}"
            )
        schemas = {Path(name).name: json.loads(wheel.read(name)) for name in wanted if name.endswith(".json")}
    definitions = schemas["_definitions.json"]["$defs"]
    for schema in schemas.values():
        kinds = schema.get("x-kubernetes-group-version-kind", [])
        if len(kinds) == 1:  # of requests, such as DeleteOptions, there are many; they are never in a file
            (kind,) = kinds
            api_version = f"{kind['group']}/{kind['version']}" if kind["group"] else kind["version"]
            write(staging, api_version, kind["kind"], _bundled(schema, definitions))


def _bundled(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema with just the definitions it reaches, so that a validator need not read all of them."""
    reached: dict[str, Any] = {}
    waiting = list(_references(schema))
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached[name] = _local(definitions[name])
            waiting.extend(_references(definitions[name]))
    whole = _local(schema)
    whole.pop("$id", None)
    return whole | {"$defs": reached}


def _references(value: Json) -> Iterator[str]:
    """The names of the definitions that a schema refers to itself."""
    if isinstance(value, dict):
        if isinstance(reference := value.get("$ref"), str):
            yield reference.rpartition("/")[2]
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _references(each)


def _local(value: Json) -> Any:
    """The same schema without prose, and with references inside the file."""
    if isinstance(value, dict):
        return {
            name: each.replace(_DEFINITIONS, "#/$defs/")
            if name == "$ref" and isinstance(each, str)
            else _local(each)
            for name, each in value.items()
            if not (name == "description" and isinstance(each, str))
        }
    if isinstance(value, list):
        return [_local(each) for each in value]
    return value


def write(staging: Path, api_version: str, kind: str, schema: dict[str, Any]) -> None:
    """Put the schema of a kind into a folder of schemas.

    Raises:
        ToolError: If it is not a JSON schema.
    """
    try:
        jsonschema_rs.validator_for(schema)
    except (jsonschema_rs.ValidationError, ValueError) as error:
        # kubeconform reports a schema that does not compile as one it cannot find, so it must not come so far
        raise ToolError(f"the schema of {api_version} {kind} does not compile: {error}") from error
    file = staging / file_name(api_version, kind)
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(schema))


def kinds(folders: Iterable[Path]) -> set[str]:
    """The file names (see `file_name`) of every schema in these folders."""
    return {file.relative_to(folder).as_posix() for folder in folders for file in folder.rglob("*.json")}
