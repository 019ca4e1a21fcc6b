"""The Go toolchain: what is said when it is missing, old, or fails."""

import os
from pathlib import Path

import pytest

from llmd_tools import build, go, groups
from llmd_tools.errors import ToolError


def test_missing_go_is_said_in_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without Go on the PATH, a tool says so and where to get it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match=r"^Go is not on the PATH; install it from https://go\.dev/dl"):
        build.tool("kubeconform")


def test_old_go_is_said_in_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A Go older than go.mod asks for is refused before anything is built, with both versions."""
    fake = tmp_path / "bin" / "go"
    fake.parent.mkdir()
    fake.write_text(
        '#!/bin/sh\necho \'{"GOVERSION": "go1.21.5", "GOHOSTOS": "linux", "GOHOSTARCH": "amd64"}\'\n'
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("LLMD_TOOLS_CACHE", str(tmp_path / "cache"))
    wanted = build.go_version(groups.group("checks"))
    with pytest.raises(
        ToolError, match=rf"^Go {wanted} or later is needed for .*'checks', and 1\.21\.5 is on the PATH"
    ):
        build.tool("kubeconform")


@pytest.mark.parametrize(
    ("found", "wanted", "enough"),
    [
        ("go1.26.3", "1.26.3", True),
        ("go1.26.10", "1.26.3", True),
        ("go1.27rc1", "1.26.3", True),
        ("go1.26.2", "1.26.3", False),
        ("go1.9", "1.26", False),
        ("devel +abc", "1.26.3", True),
    ],
)
def test_versions_of_go_are_ordered_as_numbers(found: str, wanted: str, enough: bool) -> None:
    """1.26.10 is newer than 1.26.3, and a development build newer than any release."""
    toolchain = go.Toolchain(found, "linux", "amd64")
    if enough:
        go.require(toolchain, wanted, "x")
    else:
        with pytest.raises(ToolError):
            go.require(toolchain, wanted, "x")


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("go: a/b@v1: reading https://proxy/a/b: 403 Forbidden\n", "a module cannot be had: "),
        (
            'go: a/b@v1: Get "https://proxy": dial tcp: lookup proxy: no such host\n',
            "a module cannot be had: ",
        ),
        ("write /cache/x: no space left on device\n", "the disk is full: "),
        ("verifying a/b@v1: checksum mismatch\n\tdownloaded: h1:x\n", "a module does not have the checksum"),
        ("go: a/b@v1 requires go >= 1.27 (running go 1.26.8; GOTOOLCHAIN=local)\n", "Go is too old: "),
        ("go: updates to go.mod needed; to update it:\n\tgo mod tidy\n", "go.mod and go.sum do not agree: "),
        ("go: downloading a/b v1\nx.go:1:1: syntax error\n", "x.go:1:1: syntax error"),
    ],
)
def test_failure_of_go_is_explained(output: str, words: str) -> None:
    """The cause is named first, whatever else Go has printed."""
    assert go.explain(output).startswith(words)


def test_environment_does_not_change_what_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's own build flags and target do not reach the tools; the module proxy does."""
    monkeypatch.setenv("GOFLAGS", "-race")
    monkeypatch.setenv("GOOS", "plan9")
    monkeypatch.setenv("GOPROXY", "https://proxy.example")
    found = go.environment()
    assert (found["GOFLAGS"], found["GOOS"], found["GOPROXY"]) == (
        "-mod=readonly",
        "",
        "https://proxy.example",
    )
