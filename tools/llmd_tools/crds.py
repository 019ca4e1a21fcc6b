"""CRDs out of the Go modules that `tools/crds.lock.yaml` pins."""

import functools
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from llmd_tools import cache, go, progress
from llmd_tools.errors import ToolError

LOCK = Path(__file__).parent.parent / "crds.lock.yaml"


class Entry(BaseModel):
    """One set of CRDs: the files of one module at one version.

    Attributes:
        module: Path of the Go module.
        version: Its exact version.
        sum: Its checksum, as in `go.sum`.
        files: Patterns of files inside the module; those among them that define a CRD are taken.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    module: str
    version: Annotated[str, Field(pattern=r"^v\d+\.\d+\.\d+")]
    sum: Annotated[str, Field(pattern=r"^h1:[A-Za-z0-9+/]{43}=$")]
    files: Annotated[tuple[str, ...], Field(min_length=1)]

    @property
    def pin(self) -> str:
        """The module as Go writes it: `path@version`."""
        return f"{self.module}@{self.version}"

    @property
    def key(self) -> str:
        """Changes with everything that decides which files the set holds."""
        return cache.key(self.pin, self.sum, *self.files)


@functools.cache
def lock(path: Path = LOCK) -> Mapping[str, Entry]:
    """The sets of CRDs, by name.

    Raises:
        ToolError: If the lock file is not right.
    """
    try:
        return TypeAdapter(dict[str, Entry]).validate_python(yaml.safe_load(path.read_text()))
    except (yaml.YAMLError, ValidationError) as error:
        raise ToolError(f"{path.name} is not right: {error}") from error


def crd_files(*names: str) -> list[Path]:
    """The files of these sets, downloaded if the cache does not hold them; each file holds one or more CRDs.

    Raises:
        ToolError: If the lock has no such set, or a module cannot be had or is not the one that is pinned.
    """
    return [file for folder in crd_folders(*names).values() for file in sorted(folder.iterdir())]


def crd_folders(*names: str) -> dict[str, Path]:
    """The folder of each of these sets, by name; see `crd_files`."""
    entries = {name: _entry(name) for name in names}
    folders = {name: cache.cache_root() / "crds" / f"{name}-{entry.key}" for name, entry in entries.items()}
    missing = {name: entries[name] for name, folder in folders.items() if not folder.is_dir()}
    if missing:
        modules = _download(missing)
        for name, entry in missing.items():
            cache.made_once(folders[name], _copy_from(modules[entry.pin].folder, entry))
    return folders


def _entry(name: str) -> Entry:
    if name not in lock():
        raise ToolError(f"no set of CRDs {name!r}; there are {', '.join(lock())}")
    return lock()[name]


def _download(entries: Mapping[str, Entry]) -> Mapping[str, go.Module]:
    root = cache.cache_root()
    root.mkdir(parents=True, exist_ok=True)
    go.toolchain()
    with progress.activity(f"fetching CRDs: {', '.join(entries)}"):
        modules = go.download(sorted({entry.pin for entry in entries.values()}), root)
    wrong = [
        f"{name}: crds.lock.yaml pins {entry.sum} for {entry.pin}, and it has {modules[entry.pin].checksum}"
        for name, entry in entries.items()
        if modules[entry.pin].checksum != entry.sum
    ]
    if wrong:
        raise ToolError("\n".join(wrong) + "\nwrite the new sum only if you changed the version yourself")
    return modules


def _copy_from(module: Path, entry: Entry) -> Callable[[Path], None]:
    def copy(staging: Path) -> None:
        files = [file for file in _matching(module, entry.files) if _defines_crd(file)]
        if not files:
            raise ToolError(
                f"{entry.pin} has no CRD in {', '.join(entry.files)}; correct `files` in crds.lock.yaml"
            )
        for file in files:
            shutil.copyfile(file, staging / file.name)  # not the mode: Go's own cache is read-only

    return copy


def _matching(module: Path, patterns: Iterable[str]) -> list[Path]:
    return sorted({file for pattern in patterns for file in module.glob(pattern) if file.is_file()})


def _defines_crd(file: Path) -> bool:
    return "kind: CustomResourceDefinition" in file.read_text()
