"""An environment that the real Argo CD looks after, from a local repository that holds what is rendered for it."""

import json
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from llmd_constructs.config.deployment import Deployment
from llmd_constructs.config.load import LoadedEnvironment
from llmd_constructs.config.platform import GitOps
from llmd_constructs.environment import brings_inference_pool
from llmd_constructs.synthesis import render, synthesize
from llmd_tools.argocd import ApplicationState, ArgoCd, ObjectReference
from llmd_tools.argocd.stand_ins import StandIn, brought, stand_in, without_objects
from llmd_tools.cluster import ControlPlane, Node
from llmd_tools.crds import crd_files
from llmd_tools.judges.nodes import nodes
from llmd_tools.judges.rendered import ROOT, Manifest
from llmd_tools.schemas import Loader, custom_resource_definitions

CRD = "CustomResourceDefinition"
WORKLOADS = frozenset({"Deployment", "LeaderWorkerSet", "LLMInferenceService"})
"""Kinds with `spec.replicas`."""
SECONDS = 600
"""How long to wait at most: a machine may have other things to do."""

_GKE_STAND_INS = ROOT / "tools/stand-ins/gke"
_POOLS = "inference.networking.k8s.io_inferencepools.yaml"


def source(application: Mapping[str, Any]) -> str:
    """Where an Application's objects come from, as text."""
    return json.dumps(application["spec"]["source"], sort_keys=True)


def with_repository(item: LoadedEnvironment, url: str) -> LoadedEnvironment:
    """The environment with another repository as its own."""
    gitops = item.environment.gitops
    repository = gitops.repository.model_copy(update={"url": url})
    return _changed(item, gitops=gitops.model_copy(update={"repository": repository}))


def without_last_deployment(item: LoadedEnvironment) -> LoadedEnvironment:
    """The environment without the last of its deployments, which is switched off if no other is left."""
    last, others = _last_and_others(item)
    if others:
        return _changed(item, deployments=others, gitops=_still_allowing(item, last.namespace))
    return _changed(item, deployments=(last.model_copy(update={"enabled": False}),))


def with_last_deployment_in(item: LoadedEnvironment, namespace: str) -> LoadedEnvironment:
    """The environment with the last of its deployments in another namespace."""
    last, others = _last_and_others(item)
    moved = last.model_copy(update={"namespace": namespace})
    return _changed(item, deployments=(*others, moved), gitops=_still_allowing(item, last.namespace))


def _last_and_others(item: LoadedEnvironment) -> tuple[Deployment, tuple[Deployment, ...]]:
    last = item.environment.active[-1]
    return last, tuple(each for each in item.environment.deployments if each is not last)


def _still_allowing(item: LoadedEnvironment, namespace: str) -> GitOps:
    """With the namespace that a deployment leaves (docs/removing.md)."""
    gitops = item.environment.gitops
    return gitops.model_copy(update={"namespaces": (*gitops.namespaces, namespace)})


def _changed(item: LoadedEnvironment, **fields: object) -> LoadedEnvironment:
    return replace(item, environment=item.environment.model_copy(update=fields))


def brought_by_gke(item: LoadedEnvironment) -> Iterator[Manifest]:
    """CRDs that are on any GKE cluster of that version."""
    has_pools = brings_inference_pool(item.environment.cluster.kubernetes)
    pools = [file for file in crd_files("inference-extension-1.5") if has_pools and file.name == _POOLS]
    sets = crd_files("gateway-api", "gke-gateway", "managed-prometheus")
    for file in (*sets, *pools, *_GKE_STAND_INS.glob("*.yaml")):
        yield from _definitions(file)


@cache
def _definitions(file: Path) -> tuple[Manifest, ...]:
    return tuple(custom_resource_definitions(file))


@dataclass
class Deployed:
    """An environment that Argo CD looks after.

    Attributes:
        item: The environment, with the local repository as its own.
        cluster: Where it runs.
        argocd: The Argo CD.
        files: What is committed, by path; stand-ins left out.
        synced: Environments that have synced the same before, by source of an operator's Application.
        operators: Applications whose source was replaced, with all objects of their stand-ins, by name.
        stand_ins: What was replaced, by name of the Application.
        early: Applications that came before one of an earlier wave was healthy.
        seconds: From its commit to Synced and Healthy.
    """

    item: LoadedEnvironment
    cluster: ControlPlane
    argocd: ArgoCd
    files: dict[str, str] = field(default_factory=dict[str, str])
    synced: Mapping[str, str] = field(default_factory=dict[str, str])
    operators: dict[str, Manifest] = field(default_factory=dict[str, Manifest])
    stand_ins: dict[str, StandIn] = field(default_factory=dict[str, StandIn])
    early: list[str] = field(default_factory=list[str])
    seconds: float = 0

    @property
    def simulated(self) -> tuple[str, ...]:
        """Kinds of its objects whose status no controller writes here."""
        kinds = {each["kind"] for each in self.manifests(f"dist/{self.name}").values()}
        return tuple(each for each in self.argocd.simulation.simulated if each in kinds)

    @property
    def name(self) -> str:
        """The environment's name, which is also that of its root application."""
        return self.item.name

    def manifests(self, folder: str) -> dict[str, Manifest]:
        """What is committed in a folder and those below it, by path."""
        return {
            path: yaml.load(text, Loader)  # noqa: S506  # a safe loader, in C
            for path, text in self.files.items()
            if path.startswith(f"{folder}/")
        }

    def applications(self) -> dict[str, Manifest]:
        """Every Application that is committed, the root included, by name."""
        manifests = self.manifests(f"argocd/{self.name}").values()
        return {each["metadata"]["name"]: each for each in manifests if each["kind"] == "Application"}

    def workload(self) -> tuple[str, Manifest]:
        """Path and manifest of a workload of the last deployment."""
        folder = self.manifests(f"dist/{self.name}/{self.item.environment.active[-1].name}")
        return next(each for each in folder.items() if each[1]["kind"] in WORKLOADS)

    def live(self, manifest: Mapping[str, Any]) -> Manifest | None:
        """The object of a manifest, as the cluster has it."""
        metadata = manifest["metadata"]
        names = (metadata["name"], metadata.get("namespace", ""))
        return self.cluster.server.get(manifest["apiVersion"], manifest["kind"], *names)

    def commit(self, item: LoadedEnvironment | None = None) -> None:
        """Commit what is rendered for the environment, or for another state of it, which it then has."""
        self.item = item or self.item
        new = dict(self._rendered(self.item))
        self.argocd.commit({**dict.fromkeys(self.files.keys() - new.keys()), **new})
        self.files = new

    def _rendered(self, item: LoadedEnvironment) -> Iterable[tuple[str, str]]:
        for path, text in render(synthesize([item])).items():
            manifest = yaml.load(text, Loader)  # noqa: S506  # a safe loader, in C
            if manifest["kind"] != "Application":
                if not path.startswith("argocd/settings/"):
                    yield path, text
                continue
            application, replaced = stand_in(manifest, self.argocd.repository)
            yield path, yaml.safe_dump(self._once(application, replaced) if replaced else application)

    def _once(self, application: Manifest, replaced: StandIn) -> Manifest:
        """The Application of an operator; without objects, if another environment has synced just the same."""
        self.operators[replaced.application] = application
        self.stand_ins[replaced.application] = replaced
        if (where := self.synced.get(source(application), self.name)) == self.name:
            return application
        instead = f"nothing, since {where} has synced it: {replaced.instead}"
        self.stand_ins[replaced.application] = replace(replaced, instead=instead)
        return without_objects(application, self.argocd.repository)

    def definitions(self) -> list[Manifest]:
        """The CRDs that GKE has, or operators bring, of kinds that the environment has, or that are simulated."""
        upstream = self.brought()
        kinds = {each["kind"] for each in (*upstream, *self.manifests(f"dist/{self.name}").values())}
        kinds |= self.argocd.simulation.kinds
        crds = (*brought_by_gke(self.item), *(each for each in upstream if each["kind"] == CRD))
        return [each for each in crds if each["spec"]["names"]["kind"] in kinds]

    def brought(self) -> list[Manifest]:
        """All objects that the environment's operators bring."""
        return [
            each
            for application in self.operators.values()
            for each in brought(application, self.argocd.repository)
        ]

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


class DeployedOneByOne:
    """Environments on one cluster, each in its turn, since several name the same namespaces and operators."""

    def __init__(self, items: Mapping[str, LoadedEnvironment], cluster: ControlPlane, argocd: ArgoCd) -> None:
        """Begin with none.

        Args:
            items: The environments by name.
            cluster: Where they run.
            argocd: A running Argo CD.
        """
        self._items = items
        self._cluster = cluster
        self._argocd = argocd
        self._defined: dict[str, Manifest] = {}
        self._synced: dict[str, str] = {}
        self._nodes: list[str] = []

    @contextmanager
    def deploy(self, name: str, *, crds_beforehand: bool) -> Generator[Deployed]:
        """Sync an environment from nothing, and take it away at the end.

        Operators of one version and with one configuration are synced with the first environment that has them.

        Args:
            name: Of the environment.
            crds_beforehand: Have the CRDs of operators there already, and Argo CD not look at any. Else Argo CD
                installs them.
        """
        item = with_repository(self._items[name], self._argocd.repository.url)
        environment = Deployed(item, self._cluster, self._argocd, synced=self._synced)
        begun = time.monotonic()
        self._argocd.rest()
        try:
            self._argocd.repository.branch(item.environment.gitops.repository.revision)
            environment.commit()
            self._define(environment, crds_beforehand=crds_beforehand)
            self._argocd.wait_until_clear()
            self._replace_nodes(nodes(item.environment.cluster))
            self._argocd.resume({"apiextensions.k8s.io": (CRD,)} if crds_beforehand else {})
            self._argocd.simulation.restart()
            environment.bootstrap()
            environment.seconds = time.monotonic() - begun
            for each in environment.operators.values():
                self._synced.setdefault(source(each), name)
            yield environment
        finally:
            self._argocd.rest()
            self._argocd.clear()

    def _replace_nodes(self, new: Iterable[Node]) -> None:
        """Not before the pods of the last environment are gone, which are ended with their nodes' help."""
        for name in self._nodes:
            self._cluster.server.delete("v1", "Node", name)
        wanted = list(new)
        self._cluster.create_nodes(wanted)
        self._nodes = [node.name for node in wanted]

    def _define(self, environment: Deployed, *, crds_beforehand: bool) -> None:
        """Install CRDs, in place of those that another environment has under the same name."""
        here = environment.definitions() if crds_beforehand else list(brought_by_gke(environment.item))
        to_come = [] if crds_beforehand else [each for each in environment.brought() if each["kind"] == CRD]
        new = {
            name: crd for name, crd in _by_name([*here, *to_come]).items() if self._defined.get(name) != crd
        }
        self._cluster.uninstall(new.keys() & self._defined.keys())
        self._cluster.install(crd for name, crd in _by_name(here).items() if name in new)
        self._defined |= new


def _by_name(crds: Iterable[Manifest]) -> dict[str, Manifest]:
    return {each["metadata"]["name"]: each for each in crds}
