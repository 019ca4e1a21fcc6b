"""The real Argo CD syncs every environment from a local git repository, and keeps it as it is.

What has no controller here has a simulated status, and what would come from the network has a stand-in; both are
named in the output.
"""

import time
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmd_constructs.application import SYNC_WAVE
from llmd_constructs.argocd.settings import settings
from llmd_constructs.config.load import LoadedEnvironment, load_environments
from llmd_constructs.environment import brings_inference_pool
from llmd_constructs.synthesis import render, synthesize
from llmd_tools.argocd import ApplicationState, ArgoCd, ObjectReference
from llmd_tools.argocd.stand_ins import StandIn, definitions, stand_in
from llmd_tools.cluster import ControlPlane, Node
from llmd_tools.crds import crd_files
from llmd_tools.judges.nodes import nodes
from llmd_tools.judges.plugin import Judged

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = sorted(path.stem for path in (ROOT / "environments").glob("*.yaml"))
CRDS_BY_ARGOCD = "llmd-istio-tpu-pattern1"
"""The environment with most operators. Elsewhere their CRDs are there beforehand, which saves three minutes each."""
CRDS = {"apiextensions.k8s.io": ("CustomResourceDefinition",)}
GKE_STAND_INS = ROOT / "tools/stand-ins/gke"
WORKLOADS = {"Deployment", "LeaderWorkerSet", "LLMInferenceService"}
"""Kinds with `spec.replicas`."""
GENERAL = {"cpu": "256", "memory": "2Ti", "ephemeral-storage": "8Ti"}
"""A node for the operators, which the rules on node pools do not count."""
DRIFTED = 7
"""Replicas that no environment asks for."""
SECONDS = 300
"""Long enough for a machine that has other things to do."""

pytestmark = pytest.mark.cluster


@dataclass
class Deployed:
    """An environment that Argo CD looks after.

    Attributes:
        item: The environment, with the local repository as its own.
        cluster: Where it runs.
        argocd: The Argo CD.
        files: What is committed, by path; stand-ins left out.
        stand_ins: Sources that were replaced.
        early: Applications that came before one of an earlier wave was healthy.
        seconds: From nothing to Synced and Healthy.
    """

    item: LoadedEnvironment
    cluster: ControlPlane
    argocd: ArgoCd
    files: dict[str, str] = field(default_factory=dict[str, str])
    stand_ins: list[StandIn] = field(default_factory=list[StandIn])
    early: list[str] = field(default_factory=list[str])
    seconds: float = 0

    @property
    def name(self) -> str:
        """The environment's name, which is also that of its root application."""
        return self.item.name

    def manifests(self, folder: str) -> dict[str, dict[str, Any]]:
        """What is committed in a folder and those below it, by path."""
        return {
            path: yaml.safe_load(text) for path, text in self.files.items() if path.startswith(f"{folder}/")
        }

    def applications(self) -> dict[str, dict[str, Any]]:
        """Every Application that is committed, the root included, by name."""
        manifests = self.manifests(f"argocd/{self.name}").values()
        return {each["metadata"]["name"]: each for each in manifests if each["kind"] == "Application"}

    def workload(self) -> tuple[str, dict[str, Any]]:
        """Path and manifest of a workload of the last deployment."""
        folder = self.manifests(f"dist/{self.name}/{self.item.environment.active[-1].name}")
        return next(each for each in folder.items() if each[1]["kind"] in WORKLOADS)

    def live(self, manifest: Mapping[str, Any]) -> dict[str, Any] | None:
        """The object of a manifest, as the cluster has it."""
        metadata = manifest["metadata"]
        names = (metadata["name"], metadata.get("namespace", ""))
        return self.cluster.server.get(manifest["apiVersion"], manifest["kind"], *names)

    def prepare(self) -> None:
        """Commit the environment, before Argo CD runs."""
        self.files = dict(self._rendered(self.item))
        self.argocd.repository.commit(self.files)

    def change(self, item: LoadedEnvironment) -> None:
        """Commit another state of the environment."""
        new = dict(self._rendered(item))
        self.argocd.commit({**dict.fromkeys(self.files.keys() - new.keys()), **new})
        self.files = new

    def _rendered(self, item: LoadedEnvironment) -> Iterable[tuple[str, str]]:
        for path, text in render(synthesize([item])).items():
            manifest = yaml.safe_load(text)
            if manifest["kind"] != "Application":
                if not path.startswith("argocd/settings/"):
                    yield path, text
                continue
            application, replaced = stand_in(manifest, self.argocd.repository)
            if replaced and replaced not in self.stand_ins:
                self.stand_ins.append(replaced)
            yield path, yaml.safe_dump(application)

    def bootstrap(self) -> None:
        """Apply project and root by hand, and wait for everything that follows."""
        by_hand = self.manifests(f"argocd/{self.name}")
        self.argocd.bootstrap(*(each for path, each in by_hand.items() if "/applications/" not in path))
        expected, seen = self.applications().keys(), set[str]()

        def done(states: Mapping[str, ApplicationState]) -> bool:
            for name in states.keys() - seen:
                seen.add(name)
                self.early += self._not_waited_for(states[name], states.values())
            return expected <= states.keys() and all(state.settled for state in states.values())

        self.argocd.wait(f"all of {self.name} is Synced and Healthy", done, seconds=SECONDS)

    def _not_waited_for(self, arrived: ApplicationState, states: Iterable[ApplicationState]) -> list[str]:
        """Applications of earlier waves that are not healthy. The root waits for the others, and so is not done."""
        return [
            f"{arrived.name} of wave {arrived.wave} came before {state}"
            for state in states
            if state.wave < arrived.wave and state.name != self.name and state.health != "Healthy"
        ]

    def settle(self) -> None:
        """Wait until every application that is committed is Synced and Healthy."""
        self.argocd.wait_until_settled(set(self.applications()), seconds=SECONDS)

    def versions(self) -> dict[ObjectReference, str]:
        """Resource version of every object of every application."""
        references = {each for state in self.argocd.applications().values() for each in state.objects}
        found = {
            each: self.cluster.server.get(each.api_version, each.kind, each.name, each.namespace)
            for each in references
            if each.kind != "Application"  # its status says when it was synced
        }
        return {each: live["metadata"]["resourceVersion"] for each, live in found.items() if live}


def _with_repository(item: LoadedEnvironment, url: str) -> LoadedEnvironment:
    gitops = item.environment.gitops
    repository = gitops.repository.model_copy(update={"url": url})
    return _changed(item, gitops=gitops.model_copy(update={"repository": repository}))


def _without_last_deployment(item: LoadedEnvironment) -> LoadedEnvironment:
    last, all_of_them = item.environment.active[-1], item.environment.deployments
    off = last.model_copy(update={"enabled": False})
    return _changed(item, deployments=tuple(off if each is last else each for each in all_of_them))


def _changed(item: LoadedEnvironment, **fields: object) -> LoadedEnvironment:
    return replace(item, environment=item.environment.model_copy(update=fields))


def _brought_by_gke(item: LoadedEnvironment) -> list[Path]:
    """CRDs that are on any GKE cluster of that version."""
    pools = "inference.networking.k8s.io_inferencepools.yaml"
    has_pools = brings_inference_pool(item.environment.cluster.kubernetes)
    return [
        *crd_files("gateway-api", "gke-gateway"),
        *(file for file in crd_files("inference-extension-1.5") if has_pools and file.name == pools),
        *GKE_STAND_INS.glob("*.yaml"),
    ]


def _brought_by_operators(deployed: Deployed) -> Path:
    """A file with the CRDs of what upstream applications install."""
    crds = [
        crd
        for application in deployed.applications().values()
        if application["spec"]["source"].get("path", "").startswith("upstream/")
        for crd in definitions(application, deployed.argocd.repository)
    ]
    file = deployed.cluster.folder / "crds.yaml"
    file.write_text(yaml.safe_dump_all(crds))
    return file


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.xdist_group(f"argocd-{name}")) for name in ENVIRONMENTS],
)
def deployed(request: pytest.FixtureRequest) -> Generator[Deployed]:
    """An environment, synced from nothing by an Argo CD of its own."""
    begun = time.monotonic()
    item = next(each for each in load_environments(ROOT) if each.name == request.param)
    by_argocd = item.name == CRDS_BY_ARGOCD
    cm = settings(item.environment.gitops.namespace)
    with ControlPlane() as cluster:
        argocd = ArgoCd(cluster, cm, left_out={} if by_argocd else CRDS)
        environment = Deployed(_with_repository(item, argocd.repository.url), cluster, argocd)
        environment.prepare()
        operators = [] if by_argocd else [_brought_by_operators(environment)]
        cluster.install_crds([*_brought_by_gke(item), *operators])
        cluster.create_nodes([Node("general", capacity=GENERAL), *nodes(item.environment.cluster)])
        with argocd:
            environment.bootstrap()
            environment.seconds = time.monotonic() - begun
            yield environment


def _notes(deployed: Deployed) -> tuple[str, ...]:
    """What was not as it would be on GKE."""
    crds = () if deployed.name == CRDS_BY_ARGOCD else ("CRDs of operators were there before Argo CD",)
    return (
        *crds,
        f"pods are simulated, and the status of {', '.join(deployed.argocd.simulation.simulated)}",
        *(f"in place of {each.wanted}: {each.instead}" for each in deployed.stand_ins),
    )


def test_every_application_is_synced_and_healthy(deployed: Deployed, judged: Judged) -> None:
    """The root application brings every application, and each comes to be Synced and Healthy."""
    states = deployed.argocd.applications()
    objects = sum(len(state.objects) for state in states.values())
    judged("Argo CD", deployed.name, objects, _notes(deployed), seconds=deployed.seconds)
    assert states.keys() == deployed.applications().keys()
    assert not [str(state) for state in states.values() if not state.settled]


def test_applications_come_in_waves(deployed: Deployed) -> None:
    """An application comes only when all applications of earlier waves are healthy."""
    assert not deployed.early, "\n".join(deployed.early)


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


def test_a_second_sync_finds_nothing_to_do(deployed: Deployed) -> None:
    """Syncing everything once more changes no object."""
    before = deployed.versions()
    finished = {name: state.finished for name, state in deployed.argocd.applications().items()}
    time.sleep(1)  # times are in whole seconds
    for name in finished:
        deployed.argocd.command("app", "sync", name, "--async")
    deployed.argocd.wait(
        "every application is synced again",
        lambda states: all(
            state.settled and state.finished != finished[name] for name, state in states.items()
        ),
        seconds=SECONDS,
    )
    after = deployed.versions()
    assert before.keys() == after.keys()
    assert not [reference for reference, version in after.items() if before[reference] != version]


def test_drift_is_healed(deployed: Deployed) -> None:
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


@pytest.mark.parametrize(
    ("breakage", "expected"),
    [("spec: [", "yaml"), ("replicas: many", "replicas")],
    ids=["not-yaml", "refused-by-the-api-server"],
)
def test_a_broken_commit_changes_nothing_and_says_why(
    deployed: Deployed, breakage: str, expected: str
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
    assert before
    assert live
    assert (live["metadata"]["uid"], live["spec"]) == (before["metadata"]["uid"], before["spec"])


def test_an_application_that_is_no_longer_rendered_is_pruned(deployed: Deployed) -> None:
    """Without a deployment, its application and all its objects go; everything else stays as it is.

    A Namespace that nobody needs any more stays until somebody confirms that it may go.
    """
    last = deployed.item.environment.active[-1].name
    name, rendered = f"{deployed.name}-{last}", f"dist/{deployed.name}"
    gone = deployed.manifests(f"{rendered}/{last}").values()
    before = {path: _uid(deployed.live(each)) for path, each in deployed.manifests(rendered).items()}
    deployed.change(_without_last_deployment(deployed.item))
    deployed.argocd.wait(
        f"{name} and its objects are gone",
        lambda states: name not in states and not any(map(deployed.live, gone)),
        seconds=SECONDS,
    )
    deployed.argocd.wait_until_settled(
        deployed.applications().keys() - {f"{deployed.name}-namespaces"}, seconds=SECONDS
    )
    after = {path: _uid(deployed.live(each)) for path, each in deployed.manifests(rendered).items()}
    assert after.items() <= before.items()


def _uid(live: Mapping[str, Any] | None) -> str | None:
    return live["metadata"]["uid"] if live else None
