"""What a run would leave on the cluster is said while it can still be deleted."""

from pathlib import Path

import pytest
import yaml

from llmd_constructs.emit.left_behind import left_behind

PROJECT = "argocd/fleet/AppProject-fleet.yaml"
MODEL = "dist/fleet/qwen/LLMInferenceService-qwen.yaml"


def _project(*namespaces: str, kinds: tuple[str, ...] = ("LLMInferenceService", "Service")) -> str:
    spec = {
        "destinations": [
            {"server": "https://kubernetes.default.svc", "namespace": name} for name in namespaces
        ],
        "clusterResourceWhitelist": [{"group": "", "kind": "Namespace"}],
        "namespaceResourceWhitelist": [{"group": "", "kind": kind} for kind in kinds],
    }
    return _object("AppProject", "fleet", "argocd", spec=spec)


def _object(kind: str, name: str, namespace: str, **rest: object) -> str:
    metadata = {"name": name, "namespace": namespace}
    return yaml.safe_dump({"apiVersion": "v1", "kind": kind, "metadata": metadata, **rest})


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """An environment with a model and its Service in a namespace of their own."""
    for path, text in (
        (PROJECT, _project("models", "reasoning")),
        ("dist/fleet/qwen/ConfigMap-notes.yaml", _object("ConfigMap", "notes", "models")),
        ("dist/fleet/qwen/A.yaml", _object("Service", "qwen-service", "reasoning")),
        (MODEL, _object("LLMInferenceService", "qwen", "reasoning")),
    ):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def test_a_namespace_that_nothing_is_deployed_to_any_more_is_named(repository: Path) -> None:
    """With what is in it, what keeps nodes running first, and with what to write."""
    (said,) = left_behind(repository, {PROJECT: _project("models")})
    assert said.startswith("fleet: nothing is deployed to the namespace reasoning any more")
    assert "would not delete LLMInferenceService/qwen, Service/qwen-service;" in said
    assert "write `namespaces: [reasoning]` under `gitops` in environments/fleet.yaml" in said


@pytest.mark.parametrize("named", ["reasoning", "reason*"])
def test_a_namespace_that_the_project_still_allows_is_not(named: str, repository: Path) -> None:
    """By its name or by a pattern: Argo CD deletes what is there."""
    assert not list(left_behind(repository, {PROJECT: _project("models", named)}))


def test_a_namespace_that_is_empty_already_is_not(repository: Path) -> None:
    """What was taken out by an earlier run, which left the namespace with the project, is gone by now."""
    for file in (repository / "dist/fleet/qwen").glob("*.yaml"):
        file.unlink()
    assert not list(left_behind(repository, {PROJECT: _project("models")}))


def test_a_kind_that_is_no_longer_allowed_is_named_with_its_objects(repository: Path) -> None:
    """Argo CD passes over a kind that its project does not list, wherever its objects are."""
    (repository / PROJECT).write_text(_project("models", "reasoning", kinds=("ConfigMap",)))
    (said,) = left_behind(repository, {PROJECT: _project("models", "reasoning", kinds=())})
    assert said.startswith("fleet: nothing else is of their kind, so that Argo CD will not delete")
    assert "ConfigMap/notes;" in said


def test_an_environment_that_goes_is_named(repository: Path) -> None:
    """Argo CD finds nothing where the root application reads, and changes nothing."""
    (said,) = left_behind(repository, {})
    assert said.startswith("fleet: what was deployed keeps running")


@pytest.mark.parametrize("text", ["<<<<<<< HEAD\n", "", "- a\n"])
def test_what_cannot_be_read_says_nothing(text: str, repository: Path) -> None:
    """A file that somebody broke is written anew, and is no reason to stop."""
    (repository / PROJECT).write_text(text)
    assert not list(left_behind(repository, {PROJECT: _project("models")}))
