"""Applications of several environments in one Argo CD: each has a name of its own."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from llmd_constructs.config.errors import InputError
from llmd_constructs.config.load import LoadedEnvironment, load_environments
from llmd_constructs.synthesis import synthesize

OWN = ""
REMOTE = "destination: {server: https://10.0.0.2}"


def _text(cluster: str, destination: str, deployment: str) -> str:
    return f"""\
cluster:
  project: sample-project
  name: {cluster}
  location: us-central1-a
  kubernetes: "1.34"
  nodePools:
    - {{name: t4, machineType: n1-standard-4, accelerator: {{type: nvidia-t4}}, maxNodes: 3}}
gitops:
  repository: {{url: https://github.com/example/sample.git}}
  {destination}
platform:
  gateway: {{provider: gke}}
deployments:
  - name: {deployment}
    pattern: single-replica
    stack: llm-d
    namespace: models
    model: google/gemma-2b-it
    nodePool: t4
"""


def _loaded(root: Path, one: str, other: str, deployment: str) -> tuple[LoadedEnvironment, ...]:
    """The environments `fleet`, whose deployment is named, and `fleet-staging`, which has `one`."""
    folder = root / "environments"
    folder.mkdir()
    (folder / "fleet.yaml").write_text(_text("first", one, deployment), "utf-8")
    (folder / "fleet-staging.yaml").write_text(_text("second", other, "one"), "utf-8")
    return load_environments(root)


def _told(loaded: Sequence[LoadedEnvironment]) -> list[str]:
    try:
        synthesize(loaded)
    except InputError as error:
        return [str(problem) for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("deployment", "name"), [("staging", "fleet-staging"), ("staging-one", "fleet-staging-one")]
)
@pytest.mark.parametrize(("one", "other"), [(REMOTE, REMOTE), (OWN, REMOTE), (REMOTE, OWN)])
def test_two_applications_of_one_name_are_refused(
    one: str, other: str, deployment: str, name: str, tmp_path: Path
) -> None:
    """A root is an Application too. Either environment's Argo CD may be the one that serves both."""
    (told,) = _told(_loaded(tmp_path, one, other, deployment))
    assert told.startswith("environments/fleet.yaml:8: gitops: ")
    assert f"environments/fleet-staging.yaml too, and both have the Application {name};" in told


@pytest.mark.parametrize(("one", "other", "deployment"), [(OWN, OWN, "staging-one"), (REMOTE, REMOTE, "other")])
def test_names_that_never_meet_are_taken(one: str, other: str, deployment: str, tmp_path: Path) -> None:
    """Clusters with an Argo CD each may use a name twice."""
    assert _told(_loaded(tmp_path, one, other, deployment)) == []
