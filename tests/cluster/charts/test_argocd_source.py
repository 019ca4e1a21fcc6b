"""Argo CD takes charts with their values files as sources in place of `dist/`, and brings the same objects."""

import shutil
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from llmd_constructs.argocd.settings import settings
from llmd_constructs.manifest import APP_PROJECT, APPLICATION
from llmd_tools.argocd import ArgoCd
from llmd_tools.cluster import ControlPlane
from llmd_tools.crds import crd_files
from llmd_tools.judges.charts import CHARTS, DIST, ValuesFile, values_files
from llmd_tools.judges.comparison import lost

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("charts")]

ENVIRONMENT = "nvidia-test-cluster"
"""One on GKE without operators: a gateway and a model."""
FIRST = "namespaces"
NAMESPACE = "argocd"
CRDS = ("gateway-api", "inference-extension-1.5", "gke-gateway")
SECONDS = 300


@dataclass(frozen=True)
class Running:
    """Argo CD, and the cluster that it looks after."""

    cluster: ControlPlane
    argocd: ArgoCd


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest) -> Generator[Running]:
    """An Argo CD whose repository holds the charts and nothing else."""
    with ControlPlane() as cluster, ArgoCd(cluster, settings(NAMESPACE)) as argocd:
        cluster.install_crds(crd_files(*CRDS))
        shutil.copytree(CHARTS, argocd.repository.files / "charts")
        argocd.repository.commit()
        yield Running(cluster, argocd)
        cluster.keep = request.session.testsfailed > 0


def _project() -> dict[str, Any]:
    anything = [{"group": "*", "kind": "*"}]
    everywhere = [{"server": "*", "namespace": "*"}]
    return APP_PROJECT.manifest(
        ENVIRONMENT,
        NAMESPACE,
        spec={"sourceRepos": ["*"], "destinations": everywhere, "clusterResourceWhitelist": anything},
    )


def _application(values: ValuesFile, repository: str) -> dict[str, Any]:
    """An Application whose source is a chart; its path of the values file begins at the repository's root."""
    return APPLICATION.manifest(
        values.application,
        NAMESPACE,
        spec={
            "project": ENVIRONMENT,
            "destination": {"server": "https://kubernetes.default.svc", "namespace": values.namespace},
            "source": {
                "repoURL": repository,
                "targetRevision": "main",
                "path": f"charts/{values.chart.name}",
                "helm": {
                    "releaseName": values.release,
                    "valueFiles": [f"/charts/{values.path.relative_to(CHARTS).as_posix()}"],
                    "skipTests": True,
                },
            },
            "syncPolicy": {"automated": {}, "retry": {"limit": 20, "backoff": {"duration": "2s"}}},
        },
    )


def _committed(application: str) -> Iterator[dict[str, Any]]:
    for file in (DIST / ENVIRONMENT / application).glob("*.yaml"):
        yield yaml.safe_load(file.read_text())


def test_an_environment_comes_from_charts(running: Running) -> None:
    """Every application comes to be Synced from its chart, and each object of `dist/` is there, field by field."""
    cluster, argocd = running.cluster, running.argocd
    mine = {each.application: each for each in values_files() if each.environment == ENVIRONMENT}
    applications = {name: _application(each, argocd.repository.url) for name, each in mine.items()}
    argocd.bootstrap(_project(), applications.pop(FIRST))
    for names in ({FIRST}, set(mine)):
        argocd.wait(
            "every application is Synced",
            lambda states, names=names: all(
                (states[name].sync, states[name].phase) == ("Synced", "Succeeded") for name in names
            ),
            seconds=SECONDS,
        )
        argocd.bootstrap(*applications.values())
    for application in mine:
        for manifest in _committed(application):
            metadata = manifest["metadata"]
            live = cluster.server.get(
                manifest["apiVersion"], manifest["kind"], metadata["name"], metadata.get("namespace", "")
            )
            assert live is not None, f"{manifest['kind']} {metadata['name']}"
            assert list(lost(manifest, live)) == [], f"{manifest['kind']} {metadata['name']}"
