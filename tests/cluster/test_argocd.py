"""The real Argo CD syncs every environment from a local git repository, and keeps it as it is.

One Argo CD looks after one environment after the other, on one cluster. What has no controller here has a simulated
status, and what would come from the network has a stand-in; both are named in the output.
"""

import time
from collections.abc import Generator, Mapping
from itertools import pairwise

import pytest
import yaml

from llmd_constructs.application import SYNC_WAVE
from llmd_constructs.argocd.settings import settings
from llmd_constructs.config.load import load_environments
from llmd_tools.argocd import ApplicationState, ArgoCd
from llmd_tools.cluster import ControlPlane, Node
from llmd_tools.judges.gitops import (
    SECONDS,
    Deployed,
    DeployedOneByOne,
    with_last_deployment_in,
    without_last_deployment,
)
from llmd_tools.judges.plugin import Judged
from llmd_tools.judges.rendered import ROOT

CRDS_BY_ARGOCD = "nvidia-test-cluster"
"""Here Argo CD installs CRDs, the InferencePool's among them. After each event of a CRD it reads all of the server's
OpenAPI again, so that dozens of them take minutes; elsewhere they are there beforehand."""
DISTURBED = (CRDS_BY_ARGOCD, "tpu-test-cluster", "fleet-staging")
"""One environment of each stack (llm-d, KServe of the seeds, upstream's KServe) meets all that comes after a sync."""
ENVIRONMENTS = sorted(
    (path.stem for path in (ROOT / "environments").glob("*.yaml")),
    key=lambda name: (name != CRDS_BY_ARGOCD, name),
)
ALONE = ("fleet-staging",)
"""Here the last deployment has its namespace to itself."""
GENERAL = {"cpu": "256", "memory": "2Ti", "ephemeral-storage": "8Ti"}
"""A node for the operators, which the rules on node pools do not count."""
DRIFTED = 7
"""Replicas that no environment asks for."""

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("argocd")]
every_environment = pytest.mark.parametrize("deployed", ENVIRONMENTS, indirect=True, scope="module")
alone_environments = pytest.mark.parametrize("deployed", ALONE, indirect=True, scope="module")
disturbed_environments = pytest.mark.parametrize("deployed", DISTURBED, indirect=True, scope="module")


@pytest.fixture(scope="module")
def environments(request: pytest.FixtureRequest) -> Generator[DeployedOneByOne]:
    """An Argo CD that has nothing to do yet; its logs stay if a test fails."""
    items = {each.name: each for each in load_environments(ROOT)}
    namespace = next(iter(items.values())).environment.gitops.namespace
    with ControlPlane() as cluster, ArgoCd(cluster, settings(namespace)) as argocd:
        cluster.create_nodes([Node("general", capacity=GENERAL)])
        yield DeployedOneByOne(items, cluster, argocd)
        cluster.keep = request.session.testsfailed > 0
        if cluster.keep:
            print(f"\nlogs of Argo CD: {cluster.programs.logs}")  # noqa: T201  # shown at the end


@pytest.fixture(scope="module")
def deployed(request: pytest.FixtureRequest, environments: DeployedOneByOne) -> Generator[Deployed]:
    """An environment, synced from nothing, and taken away again."""
    with environments.deploy(request.param, crds_beforehand=request.param != CRDS_BY_ARGOCD) as environment:
        yield environment


def _notes(deployed: Deployed) -> tuple[str, ...]:
    """What was not as it would be on GKE."""
    crds = () if deployed.name == CRDS_BY_ARGOCD else ("CRDs of operators were there before Argo CD",)
    rest = (
        ()
        if deployed.name in DISTURBED
        else (f"second sync, drift, broken commits and pruning: see {', '.join(DISTURBED)}",)
    )
    return (
        *crds,
        *rest,
        f"pods are simulated, and the status of {', '.join(deployed.simulated)}",
        "webhook configurations are left out: nobody serves the webhooks of operators",
        *(f"in place of {each.wanted}: {each.instead}" for each in deployed.stand_ins.values()),
    )


@every_environment
def test_every_application_is_synced_and_healthy(deployed: Deployed, judged: Judged) -> None:
    """The root application brings every application, and each comes to be Synced and Healthy."""
    states = deployed.argocd.applications()
    objects = sum(len(state.objects) for state in states.values())
    judged("Argo CD", deployed.name, objects, _notes(deployed), seconds=deployed.seconds)
    assert states.keys() == deployed.applications().keys()
    assert not [str(state) for state in states.values() if not state.settled]


@every_environment
def test_every_object_of_the_environment_is_there(deployed: Deployed) -> None:
    """Argo CD looks after each file that is committed for the environment, and has put it on the cluster."""
    known = {each for state in deployed.argocd.applications().values() for each in state.objects}
    names = {(each.kind, each.namespace, each.name) for each in known}
    files = deployed.manifests(f"dist/{deployed.name}")
    missing = [
        path
        for path, each in files.items()
        if (each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]) not in names
        or deployed.live(each) is None
    ]
    assert files
    assert not missing


@every_environment
def test_applications_come_in_waves(deployed: Deployed) -> None:
    """An application comes only when all applications of earlier waves are healthy."""
    assert not deployed.early, "\n".join(deployed.early)


@every_environment
def test_objects_of_an_application_come_in_waves(deployed: Deployed) -> None:
    """Inside an application, too, no object is older than one of an earlier wave."""
    for name in {path.split("/")[2] for path in deployed.manifests(f"dist/{deployed.name}")}:
        created: dict[int, list[str]] = {}
        for manifest in deployed.manifests(f"dist/{deployed.name}/{name}").values():
            live = deployed.live(manifest)
            assert live
            wave = int(manifest["metadata"].get("annotations", {}).get(SYNC_WAVE, "0"))
            created.setdefault(wave, []).append(live["metadata"]["creationTimestamp"])
        waves = [times for _, times in sorted(created.items())]
        assert all(max(early) <= min(late) for early, late in pairwise(waves)), name


@disturbed_environments
def test_a_second_sync_finds_nothing_to_do(deployed: Deployed, judged: Judged) -> None:
    """Syncing once more all that is ours, which is all but the operators, changes no object."""
    before = deployed.versions()
    finished = {
        name: state.finished
        for name, state in deployed.argocd.applications().items()
        if name not in deployed.operators
    }
    time.sleep(1)  # times are in whole seconds
    deployed.argocd.command("app", "sync", *finished, "--async")
    deployed.argocd.wait(
        "every application is synced again",
        lambda states: all(
            states[name].settled and states[name].finished != before_that
            for name, before_that in finished.items()
        ),
        seconds=SECONDS,
    )
    after = deployed.versions()
    judged("Argo CD", deployed.name, 0)
    assert before.keys() == after.keys()
    assert not [reference for reference, version in after.items() if before[reference] != version]


@disturbed_environments
def test_drift_is_healed(deployed: Deployed, judged: Judged) -> None:
    """A field that somebody changed by hand, and an object that somebody deleted, are put back."""
    _, workload = deployed.workload()
    wanted = workload["spec"].get("replicas")
    by_hand = {
        **{key: workload[key] for key in ("apiVersion", "kind")},
        "metadata": {key: workload["metadata"][key] for key in ("name", "namespace")},
        "spec": {"replicas": DRIFTED},
    }
    account = next(
        each
        for each in deployed.manifests(f"dist/{deployed.name}").values()
        if each["kind"] == "ServiceAccount"
    )
    metadata = account["metadata"]
    deployed.cluster.server.apply([by_hand], field_manager="somebody", validate="Ignore")
    deployed.cluster.server.delete("v1", "ServiceAccount", metadata["name"], metadata["namespace"])

    def healed(_: Mapping[str, ApplicationState]) -> bool:
        live = deployed.live(workload)
        return (
            live is not None and live["spec"].get("replicas") == wanted and deployed.live(account) is not None
        )

    deployed.argocd.wait("the drift is healed", healed, seconds=SECONDS)
    deployed.settle()
    judged("Argo CD", deployed.name, 0)


@disturbed_environments
@pytest.mark.parametrize(
    ("breakage", "expected"),
    [("spec: [", "yaml"), ("replicas: many", "replicas")],
    ids=["not-yaml", "refused-by-the-api-server"],
)
def test_a_broken_commit_changes_nothing_and_says_why(
    deployed: Deployed, breakage: str, expected: str, judged: Judged
) -> None:
    """What runs stays as it is, the application names the fault, and the next good commit is taken."""
    path, workload = deployed.workload()
    before = deployed.live(workload)
    good = deployed.files[path]
    broken = {**workload, "spec": {**workload["spec"], "replicas": "many"}}
    text = yaml.safe_dump(broken) if breakage == "replicas: many" else f"{good}{breakage}\n"
    deployed.argocd.commit({path: text})
    name = f"{deployed.name}-{deployed.item.environment.active[-1].name}"
    deployed.argocd.wait(
        f"{name} says that {expected} is wrong",
        lambda states: expected in " ".join(states[name].messages).lower(),
        seconds=SECONDS,
    )
    live = deployed.live(workload)
    deployed.argocd.commit({path: good})
    deployed.settle()
    judged("Argo CD", deployed.name, 0)
    assert before
    assert live
    assert (live["metadata"]["uid"], live["spec"]) == (before["metadata"]["uid"], before["spec"])


@alone_environments
def test_a_deployment_that_changes_its_namespace_leaves_nothing_behind(
    deployed: Deployed, judged: Judged
) -> None:
    """Everything of it is gone from a namespace that nothing else uses, and is there in one that is new.

    The Namespace that nobody needs any more stays, and keeps no application from being Synced.
    """
    last = deployed.item.environment.active[-1]
    folder = f"dist/{deployed.name}/{last.name}"
    gone = list(deployed.manifests(folder).values())
    deployed.commit(with_last_deployment_in(deployed.item, "elsewhere"))
    deployed.argocd.wait(
        f"nothing of {last.name} is left in {last.namespace}",
        lambda _: not any(map(deployed.live, gone)),
        seconds=SECONDS,
    )
    deployed.settle()
    judged("Argo CD", deployed.name, 0)
    assert len(gone) == len(deployed.manifests(folder))
    assert all(map(deployed.live, deployed.manifests(folder).values()))


@disturbed_environments
def test_an_application_that_is_no_longer_rendered_is_pruned(deployed: Deployed, judged: Judged) -> None:
    """Without a deployment, its application and all its objects go; everything else stays as it is.

    A Namespace that nobody needs any more stays.
    """
    last = deployed.item.environment.active[-1].name
    name, rendered = f"{deployed.name}-{last}", f"dist/{deployed.name}"
    gone = deployed.manifests(f"{rendered}/{last}").values()
    before = _uids(deployed, rendered)
    deployed.commit(without_last_deployment(deployed.item))
    deployed.argocd.wait(
        f"{name} and its objects are gone",
        lambda states: name not in states and not any(map(deployed.live, gone)),
        seconds=SECONDS,
    )
    deployed.settle()
    after = _uids(deployed, rendered)
    judged("Argo CD", deployed.name, 0)
    assert after.items() <= before.items()


@alone_environments
def test_an_environment_is_taken_off_its_cluster(deployed: Deployed, judged: Judged) -> None:
    """In the way of docs/removing.md everything goes, operators too; Namespaces go once somebody confirms it."""
    namespaces = f"{deployed.name}-namespaces"
    objects = {
        each
        for state in deployed.argocd.applications().values()
        for each in state.objects
        if each.kind not in {"AppProject", "CustomResourceDefinition"}
    }
    deployed.argocd.take_off(deployed.name)
    deployed.argocd.wait(
        "only the Namespaces are left",
        lambda states: set(states) == {deployed.name, namespaces},
        seconds=SECONDS,
    )
    left = {each.kind for each in objects if deployed.argocd.has(each)}
    deployed.argocd.command("app", "confirm-deletion", namespaces)
    deployed.argocd.wait("every application is gone", lambda states: not states, seconds=SECONDS)
    judged("Argo CD", deployed.name, 0)
    assert left == {"Application", "Namespace"}
    assert not [each for each in objects if deployed.argocd.has(each)]


def _uids(deployed: Deployed, folder: str) -> dict[tuple[str, str, str], str | None]:
    """What tells each object of a folder from another of its name, by kind, namespace and name."""
    found = ((each, deployed.live(each)) for each in deployed.manifests(folder).values())
    return {
        (each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]): live["metadata"][
            "uid"
        ]
        if live
        else None
        for each, live in found
    }
