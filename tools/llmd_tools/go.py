"""The Go toolchain: found, checked, run, and its failures put into words."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmd_tools.errors import ToolError

_VERSION = re.compile(r"go(\d+)\.(\d+)(?:\.(\d+))?")
_REFUSED = re.compile(
    r"40[34] Forbidden|410 Gone|404 Not Found|dial tcp|no such host|i/o timeout|proxyconnect|module lookup disabled|TLS|x509"
)


@dataclass(frozen=True)
class Toolchain:
    """The Go on this machine: its version and what it builds for."""

    version: str
    os: str
    arch: str


@dataclass(frozen=True)
class Module:
    """A downloaded module: its checksum as in `go.sum`, and the folder with its files."""

    checksum: str
    folder: Path


def environment() -> dict[str, str]:
    """The caller's environment, less what would make two machines build different programs."""
    return {
        **os.environ,
        "CGO_ENABLED": "0",
        "GO111MODULE": "on",
        "GOARCH": "",
        "GOFLAGS": "-mod=readonly",
        "GOOS": "",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


def toolchain() -> Toolchain:
    """The Go that is on the PATH.

    Raises:
        ToolError: If there is none.
    """
    if shutil.which("go") is None:
        raise ToolError("Go is not on the PATH; install it from https://go.dev/dl and try again")
    done = subprocess.run(
        ["go", "env", "-json", "GOVERSION", "GOHOSTOS", "GOHOSTARCH"],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ToolError(f"`go env` fails: {done.stderr.strip()}")
    found = json.loads(done.stdout)
    return Toolchain(found["GOVERSION"], found["GOHOSTOS"], found["GOHOSTARCH"])


def require(found: Toolchain, wanted: str, module: str) -> None:
    """Check that this Go is new enough for what a `go.mod` asks.

    Args:
        found: The Go of this machine.
        wanted: The version in the `go` line, such as `1.26.3`.
        module: Whose `go.mod` that is, for the message.

    Raises:
        ToolError: If it is older.
    """
    if _ordered(found.version) < _ordered(f"go{wanted}"):
        raise ToolError(
            f"Go {wanted} or later is needed for {module}, and {found.version.removeprefix('go')} is on the PATH; "
            "install a newer one from https://go.dev/dl"
        )


def _ordered(version: str) -> tuple[int, int, int]:
    match = _VERSION.search(version)
    if match is None:  # a development build calls itself "devel ..."; it is newer than any release
        return (9999, 0, 0)
    major, minor, patch = match.groups(default="0")
    return (int(major), int(minor), int(patch))


def download(modules: Iterable[str], cwd: Path) -> Mapping[str, Module]:
    """Download modules, each `path@version`, through the user's module proxy and checksum database.

    Args:
        modules: What to download; all of them at once, in parallel.
        cwd: Where Go runs. Inside a module, Go also checks that module's `go.sum`.

    Raises:
        ToolError: If one cannot be had; every failure is named.
    """
    wanted = list(modules)
    done = subprocess.run(
        ["go", "mod", "download", "-json", *wanted],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    answers = list(_objects(done.stdout))
    errors = [explain(answer["Error"]) for answer in answers if "Error" in answer]
    if errors or (done.returncode and not answers):
        raise ToolError("\n".join(errors) or explain(done.stderr))
    return {
        f"{answer['Path']}@{answer['Version']}": Module(answer["Sum"], Path(answer["Dir"]))
        for answer in answers
    }


def _objects(text: str) -> Iterable[dict[str, Any]]:
    decoder = json.JSONDecoder()
    rest = text.strip()
    while rest:
        value, end = decoder.raw_decode(rest)
        yield value
        rest = rest[end:].lstrip()


def explain(output: str) -> str:
    """What Go said when it failed, as a sentence that says what to do; else the last lines of it."""
    lines = [
        line.strip()
        for line in output.splitlines()
        if line.strip() and not line.startswith("go: downloading")
    ]
    if line := _first(lines, r"no space left on device|disk quota exceeded"):
        return (
            f"the disk is full: {line}; free some space (Go keeps its own cache where `go env GOCACHE` says)"
        )
    if line := _first(lines, r"checksum mismatch|SECURITY ERROR"):
        return f"a module does not have the checksum that is pinned for it: {line}; do not use it"
    if line := _first(lines, r"requires go >= "):
        return f"Go is too old: {line}; install a newer one from https://go.dev/dl"
    if line := _first(lines, _REFUSED.pattern):
        return f"a module cannot be had: {line}; `go env GOPROXY` says where Go asks"
    if line := _first(lines, r"updates to go\.mod needed|missing go\.sum entry"):
        return f"go.mod and go.sum do not agree: {line}; run `go mod tidy` in the group's folder"
    return "\n".join(lines[-20:]) or "Go failed and said nothing"


def _first(lines: list[str], pattern: str) -> str:
    return next((line for line in lines if re.search(pattern, line)), "")
