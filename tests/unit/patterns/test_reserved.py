"""Names and namespaces of the platform are not a deployment's to have."""

from pathlib import Path
from typing import get_args

import pytest

from llmd_constructs import catalogue
from llmd_constructs.config.errors import InputError
from llmd_constructs.config.load import load_environments
from llmd_constructs.patterns.reserved import namespace_owners
from llmd_constructs.plan.model import Plan
from llmd_constructs.platform.applications import PlatformApplication, platform_applications
from llmd_constructs.synthesis import check_support

FILE = """\
cluster:
  name: sample
  project: sample-project
  location: us-central1-a
  kubernetes: "1.34"
  nodePools:
    - {name: t4, machineType: n1-standard-4, accelerator: {type: nvidia-t4}, maxNodes: 3}
gitops:
  namespace: gitops
  repository: {url: https://github.com/example/sample.git}
platform:
  gateway: {provider: gke, namespace: GATEWAY}
deployments:
  - pattern: single-replica
    namespace: NAMESPACE
    name: NAME
    stack: llm-d
    model: google/gemma-2b-it
    nodePool: t4
"""


def _told(folder: Path, name: str = "sample", namespace: str = "models", gateway: str = "opendatahub") -> str:
    path = folder / "environments" / "sample.yaml"
    path.parent.mkdir(exist_ok=True)
    text = FILE.replace("NAMESPACE", namespace).replace("NAME", name).replace("GATEWAY", gateway)
    path.write_text(text, "utf-8")
    try:
        check_support(load_environments(folder))
    except InputError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", sorted(platform_applications()))
def test_a_deployment_has_no_name_of_the_platform(name: str, tmp_path: Path) -> None:
    """Every application that the platform may have, here or elsewhere, keeps its name; file, line and field are told."""
    assert _told(tmp_path, name=name) == (
        f"environments/sample.yaml:16: deployments[0].name: is {name}, the name of an application of the platform; "
        f"write another name, such as `name: {name}-model`"
    )


def test_every_name_of_the_platform_is_known(plan: Plan) -> None:
    """No committed environment has an application that is neither a deployment's nor known by name."""
    for environment in plan.environments:
        deployments = {deployment.name for deployment in environment.environment.active}
        others = {application.name for application in environment.applications} - deployments
        assert others <= platform_applications(), environment.name
        assert not deployments & platform_applications(), environment.name


def test_names_come_from_the_catalogue_and_from_the_types_of_the_tree() -> None:
    """Third-party software and every chart of every KServe release are among them."""
    assert {"kserve", "kserve-llmisvc-crd", "kserve-runtime-configs"} <= platform_applications()
    assert {*get_args(PlatformApplication), *catalogue.ids("upstream")} <= platform_applications()


@pytest.mark.parametrize(
    ("namespace", "said"),
    [
        ("default", "is default, which belongs to nobody and so to everybody"),
        ("kube-system", "is kube-system, which is GKE's own"),
        ("gke-managed-system", "is gke-managed-system, which is GKE's own"),
        ("gmp-public", "is gmp-public, which is GKE's own"),
        ("gitops", "is gitops, where Argo CD runs"),
        ("istio-system", "is istio-system, where Istio runs"),
        ("cert-manager", "is cert-manager, where cert-manager runs"),
        ("external-secrets", "is external-secrets, where external-secrets runs"),
        ("lws-system", "is lws-system, where lws runs"),
        ("custom-metrics", "is custom-metrics, where custom-metrics-stackdriver-adapter runs"),
        ("kserve", "is kserve, where KServe runs"),
    ],
)
def test_a_deployment_has_no_namespace_of_others(namespace: str, said: str, tmp_path: Path) -> None:
    """Policies that deny by default and Pod Security labels would hit whoever runs there."""
    told = _told(tmp_path, namespace=namespace)
    assert told.startswith(f"environments/sample.yaml:15: deployments[0].namespace: {said}")
    assert told.endswith("write a namespace of the models' own, such as `namespace: models`")


def test_models_may_be_beside_the_gateway(tmp_path: Path) -> None:
    """The seeds have both in `opendatahub` and in `llm-d`, and Argo CD need not be in `argocd`."""
    assert _told(tmp_path, namespace="opendatahub", gateway="opendatahub") == ""
    assert _told(tmp_path, namespace="llm-d", gateway="llm-d") == ""
    assert _told(tmp_path, namespace="argocd") == ""
    assert "opendatahub" not in namespace_owners()


def test_the_gateway_is_in_no_namespace_of_gke(tmp_path: Path) -> None:
    """Its namespace gets Pod Security labels too."""
    assert "platform.gateway.namespace: is kube-system, which is GKE's own" in _told(
        tmp_path, gateway="kube-system"
    )
