"""What a container sees of files, written down for `launch`."""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from llmd_tools.box.agent import launch
from llmd_tools.box.agent.environment import ConfigError, expand
from llmd_tools.box.agent.volumes import is_written
from llmd_tools.cache import cache_root

_SOURCES = Path(__file__).parents[3]
"""The source root with this package, from which vLLM's player is imported."""


@dataclass(frozen=True)
class Mount:
    """A file or folder of the machine at a path of the container."""

    source: str
    target: str
    read_only: bool = False


@dataclass(frozen=True)
class Launch:
    """How a container starts.

    Attributes:
        root: A folder for its root.
        hostname: The pod's name.
        visible: Folders that are visible at the same path as on the machine.
        mounts: What else is visible, and where.
        read_only_root: Whether only volumes can be written to.
        directory: Where the program starts.
        argv: The program and its arguments.
        env: Its environment.
    """

    root: str
    hostname: str
    visible: tuple[str, ...]
    mounts: tuple[Mount, ...]
    read_only_root: bool
    directory: str
    argv: tuple[str, ...]
    env: Mapping[str, str]

    def command(self, file: Path) -> list[str]:
        """Write it to a file; the command that makes the container of it, in namespaces of its own."""
        file.write_text(json.dumps(asdict(self)))
        return [sys.executable, "-I", "-S", launch.__file__, str(file)]


def visible_folders() -> tuple[str, ...]:
    """Where programs, Python and our sources are, maybe in folders that a container has for itself, such as /tmp."""
    return tuple(dict.fromkeys(str(each) for each in (cache_root(), sys.prefix, sys.base_prefix, _SOURCES)))


def absolute(program: str, env: Mapping[str, str]) -> str:
    """The path of a program.

    Raises:
        ConfigError: If there is none.
    """
    found = program if "/" in program else shutil.which(program, path=env.get("PATH"))
    if found is None:
        raise ConfigError(f"no program {program!r} on this machine")
    return found


def mounts(
    container: Mapping[str, Any], volumes: Sequence[Mapping[str, Any]], folder: Path, env: Mapping[str, str]
) -> tuple[Mount, ...]:
    """The volumes that a container mounts.

    Args:
        container: The container.
        volumes: The pod's volumes.
        folder: That in which each volume has its folder.
        env: The container's environment, for `subPathExpr`.

    Raises:
        ConfigError: If a `subPath` leads to nothing.
    """
    by_name = {volume["name"]: volume for volume in volumes}
    return tuple(
        _mount(each, by_name[each["name"]], folder, env) for each in container.get("volumeMounts", [])
    )


def _mount(
    mount: Mapping[str, Any], volume: Mapping[str, Any], folder: Path, env: Mapping[str, str]
) -> Mount:
    within = expand(mount.get("subPathExpr", ""), env) or mount.get("subPath", "")
    source = folder / volume["name"] / within
    written = is_written(volume)
    if within and not source.exists():
        if written:
            raise ConfigError(f"volume {volume['name']!r} has no {within!r} for {mount['mountPath']}")
        source.mkdir(parents=True)
    return Mount(
        str(source.resolve() if within else source),
        mount["mountPath"],
        written or mount.get("readOnly", False),
    )
