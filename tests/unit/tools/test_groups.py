"""The groups of tools and the Go modules that pin them."""

import re
from pathlib import Path

import pytest

from llmd_tools import build, go, groups
from llmd_tools.errors import ToolError

_TOOL_BLOCK = re.compile(r"^tool \((.*?)^\)", re.MULTILINE | re.DOTALL)
_TOOL_LINE = re.compile(r"^tool (\S+)$", re.MULTILINE)
_SHARING = ("checks", "cluster", "argocd")

each_group = pytest.mark.parametrize("group", groups.GROUPS, ids=lambda group: group.name)


@each_group
def test_module_names_the_tools_of_its_group(group: groups.Group) -> None:
    """The `tool` lines of go.mod, which keep `go mod tidy` from dropping a pin, are the group's packages."""
    text = (group.folder / "go.mod").read_text()
    block = _TOOL_BLOCK.search(text)
    named = block[1].split() if block else _TOOL_LINE.findall(text)
    assert sorted(named) == sorted(group.tools.values())


@each_group
def test_module_has_the_groups_name(group: groups.Group) -> None:
    """A module is called after its folder, so that a message of Go's leads there."""
    assert (group.folder / "go.mod").read_text().startswith(f"module llmd.local/tools/{group.name}\n")


@each_group
def test_pins_hold_no_address(group: groups.Group) -> None:
    """Neither go.mod nor go.sum names a place to download from."""
    for name in ("go.mod", "go.sum"):
        assert "://" not in re.sub(r"//.*", "", (group.folder / name).read_text())


@each_group
def test_every_pinned_version_has_a_checksum(group: groups.Group) -> None:
    """The modules that the programs come from are in go.sum, so that nothing else can be built."""
    checksums = (group.folder / "go.sum").read_text()
    for version in build.tool_versions(group).values():
        assert f" {version} h1:" in checksums


def test_every_folder_is_a_group() -> None:
    """There is no Go module that nothing builds."""
    assert {folder.name for folder in groups.GO_MODULES.iterdir()} == {group.name for group in groups.GROUPS}


def test_names_of_tools_are_unique() -> None:
    """A tool is found by its name alone."""
    names = [name for group in groups.GROUPS for name in group.tools]
    assert len(names) == len(set(names))


def test_groups_that_share_a_build_cache_agree_on_versions() -> None:
    """Modules held by several of these groups have one version, so that Go compiles their packages once."""
    seen: dict[str, dict[str, str]] = {}
    for name in _SHARING:
        for module, version in build.versions(groups.group(name)).items():
            seen.setdefault(module, {})[name] = version
    assert {module: held for module, held in seen.items() if len(set(held.values())) > 1} == {}


def test_unknown_tool_lists_those_there_are() -> None:
    """A wrong name is answered with the right ones."""
    with pytest.raises(ToolError, match=r"no tool 'kubctl'; there are .*kubectl"):
        groups.group_of("kubctl")


def test_unknown_group_lists_those_there_are() -> None:
    """A wrong name is answered with the right ones."""
    with pytest.raises(ToolError, match=r"no group 'check'; there are checks"):
        groups.group("check")


def test_version_is_that_of_the_innermost_module() -> None:
    """The server of etcd is a module inside another one's path, and a replaced module has the version it is replaced by."""
    assert build.tool_versions(groups.group("cluster"))["etcd"].startswith("v3.")
    assert build.versions(groups.group("picker"))["github.com/llm-d/llm-d-router"] == "v0.9.2"


_GO = go.Toolchain("go1.26.8", "linux", "amd64")


def test_another_toolchain_builds_into_another_folder() -> None:
    """Version of Go, operating system and machine are part of what a program is."""
    group = groups.group("checks")
    others = [go.Toolchain("go1.26.9", "linux", "amd64"), go.Toolchain("go1.26.8", "darwin", "arm64")]
    assert len({build.folder_of(group, found) for found in (_GO, *others)}) == 3


@pytest.mark.parametrize("file", ["go.mod", "go.sum"])
def test_another_pin_builds_into_another_folder(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a changed pin is built again, and it is not confused with the old one."""
    monkeypatch.setattr(groups, "GO_MODULES", tmp_path)
    group = groups.Group("one", "a test", {"x": "example.com/x"})
    group.folder.mkdir()
    (group.folder / "go.mod").write_text("module m\n")
    (group.folder / "go.sum").write_text("a v1 h1:x\n")
    before = build.folder_of(group, _GO)
    assert build.folder_of(group, _GO) == before
    with (group.folder / file).open("a") as pin:
        pin.write("// moved\n")
    assert build.folder_of(group, _GO) != before


def test_stamps_are_the_pinned_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the linker writes into a program is what go.mod says."""
    monkeypatch.setattr(groups, "GO_MODULES", tmp_path)
    stamps = (groups.Stamp("p.full", "m/a"), groups.Stamp("p.short", "m/a", "{major}/{minor}/{patch}"))
    group = groups.Group("one", "a test", {"x": "example.com/x"}, stamps)
    group.folder.mkdir()
    (group.folder / "go.mod").write_text("require m/a v1.36.1\n")
    (group.folder / "go.sum").touch()
    flags = build.arguments(group)
    assert flags[flags.index("-ldflags") + 1] == "-s -w -X p.full=v1.36.1 -X p.short=1/36/1"
