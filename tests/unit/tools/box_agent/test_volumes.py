"""What is in a pod's volumes, and how it changes."""

import asyncio
import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from llmd_tools.box.agent.environment import ConfigError, Sources
from llmd_tools.box.agent.volumes import Files, content, write

POD: dict[str, Any] = {
    "metadata": {"name": "web-0", "namespace": "shop", "labels": {"app": "web"}},
    "spec": {"containers": [{"name": "main", "resources": {"limits": {"cpu": "2"}}}]},
}
SOURCES = Sources(
    POD,
    {},
    {("shop", "settings"): {"data": {"a.yaml": "a: 1", "b.yaml": "b: 2"}}},
    {("shop", "keys"): {"data": {"key": base64.b64encode(b"k").decode()}}},
)


def made(**volume: Any) -> Files:
    """The files of a volume; a token is the text of what was asked for."""

    async def token(spec: Mapping[str, Any]) -> str:
        return json.dumps(spec)

    return asyncio.run(content({"name": "v", **volume}, SOURCES, token))


def test_a_config_map_is_a_file_per_entry() -> None:
    """Without a choice all of them are there."""
    assert made(configMap={"name": "settings"}) == {"a.yaml": b"a: 1", "b.yaml": b"b: 2"}


def test_items_choose_and_rename() -> None:
    """Only what is named is there, at the path that is given."""
    items = [{"key": "a.yaml", "path": "conf/main.yaml"}]
    assert made(configMap={"name": "settings", "items": items}) == {"conf/main.yaml": b"a: 1"}


def test_a_secret_is_decoded() -> None:
    """A volume names its Secret in a way of its own."""
    assert made(secret={"secretName": "keys"}) == {"key": b"k"}


def test_a_projected_volume_holds_all_its_sources() -> None:
    """The volume of a service account is one of these."""
    sources = [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607, "audience": "istio-ca"}},
        {"configMap": {"name": "settings", "items": [{"key": "a.yaml", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
        {"secret": {"name": "keys"}},
    ]
    files = made(projected={"sources": sources})
    assert json.loads(files.pop("token")) == {"expirationSeconds": 3607, "audiences": ["istio-ca"]}
    assert files == {"ca.crt": b"a: 1", "namespace": b"shop", "key": b"k"}


def test_the_downward_api_gives_fields_and_resources() -> None:
    """Labels are lines, and a limit is a number."""
    items = [
        {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
        {"path": "cpu", "resourceFieldRef": {"containerName": "main", "resource": "limits.cpu"}},
    ]
    assert made(downwardAPI={"items": items}) == {"labels": b'app="web"', "cpu": b"2"}


def test_an_empty_folder_is_empty() -> None:
    """Containers fill it."""
    assert made(emptyDir={"medium": "Memory"}) == {}


@pytest.mark.parametrize(
    ("volume", "message"),
    [
        ({"configMap": {"name": "no"}}, 'configmap "no" not found'),
        (
            {"configMap": {"name": "settings", "items": [{"key": "c.yaml", "path": "c"}]}},
            "non-existent config key: c.yaml",
        ),
        ({"persistentVolumeClaim": {"claimName": "data"}}, "no volumes of the kind 'persistentVolumeClaim'"),
    ],
)
def test_what_is_missing_is_named(volume: Mapping[str, Any], message: str) -> None:
    """The pod waits for it, and its event says for what."""
    with pytest.raises(ConfigError, match=message):
        made(**volume)


def test_an_optional_config_map_may_be_missing() -> None:
    """The volume is empty then."""
    assert made(configMap={"name": "no", "optional": True}) == {}


def test_files_change_together(tmp_path: Path) -> None:
    """One link changes, so that no reader sees one new file beside an old one, and what is gone goes."""
    write(tmp_path, {"a": b"1", "b": b"1", "deep/c": b"1"})
    first = (tmp_path / "..data").resolve()
    write(tmp_path, {"a": b"2", "deep/c": b"1"})
    assert {name: (tmp_path / name).read_bytes() for name in ("a", "deep/c")} == {"a": b"2", "deep/c": b"1"}
    assert not (tmp_path / "b").exists()
    assert not (tmp_path / "b").is_symlink()
    assert not first.exists()


def test_nothing_is_written_twice(tmp_path: Path) -> None:
    """Programs that watch a folder are not told of changes that are none."""
    write(tmp_path, {"a": b"1"})
    before = (tmp_path / "..data").resolve()
    write(tmp_path, {"a": b"1"})
    assert (tmp_path / "..data").resolve() == before
