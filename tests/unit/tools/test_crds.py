"""CRDs: the lock, and what is taken from a module."""

from pathlib import Path

import pytest

from llmd_tools import crds, go
from llmd_tools.errors import ToolError

_SUM = f"h1:{'A' * 43}="
_CRD = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A module that Go has downloaded, in place of a real download."""
    folder = tmp_path / "module"
    (folder / "config").mkdir(parents=True)
    (folder / "config" / "widgets.yaml").write_text(_CRD)
    (folder / "config" / "kustomization.yaml").write_text("kind: Kustomization\n")
    (folder / "config" / "notes.txt").write_text(_CRD)
    monkeypatch.setenv("LLMD_TOOLS_CACHE", str(tmp_path / "cache"))

    def download(modules: list[str], cwd: Path) -> dict[str, go.Module]:
        assert cwd.is_dir()
        return {pin: go.Module(_SUM, folder) for pin in modules}

    monkeypatch.setattr(crds.go, "download", download)
    return folder


def _lock(monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    fields = {"module": "example.com/widgets", "version": "v1.0.0", "sum": _SUM, "files": ("config/*.yaml",)}
    entry = crds.Entry.model_validate(fields | changes)
    monkeypatch.setattr(crds, "lock", lambda: {"widgets": entry})


def test_lock_of_the_repository_is_right() -> None:
    """Every set of CRDs has a module, an exact version and a checksum."""
    assert len(crds.lock()) >= 18


def test_one_version_of_a_module_has_one_checksum() -> None:
    """Two sets from one module at one version cannot disagree about what it is."""
    pairs = {(entry.pin, entry.sum) for entry in crds.lock().values()}
    assert len(pairs) == len({pin for pin, _ in pairs})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", "latest"),
        ("sum", "sha256:abc"),
        ("files", []),
        ("branch", "main"),
    ],
)
def test_wrong_lock_is_refused(tmp_path: Path, field: str, value: object) -> None:
    """A version that moves, another kind of checksum, no files and unknown fields are errors."""
    entry = {"module": "example.com/widgets", "version": "v1.0.0", "sum": _SUM, "files": ["*.yaml"]} | {
        field: value
    }
    path = tmp_path / "crds.lock.yaml"
    path.write_text(crds.yaml.safe_dump({"widgets": entry}))
    with pytest.raises(ToolError, match=rf"crds\.lock\.yaml is not right: (.|\n)*widgets\.{field}"):
        crds.lock(path)


def test_files_that_define_a_crd_are_taken(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other files that a pattern matches, such as a kustomization, are left out."""
    _lock(monkeypatch)
    assert [file.name for file in crds.crd_files("widgets")] == ["widgets.yaml"]
    assert crds.crd_files("widgets")[0].read_text() == (module / "config" / "widgets.yaml").read_text()


@pytest.mark.usefixtures("module")
def test_cached_set_is_not_downloaded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A set that is in the cache at its pin needs neither Go nor a network."""
    _lock(monkeypatch)
    first = crds.crd_files("widgets")
    monkeypatch.setenv("PATH", "")
    assert crds.crd_files("widgets") == first


@pytest.mark.usefixtures("module")
def test_other_checksum_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that is not the pinned one is not used, and both checksums are named."""
    pinned = f"h1:{'B' * 43}="
    _lock(monkeypatch, sum=pinned)
    with pytest.raises(ToolError, match=f"pins {pinned} for example.com/widgets@v1.0.0, and it has {_SUM}"):
        crds.crd_files("widgets")


@pytest.mark.usefixtures("module")
def test_pattern_that_finds_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that has moved its CRDs is noticed when its version is raised."""
    _lock(monkeypatch, files=("elsewhere/*.yaml",))
    with pytest.raises(ToolError, match=r"has no CRD in elsewhere/\*\.yaml"):
        crds.crd_files("widgets")


def test_unknown_set_lists_those_there_are() -> None:
    """A wrong name is answered with the right ones."""
    with pytest.raises(ToolError, match=r"no set of CRDs 'gatewayapi'; there are gateway-api, "):
        crds.crd_files("gatewayapi")
