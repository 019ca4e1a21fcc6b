"""Find a pinned program in the cache, or build it."""

import re
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from llmd_tools import cache, go, progress
from llmd_tools.errors import ToolError
from llmd_tools.groups import Group, group_of

_FLAGS = ("-trimpath", "-buildvcs=false")
_GO_LINE = re.compile(r"^go (\S+)$", re.MULTILINE)
_REQUIRED = re.compile(r"^(?:require )?\s*([^\s()]+) (v\S+)", re.MULTILINE)
_REPLACED = re.compile(r"^(?:replace )?\s*(\S+) => \S+ (v\S+)", re.MULTILINE)
_MAJOR = re.compile(r"/v\d+$")


def tool(name: str) -> Path:
    """The program of this name, built first if the cache does not hold it at its pin.

    Raises:
        ToolError: If no group has such a program, or it is not in the cache and cannot be built.
    """
    return build(group_of(name)) / name


def build(group: Group) -> Path:
    """The folder with a group's programs, built if need be.

    The folder is named after everything that decides what the programs are: `go.mod`, `go.sum`, the build's own
    flags, the version of Go and the machine's kind. So a fresh checkout finds what an older one built, and only a
    changed pin builds again.

    Raises:
        ToolError: If Go is missing or too old, a module cannot be had, the disk is full, or a package does not build.
    """
    found = go.toolchain()
    folder = folder_of(group, found)
    if folder.is_dir():
        return folder
    go.require(found, go_version(group), f"the tools of group {group.name!r}")
    return cache.made_once(
        folder,
        lambda staging: _build(group, staging),
        waiting=lambda: progress.say(
            f"another run is building the tools of group {group.name!r}; waiting for it"
        ),
    )


def module_folder(group: Group, module: str) -> Path:
    """The files of a module at the version that a group pins, for what a program needs beside itself.

    Raises:
        ToolError: If it cannot be had or is not the one in `go.sum`.
    """
    pin = f"{module}@{versions(group)[module]}"
    return go.download([pin], group.folder)[pin].folder


def folder_of(group: Group, found: go.Toolchain) -> Path:
    """Where the programs of a group are, or will be, for this Go."""
    name = cache.key(
        (group.folder / "go.mod").read_bytes(),
        (group.folder / "go.sum").read_bytes(),
        *arguments(group),
        found.version,
        found.os,
        found.arch,
    )
    return cache.cache_root() / "bin" / f"{group.name}-{name}"


def go_version(group: Group) -> str:
    """The version of Go that the group's `go.mod` asks for."""
    match = _GO_LINE.search((group.folder / "go.mod").read_text())
    if match is None:
        raise ToolError(f"tools/go/{group.name}/go.mod has no `go` line; add one")
    return match[1]


def versions(group: Group) -> Mapping[str, str]:
    """The version of every module that the group's `go.mod` names; a replacement wins over what it replaces."""
    text = (group.folder / "go.mod").read_text()
    return dict(_REQUIRED.findall(text)) | dict(_REPLACED.findall(text))


def tool_versions(group: Group) -> Mapping[str, str]:
    """The version of each of a group's programs: that of the module its package is in."""
    pinned = versions(group)
    return {
        name: pinned[max((module for module in pinned if f"{package}/".startswith(f"{module}/")), key=len)]
        for name, package in group.tools.items()
    }


def arguments(group: Group) -> list[str]:
    """What `go build` is told beside where to put the programs."""
    pinned = versions(group)
    stamps = [f"-X {stamp.symbol}={_stamp(stamp.form, pinned[stamp.module])}" for stamp in group.stamps]
    return [*_FLAGS, "-ldflags", " ".join(["-s", "-w", *stamps]), *group.tools.values()]


def _stamp(form: str, version: str) -> str:
    number = version.removeprefix("v")
    major, minor, patch = number.split(".", 2)
    return form.format(version=version, number=number, major=major, minor=minor, patch=patch)


def _build(group: Group, staging: Path) -> None:
    log = staging / "build.log"
    command = ["go", "build", "-v", "-o", f"{staging}/", *arguments(group)]
    with progress.activity(f"building the tools of group {group.name!r}") as tell, log.open("wb") as sink:
        process = subprocess.Popen(command, cwd=group.folder, env=go.environment(), stdout=sink, stderr=sink)
        try:
            while process.poll() is None:
                tell(_how_far(log.read_text(errors="replace")))
                time.sleep(0.25)
        finally:
            process.terminate()
            process.wait()
        if process.returncode:
            raise ToolError(
                f"group {group.name!r} does not build: {go.explain(log.read_text(errors='replace'))}"
            )
    for name, package in group.tools.items():
        (staging / _output(package)).rename(staging / name)


def _how_far(log: str) -> str:
    lines = log.splitlines()
    fetched = sum(line.startswith("go: downloading") for line in lines)
    return f"{fetched} modules fetched, {len(lines) - fetched} packages compiled"


def _output(package: str) -> str:
    """The file name that `go build` gives a package: its last element that is not a major version."""
    return _MAJOR.sub("", package).rsplit("/", 1)[-1]
