"""Failures that no environment file can lead to: the law, held against every committed environment and fixture."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.rules.conftest import FIXTURES, Workshop

from llmd_constructs import catalogue
from llmd_constructs.catalogue import ChartSource, GitSource
from llmd_constructs.config.errors import InputError
from llmd_constructs.config.load import load_environments
from llmd_constructs.environment import brings_inference_pool
from llmd_constructs.plan.model import ApplicationPlan, EnvironmentPlan, Plan, UpstreamSource
from llmd_constructs.rules.workloads import floats
from llmd_constructs.synthesis import synthesize

ROOT = Path(__file__).parents[3]
MOVING = re.compile(r"(HEAD|main|master|.*-latest)$|.*[*^~<>]")


@pytest.fixture(scope="session")
def environments(workshop: Workshop) -> tuple[EnvironmentPlan, ...]:
    """Every committed environment, and every valid fixture."""
    committed: Plan = synthesize(load_environments(ROOT))
    fixtures = [
        workshop.plan(workshop.load(file.stem, file.read_text("utf-8")))
        for file in (FIXTURES / "valid").glob("*.yaml")
    ]
    return (*committed.environments, *fixtures)


def _upstream(plan: EnvironmentPlan) -> Iterator[tuple[ApplicationPlan, UpstreamSource]]:
    for application in plan.applications:
        if isinstance(application.source, UpstreamSource):
            yield application, application.source


def _applications(plan: EnvironmentPlan) -> dict[str, dict[str, Any]]:
    prefix = f"{plan.name}-"
    return {
        file.manifest["metadata"]["name"].removeprefix(prefix): file.manifest
        for file in plan.argocd
        if file.manifest["kind"] == "Application" and file.manifest["metadata"]["name"] != plan.name
    }


def _refusal(workshop: Workshop, base: str, text: str) -> str:
    with pytest.raises(InputError) as refused:
        workshop.check("refused", f"extends: ../bases/{base}.yaml\n{text}")
    return str(refused.value)


def test_third_party_software_is_pinned(environments: tuple[EnvironmentPlan, ...]) -> None:
    """Charts, folders and images of others come at a version that stays (F-47, F-48, F-55)."""
    for plan in environments:
        for application, source in _upstream(plan):
            install = source.install
            version = install.version if isinstance(install, ChartSource) else install.revision
            assert version, application.name
            assert not MOVING.fullmatch(version), (plan.name, application.name, version)
            images = install.kustomize_images if isinstance(install, GitSource) else ()
            assert [image for image in images if floats(image.rpartition(":")[2])] == []


def test_pruning_never_deletes_a_crd(environments: tuple[EnvironmentPlan, ...]) -> None:
    """An application of nothing but CRDs is not pruned (F-14i)."""
    seen = 0
    for plan in environments:
        rendered = _applications(plan)
        for application, source in _upstream(plan):
            if isinstance(source.install, GitSource) and source.install.include:
                seen += 1
                assert rendered[application.name]["spec"]["syncPolicy"]["automated"]["prune"] is False
    assert seen


def test_argo_cd_leaves_injected_certificates_alone(environments: tuple[EnvironmentPlan, ...]) -> None:
    """Argo CD does not fight cert-manager over the CA of KServe's webhooks (F-66)."""
    for plan in environments:
        if not plan.environment.platform.kserve:
            continue
        ignoring = [
            application
            for name, application in _applications(plan).items()
            if name.startswith("kserve")
            for item in application["spec"].get("ignoreDifferences", [])
            if item["kind"] == "ValidatingWebhookConfiguration" and "caBundle" in item["jqPathExpressions"][0]
        ]
        assert len(ignoring) == 1, plan.name
        assert "RespectIgnoreDifferences=true" in ignoring[0]["spec"]["syncPolicy"]["syncOptions"]


def test_every_application_is_applied_by_the_server_to_its_own_cluster(
    environments: tuple[EnvironmentPlan, ...],
) -> None:
    """No application goes elsewhere, and none writes itself into a 256 KiB annotation (F-50, F-69)."""
    for plan in environments:
        for application in _applications(plan).values():
            spec = application["spec"]
            assert spec["destination"]["server"] == plan.environment.gitops.destination.server
            assert "ServerSideApply=true" in spec["syncPolicy"]["syncOptions"]
            assert "SkipDryRunOnMissingResource=true" in spec["syncPolicy"]["syncOptions"]


def test_the_project_allows_what_is_rendered(environments: tuple[EnvironmentPlan, ...]) -> None:
    """Every kind, namespace and source is in the AppProject (F-68)."""
    for plan in environments:
        (project,) = [file.manifest["spec"] for file in plan.argocd if file.manifest["kind"] == "AppProject"]
        cluster = {(item["group"], item["kind"]) for item in project["clusterResourceWhitelist"]}
        namespaced = {(item["group"], item["kind"]) for item in project["namespaceResourceWhitelist"]}
        places = {item["namespace"] for item in project["destinations"]}
        for file in plan.files:
            group, kind = file.manifest["apiVersion"].rpartition("/")[0], file.manifest["kind"]
            namespace = file.manifest["metadata"].get("namespace")
            assert (group, kind) in (namespaced if namespace else cluster), file.path
            assert namespace is None or namespace in places, file.path
        sources = {application["spec"]["source"]["repoURL"] for application in _applications(plan).values()}
        assert sources <= set(project["sourceRepos"])


def test_the_project_allows_deleting_where_deployments_were(workshop: Workshop) -> None:
    """Argo CD passes over namespaces that the project does not list, so those that are left can be named."""
    text = "extends: ../bases/gke-llmd.yaml\ngitops: {namespaces: [left, 'llm-*']}\n"
    plan = workshop.plan(workshop.load("left", text))
    (project,) = [file.manifest["spec"] for file in plan.argocd if file.manifest["kind"] == "AppProject"]
    assert {"left", "llm-*", "models"} <= {item["namespace"] for item in project["destinations"]}


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("*", "'*', which takes in kube-system; name those of your deployments"),
        ("kube-*", "'kube-*', which takes in kube-system"),
        ("argo*", "'argo*', which takes in argocd"),
        ("!kube-system", "must be a namespace: lower-case letters, digits and `-`"),
    ],
)
def test_the_project_never_allows_the_namespaces_of_the_cluster(
    workshop: Workshop, pattern: str, said: str
) -> None:
    """What the environment adds to the project leaves the cluster's own namespaces and Argo CD's out."""
    refused = _refusal(workshop, "gke-llmd", f"gitops: {{namespaces: ['{pattern}']}}\n")
    assert said in refused
    assert "environments/refused.yaml:2" in refused


def test_taking_the_root_away_leaves_the_project(environments: tuple[EnvironmentPlan, ...]) -> None:
    """No Application ends without its project, neither the root nor one that waits to be confirmed."""
    for plan in environments:
        (project,) = [file.manifest for file in plan.argocd if file.manifest["kind"] == "AppProject"]
        options = project["metadata"]["annotations"]["argocd.argoproj.io/sync-options"]
        assert options == "Delete=false"


def test_nothing_installs_what_gke_installs(environments: tuple[EnvironmentPlan, ...]) -> None:
    """InferencePool v1 is installed only where GKE does not bring it, and Gateway API nowhere (F-14h)."""
    for plan in environments:
        names = {application.name for application, _ in _upstream(plan)}
        brought = brings_inference_pool(plan.environment.cluster.kubernetes)
        assert ("inference-extension-crds" in names) is not brought
        assert not any("gateway-api-crds" in name for name in names)


def test_controllers_come_from_their_own_source(environments: tuple[EnvironmentPlan, ...]) -> None:
    """Nobody assembles KServe's manifests by hand, so that no variable and no right is forgotten (F-56, F-57)."""
    for plan in environments:
        controllers = {catalogue.kserve_release(name).controller for name in catalogue.ids("kserve_release")}
        assert [file.path for file in plan.files if file.manifest["metadata"]["name"] in controllers] == []
        installed = [
            application.name for application, _ in _upstream(plan) if application.name.startswith("kserve")
        ]
        assert bool(installed) is bool(plan.environment.platform.kserve)


def test_nothing_tells_people_to_change_a_health_check_by_hand() -> None:
    """GKE takes back what gcloud changes, so that no page and no script says to (F-05)."""
    pages = [path for path in (ROOT / "docs").rglob("*") if path.suffix in {".md", ".sh"}]
    assert pages
    assert [page.name for page in pages if "health-checks update" in page.read_text("utf-8")] == []


def test_pools_need_a_class_that_serves_them(workshop: Workshop) -> None:
    """A global gateway class is refused before anything is built (F-01)."""
    said = _refusal(
        workshop, "gke-kserve", "platform: {gateway: {className: gke-l7-global-external-managed}}\n"
    )
    assert "cannot send requests to an InferencePool" in said


def test_a_topology_is_one_that_the_machine_type_has(workshop: Workshop) -> None:
    """Topologies of other generations, and of other machine types, are refused (F-26)."""
    for topology in ("2x2x1", "2x2x2", "3x3"):
        said = _refusal(
            workshop, "gke-kserve", f"cluster: {{nodePools: [{{name: tpu, topology: {topology}}}]}}\n"
        )
        assert "ct6e-standard-4t" in said
    said = _refusal(
        workshop, "gke-kserve", "cluster: {nodePools: [{name: tpu, machineType: ct6e-standard-16t}]}\n"
    )
    assert "'ct6e-standard-16t' is not a known machine type" in said


def test_replicas_fit_into_their_node_pool(workshop: Workshop) -> None:
    """More replicas than nodes are refused, with both numbers (F-23)."""
    said = _refusal(workshop, "istio-precise", "deployments: [{name: qwen, replicas: 9}]\n")
    assert re.search(r"is 4, and the deployments on tpu need 9 nodes", said)


def test_only_releases_with_the_service_can_be_named(workshop: Workshop) -> None:
    """Upstream KServe 0.15 has no LLMInferenceService, and cannot be named (F-46)."""
    assert "'0.15' is not a known KServe release" in _refusal(
        workshop, "gke-kserve", 'platform: {kserve: "0.15"}\n'
    )


def test_controller_and_gateway_agree_on_the_pool(workshop: Workshop) -> None:
    """A release whose pools the gateway does not read is refused (F-61)."""
    said = _refusal(workshop, "istio-kserve", 'platform: {kserve: "0.20", istio: "1.26"}\n')
    assert "and the gateway reads inference.networking.x-k8s.io/v1alpha2" in said


@pytest.mark.parametrize(
    ("release", "both"), [("0.17", True), ("0.18", True), ("0.19", True), ("0.20", False)]
)
def test_a_controller_finds_the_pools_that_it_makes(workshop: Workshop, release: str, both: bool) -> None:
    """KServe up to 0.19 makes pools of both APIs, and stops at the first whose CRD is missing."""
    loaded = workshop.load(
        "pools", f'extends: ../bases/istio-kserve.yaml\nplatform: {{kserve: "{release}"}}\n'
    )
    names = {application.name for application in workshop.plan(loaded).applications}
    assert ("inference-extension-crds-v1alpha2" in names) is both


def test_what_cannot_work_together_is_refused(workshop: Workshop) -> None:
    """Combinations of pattern, stack and gateway that do not exist are errors, not half a rendering (F-86)."""
    said = _refusal(
        workshop,
        "gke-kserve",
        "deployments: [{name: qwen, pattern: prefix-cache, replicas: 1, routing: precise}]\n",
    )
    assert "routing" in said


def test_nothing_of_the_environment_is_expanded(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable in a value is refused; the shell it runs in decides nothing (F-67)."""
    monkeypatch.setenv("CLUSTER", "somewhere-else")
    assert "nothing is expanded" in _refusal(workshop, "gke-kserve", "cluster: {name: '${CLUSTER}'}\n")


def test_unknown_settings_are_refused(workshop: Workshop) -> None:
    """A setting that has no effect, such as one of the seeds', is an error (F-96)."""
    said = _refusal(workshop, "istio-kserve", "platform: {sailOperator: {istioVersion: v1.26.6}}\n")
    assert "platform.sailOperator" in said
