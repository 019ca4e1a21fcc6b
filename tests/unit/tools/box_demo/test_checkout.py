"""The checkout as the repository that Argo CD reads."""

from pathlib import Path

import pytest
import yaml

from llmd_tools.argocd import Repository
from llmd_tools.box.demo_checkout import Checkout
from llmd_tools.judges.rendered import Rendered, environments

ENVIRONMENT = "llmd-istio-tpu"


@pytest.fixture(scope="module")
def environment() -> Rendered:
    """An environment of this repository."""
    return environments()[ENVIRONMENT]


@pytest.fixture
def checkout(environment: Rendered, tmp_path: Path) -> Checkout:
    """It, before anything is committed."""
    return Checkout(environment, Repository(tmp_path / "git"))


def test_applications_read_the_local_repository(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own ones, on the branch that there is; everything else is as it is in the checkout."""
    monkeypatch.setattr("llmd_tools.box.demo_checkout.BRANCH", "trunk")
    files = checkout.changes()
    own = yaml.safe_load(
        files[f"argocd/{ENVIRONMENT}/applications/Application-{ENVIRONMENT}-gateway.yaml"] or ""
    )
    source = own["spec"]["source"]
    assert (source["repoURL"], source["targetRevision"]) == (checkout.repository.url, "trunk")
    assert source["path"] == f"dist/{ENVIRONMENT}/gateway"
    project = yaml.safe_load(files[f"argocd/{ENVIRONMENT}/AppProject-{ENVIRONMENT}.yaml"] or "")
    assert checkout.repository.url in project["spec"]["sourceRepos"]
    gateway = f"dist/{ENVIRONMENT}/gateway/Gateway-inference-gateway.yaml"
    assert files[gateway] == (checkout.environment.folders[0] / "gateway" / Path(gateway).name).read_text()


def test_other_peoples_software_brings_nothing(checkout: Checkout) -> None:
    """Its images do not run here; what is left out is named."""
    files = checkout.changes()
    operator = yaml.safe_load(
        files[f"argocd/{ENVIRONMENT}/applications/Application-{ENVIRONMENT}-sail-operator.yaml"] or ""
    )
    folder = operator["spec"]["source"]["path"]
    assert [path for path in files if path.startswith(f"{folder}/")] == [f"{folder}/README"]
    assert any(each.startswith("sail-operator ") for each in checkout.left_out)


def test_only_changes_are_committed(checkout: Checkout) -> None:
    """What is on disk as it was is not committed again."""
    checkout.changes()
    assert checkout.changes() == {}


def test_what_is_applied_by_hand_is_project_and_root(checkout: Checkout) -> None:
    """As the README has it; the root brings all other applications."""
    checkout.changes()
    assert sorted(each["kind"] for each in checkout.by_hand()) == ["AppProject", "Application"]
    assert ENVIRONMENT in checkout.applications()
    assert f"{ENVIRONMENT}-gateway" in checkout.applications()
