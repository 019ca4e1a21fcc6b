"""kubeconform's verdict on rendered files, strict, and with nothing passed in silence."""

import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmd_tools import schemas
from llmd_tools.build import tool
from llmd_tools.errors import ToolError

_TEMPLATE = "{{ .Group }}/{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json"
"""`schemas.file_name` in kubeconform's words: its group of `v1` is `v1`."""

_EMPTY = ("", "statusEmpty")
"""The status of a document that holds nothing but comments."""

# its list of `validationErrors` stops at a reference to another part of the schema; its message does not
_FAULT = re.compile(r"- at '([^']*)': (.*?)\s*(?=- at '|$)", re.DOTALL)


@dataclass(frozen=True, order=True)
class Failure:
    """An object that is not what its schema says, or a file that cannot be read.

    Attributes:
        file: The file.
        subject: Kind and name of the object; empty for a file that cannot be read.
        message: Each fault with the path of its field.
    """

    file: str
    subject: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.subject, self.message) if part)


@dataclass(frozen=True)
class Report:
    """What kubeconform found.

    Attributes:
        objects: How many objects it saw.
        failures: Those that are wrong.
        skipped: Kinds without a schema, as `group/version Kind`, and how many objects of each nobody judged.
    """

    objects: int
    failures: tuple[Failure, ...]
    skipped: Mapping[str, int]


def validate(paths: Iterable[Path], kubernetes_minor: str, crds: Iterable[str] = ()) -> Report:
    """Judge every manifest below some paths by the schemas of a Kubernetes version and some sets of CRDs.

    Args:
        paths: Files, or folders whose `.yaml`, `.yml` and `.json` files are read.
        kubernetes_minor: Such as `1.34`.
        crds: Names of sets in `crds.lock.yaml`; no kind may be in two of them.

    Raises:
        ToolError: If there is no such set of CRDs, the schemas or kubeconform cannot be had, or two sets define one kind.
    """
    folders = [schemas.core_schemas(kubernetes_minor), *apart(schemas.crd_schemas(*crds))]
    locations = [part for folder in folders for part in ("-schema-location", f"{folder}/{_TEMPLATE}")]
    done = subprocess.run(
        [str(tool("kubeconform")), "-strict", "-verbose", "-output", "json", *locations, *map(str, paths)],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        resources = json.loads(done.stdout)["resources"]
    except (json.JSONDecodeError, KeyError) as error:
        raise ToolError(f"kubeconform fails: {done.stderr.strip() or done.stdout.strip()}") from error
    return read_answers(resources, schemas.kinds(folders))


def apart(folders: Mapping[str, Path]) -> list[Path]:
    """The folders of schemas, by the name of their set, if no two hold a schema of the same kind and version.

    Raises:
        ToolError: If two do.
    """
    owner: dict[str, str] = {}
    for name, folder in folders.items():
        for kind in schemas.kinds([folder]):
            if kind in owner:
                raise ToolError(
                    f"the CRDs {owner[kind]!r} and {name!r} both define {kind}; choose one of them"
                )
            owner[kind] = name
    return list(folders.values())


def read_answers(resources: list[dict[str, Any]], known: set[str]) -> Report:
    """What kubeconform's answers, one for each document, come to.

    Args:
        resources: The `resources` of its JSON output.
        known: The file names of all schemas it had; see `schemas.file_name`.
    """
    failures: list[Failure] = []
    skipped: Counter[str] = Counter()
    judged = [each for each in resources if each["status"] not in _EMPTY]
    for each in judged:
        if each["status"] == "statusValid":
            continue
        if _has_no_schema(each, known):
            skipped[f"{each['version']} {each['kind']}"] += 1
        else:
            failures.append(
                Failure(each["filename"], f"{each['kind']} {each['name']}".strip(), _message(each))
            )
    return Report(len(judged), tuple(sorted(failures)), dict(sorted(skipped.items())))


def _message(resource: dict[str, Any]) -> str:
    """Where and what, if the schema found the fault; else whatever kubeconform says."""
    found = _FAULT.findall(resource["msg"])
    return (
        "; ".join(sorted(f"{path.strip('/').replace('/', '.')}: {fault}" for path, fault in found))
        or resource["msg"]
    )


def _has_no_schema(resource: dict[str, Any], known: set[str]) -> bool:
    """Whether there really is no schema: kubeconform says the same of one that it cannot compile."""
    missing = "could not find schema" in resource["msg"]
    return missing and schemas.file_name(resource["version"], resource["kind"]) not in known
