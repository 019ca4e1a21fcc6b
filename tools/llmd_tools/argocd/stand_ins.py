"""What takes the place of upstream charts and repositories, which a test does not reach.

The same files, where a Go module holds them; else what is nearest; and each is named, so that nothing passes for
what it is not.
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from llmd_tools import go
from llmd_tools.argocd.repository import BRANCH, Repository
from llmd_tools.build import tool
from llmd_tools.cache import cache_root
from llmd_tools.crds import Entry, crd_files, lock
from llmd_tools.errors import ToolError
from llmd_tools.schemas import Loader, custom_resource_definitions

_OWN = Path(__file__).parents[2] / "stand-ins"
"""Stand-ins of our own making."""
FOLDER = "upstream"
"""Where stand-ins are in the repository."""


@dataclass(frozen=True)
class StandIn:
    """A source that was replaced.

    Attributes:
        application: Whose source it is.
        wanted: Chart or repository, and version.
        instead: What takes its place.
    """

    application: str
    wanted: str
    instead: str


@dataclass(frozen=True)
class _Chart:
    """A chart inside a module.

    Attributes:
        module: The module; the lock of CRDs pins its versions.
        path: The chart's folder in it.
        crds: Pattern of CRD files in the module that the published chart has and this folder has not.
    """

    module: str
    path: str
    crds: str = ""


_CHARTS = {
    "cert-manager": _Chart("github.com/cert-manager/cert-manager", "deploy/charts/cert-manager"),
    "external-secrets": _Chart(
        "github.com/external-secrets/external-secrets",
        "deploy/charts/external-secrets",
        "config/crds/bases/external-secrets.io_*.yaml",
    ),
    "lws": _Chart("sigs.k8s.io/lws", "charts/lws"),
    "trust-manager": _Chart("github.com/cert-manager/trust-manager", "deploy/charts/trust-manager"),
    **{
        name: _Chart("github.com/kserve/kserve", f"charts/{name}")
        for name in ("kserve-llmisvc-crd", "kserve-llmisvc-resources", "kserve-runtime-configs")
    },
}
_MODULES = {
    "https://github.com/kubernetes-sigs/gateway-api-inference-extension": "sigs.k8s.io/gateway-api-inference-extension",
    "https://github.com/llm-d/llm-d-router": "github.com/llm-d/llm-d-inference-scheduler",
}
"""Go module of a repository."""
_CRDS = {"https://github.com/opendatahub-io/kserve": "kserve-0.16"}
"""CRDs with the same API, for repositories that no registry serves."""
_PLAYED = {"https://github.com/GoogleCloudPlatform/k8s-stackdriver": "metrics-adapter"}
"""Folders of stand-ins, for repositories that no registry serves."""
_ISTIO_KINDS = {"DestinationRule", "EnvoyFilter"}
"""Those of Istio's own kinds that we render; each CRD costs the API server a second."""


def stand_in(application: Mapping[str, Any], repository: Repository) -> tuple[dict[str, Any], StandIn | None]:
    """An Application that reads from a repository what it would read from the network.

    Args:
        application: The Application, with one source.
        repository: Where stand-ins are put; an application that reads it already is left as it is.

    Returns:
        The Application, and what was replaced, if something was.

    Raises:
        ToolError: If a module cannot be had.
    """
    source: Mapping[str, Any] = application["spec"]["source"]
    if source["repoURL"] == repository.url:
        return dict(application), None
    name: str = application["metadata"]["name"]
    instead, fill, how = _choose(source)
    path = f"{FOLDER}/{re.sub(r'[^A-Za-z0-9.]+', '-', instead)}"
    if not (repository.files / path).exists():
        fill(repository.files / path)
    new = {"repoURL": repository.url, "targetRevision": BRANCH, "path": path, **how}
    spec = {**application["spec"], "source": new}
    wanted = f"{source['repoURL']} {source.get('chart') or source['path']} {source['targetRevision']}"
    return {**application, "spec": spec}, StandIn(name, wanted, instead)


def without_objects(application: Mapping[str, Any], repository: Repository) -> dict[str, Any]:
    """An Application that reads an empty folder of a repository in place of its own source."""
    path = f"{FOLDER}/nothing"
    if not (repository.files / path).exists():
        _nothing(repository.files / path)
    new = {"repoURL": repository.url, "targetRevision": BRANCH, "path": path}
    return {**application, "spec": {**application["spec"], "source": new}}


def brought(application: Mapping[str, Any], repository: Repository) -> list[dict[str, Any]]:
    """The objects that an Application brings from a stand-in; none if it has another source.

    Raises:
        ToolError: If its chart does not render.
    """
    source = application["spec"]["source"]
    if not source.get("path", "").startswith(f"{FOLDER}/"):
        return []
    folder = repository.files / source["path"]
    if (folder / "Chart.yaml").exists():
        return _rendered(folder, yaml.safe_dump(source.get("helm", {}).get("valuesObject", {})))
    return _included(folder, source.get("directory", {}).get("include", "*.yaml"))


@cache
def _rendered(folder: Path, values: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [tool("helm"), "template", "release", folder, "--include-crds", "--values", "-"],
        input=values,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ToolError(f"helm template {folder.name}: {done.stderr.strip()}")
    return [each for each in yaml.load_all(done.stdout, Loader) if each]


@cache
def _included(folder: Path, pattern: str) -> list[dict[str, Any]]:
    start, _, rest = pattern.partition("{")
    middle, _, end = rest.partition("}")
    files = {file for each in middle.split(",") for file in folder.glob(f"{start}{each}{end}")}
    return [each for file in sorted(files) for each in yaml.load_all(file.read_text(), Loader) if each]


_Choice = tuple[str, Callable[[Path], None], dict[str, Any]]
"""In words, what writes it into a folder, and how Argo CD reads the folder."""


def _choose(source: Mapping[str, Any]) -> _Choice:
    chart, repo = source.get("chart"), source["repoURL"]
    if chart in _CHARTS:
        return _chart(_CHARTS[chart], source)
    if repo in _MODULES:
        return _module(_MODULES[repo], source)
    if repo in _CRDS:
        name = _CRDS[repo]
        return f"the CRDs of {lock()[name].pin}", lambda folder: _copy(crd_files(name), folder), {}
    if repo in _PLAYED:
        files = [*(_OWN / _PLAYED[repo]).glob("*.yaml")]
        return "objects of the same kinds and namespaces", lambda folder: _copy(files, folder), {}
    if chart == "sail-operator":
        return "a CRD that takes any Istio, and CRDs of Istio", _sail_operator, {}
    return "nothing", _nothing, {}


def _chart(chart: _Chart, source: Mapping[str, Any]) -> _Choice:
    entry = _nearest(chart.module, source["targetRevision"])

    def fill(folder: Path) -> None:
        module = _files(entry)
        _copy_tree(module / chart.path, folder)
        if chart.crds:
            _copy(sorted(module.glob(chart.crds)), folder / "crds")
        # What a chart depends on would be fetched; all of it is optional, and off.
        (folder / "Chart.lock").unlink(missing_ok=True)
        about = yaml.safe_load((folder / "Chart.yaml").read_text())
        about.pop("dependencies", None)
        (folder / "Chart.yaml").write_text(yaml.safe_dump(about))

    return f"{chart.path} of {entry.pin}", fill, {"helm": source["helm"]} if "helm" in source else {}


def _module(module: str, source: Mapping[str, Any]) -> _Choice:
    entry = _nearest(module, source["targetRevision"])
    how = {"directory": source["directory"]} if "directory" in source else {}
    return (
        f"{source['path']} of {entry.pin}",
        lambda folder: _copy_tree(_files(entry) / source["path"], folder),
        how,
    )


def _nearest(module: str, version: str) -> Entry:
    """The module at this version, or else at the newest that the lock pins."""
    entries = [entry for entry in lock().values() if entry.module == module]
    same = (entry for entry in entries if entry.version.removeprefix("v") == version.removeprefix("v"))
    return next(same, entries[-1])


def _sail_operator(folder: Path) -> None:
    _copy([*(_OWN / "sail-operator").glob("*.yaml")], folder)
    crds = [crd for file in crd_files("istio") for crd in custom_resource_definitions(file)]
    for crd in crds:
        if crd["spec"]["names"]["kind"] in _ISTIO_KINDS:
            (folder / f"{crd['metadata']['name']}.yaml").write_text(yaml.safe_dump(crd))


def _files(entry: Entry) -> Path:
    module = go.download([entry.pin], cache_root())[entry.pin]
    if module.checksum != entry.sum:
        raise ToolError(f"crds.lock.yaml pins {entry.sum} for {entry.pin}, and it has {module.checksum}")
    return module.folder


def _copy(files: list[Path], folder: Path) -> None:
    folder.mkdir(parents=True)
    for file in files:
        shutil.copyfile(file, folder / file.name)


def _copy_tree(source: Path, folder: Path) -> None:
    """File by file, since folders in Go's cache are read-only and a copy would be so too."""
    for file in sorted(each for each in source.rglob("*") if each.is_file()):
        target = folder / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)


def _nothing(folder: Path) -> None:
    """Git keeps no empty folder."""
    folder.mkdir(parents=True)
    (folder / "README").write_text("An application without objects stands here.\n")
