"""A box with Argo CD in it, which reads one environment from the checkout."""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml

from llmd_constructs.argocd.settings import settings
from llmd_constructs.catalogue import kserve_release
from llmd_tools.argocd import ArgoCd
from llmd_tools.box import opendatahub, stand_ins
from llmd_tools.box.box import Box
from llmd_tools.box.demo_autoscalers import Autoscalers
from llmd_tools.box.demo_chats import Chat, chats
from llmd_tools.box.demo_checkout import Checkout
from llmd_tools.box.demo_gke import GkeGateway
from llmd_tools.box.demo_groups import PodGroups
from llmd_tools.box.demo_operators import Operators
from llmd_tools.box.demo_state import State
from llmd_tools.cluster import ControlPlane
from llmd_tools.crds import crd_files
from llmd_tools.judges import kserve
from llmd_tools.judges.crd_sets import crd_sets, kserve_set
from llmd_tools.judges.rendered import Rendered

_STAND_INS = Path(__file__).parents[2] / "stand-ins"
_ISTIO = "Istio"
_CRDS = {"apiextensions.k8s.io": ("CustomResourceDefinition",)}
"""Are there beforehand: Argo CD takes minutes over so many."""
_PORT = 8080
"""Where the gateway is on this machine, if nobody else is there."""
_PICKER, _PICKER_METRICS = ("-epp", "-epp-service"), 9090
"""How the Services of endpoint pickers are called by llm-d and by KServe, and where their metrics are."""


class Controller(Protocol):
    """Stands in for a controller that does not run here."""

    def advance(self) -> None:
        """Do what can be done by now."""
        ...


@dataclass(frozen=True)
class Running:
    """An environment that Argo CD brings up.

    Attributes:
        box: Where it runs.
        environment: The environment.
        argocd: The Argo CD.
        checkout: What it reads.
        controllers: What stands in for controllers that do not run here.
    """

    box: Box
    environment: Rendered
    argocd: ArgoCd
    checkout: Checkout
    controllers: tuple[Controller, ...]

    @property
    def cluster(self) -> ControlPlane:
        """The control plane."""
        return self.box.cluster

    def advance(self) -> None:
        """Do what controllers do that are stood in for.

        Raises:
            ToolError: If a program has ended.
        """
        self.cluster.programs.check()
        for each in self.controllers:
            each.advance()

    def state(self) -> State:
        """How everything stands."""
        applications = self.argocd.applications().values()
        return State.of(applications, self.cluster.server.list("v1", "Pod"), self._gateway_address())

    @property
    def chats(self) -> list[Chat]:
        """The models that can be talked to."""
        return chats(list(self.environment.objects.values()))

    def gateway_url(self) -> str:
        """Where the gateway is on this machine."""
        [gateway] = self.environment.of_kind("Gateway")
        port = gateway["spec"]["listeners"][0]["port"]
        return self.box.reach(self._gateway_address(), port, preferably=_PORT)

    def pickers(self) -> Mapping[str, str]:
        """Where the metrics of each endpoint picker are on this machine, by namespace and name of its Service."""
        return {
            f"{each['metadata']['namespace']}/{each['metadata']['name']}": self.box.reach(
                each["spec"]["clusterIP"], _PICKER_METRICS
            )
            for each in self.cluster.server.list("v1", "Service")
            if each["metadata"]["name"].endswith(_PICKER)
        }

    def _gateway_address(self) -> str:
        """The gateway's address in the cluster; empty before it has one."""
        [gateway] = self.environment.of_kind("Gateway")
        metadata = gateway["metadata"]
        place = (gateway["apiVersion"], "Gateway", metadata["name"], metadata["namespace"])
        addresses = (self.cluster.server.get(*place) or {}).get("status", {}).get("addresses", [])
        return addresses[0]["value"] if addresses else ""


@contextmanager
def running(box: Box, environment: Rendered, tell: Callable[[str], None]) -> Generator[Running]:
    """Install what a cluster has before Argo CD, then Argo CD itself, and let it begin.

    Args:
        box: Where.
        environment: What Argo CD is to bring up.
        tell: Is told what happens.
    """
    cluster, gitops = box.cluster, environment.plan.environment.gitops
    argocd = ArgoCd(cluster, settings(gitops.namespace), left_out=_CRDS)
    checkout = Checkout(environment, argocd.repository)
    argocd.repository.commit(checkout.changes())
    tell("installing the CRDs that are there before the environment is")
    stand_ins.let_picker_read(cluster, environment)
    _install_crds(cluster, opendatahub.stand_in(environment), checkout)
    if release := environment.plan.environment.platform.kserve:
        runs = kserve_set(opendatahub.stand_in(environment).plan) or ""
        tell("starting KServe's own controller")
        kserve.start(cluster, runs, kserve_release(release).default_gateway)
        opendatahub.ask_by_https(cluster, environment)
    tell("starting Argo CD")
    with ExitStack() as closing, argocd:
        argocd.bootstrap(*checkout.by_hand())
        yield Running(box, environment, argocd, checkout, tuple(_controllers(cluster, environment, closing)))


def _controllers(cluster: ControlPlane, environment: Rendered, closing: ExitStack) -> Iterator[Controller]:
    yield Operators(cluster, _tokens(environment))
    yield PodGroups(cluster)
    yield Autoscalers(cluster)
    if opendatahub.is_wanted(environment):
        yield opendatahub.DestinationRules(cluster)
    if not environment.of_kind(_ISTIO):
        [gateway] = environment.of_kind("Gateway")
        yield GkeGateway(cluster, gateway, closing)


def _tokens(environment: Rendered) -> Iterator[dict[str, Any]]:
    """A token for Hugging Face in every namespace, as a store or the runbook puts it there; nothing is downloaded."""
    token = environment.plan.environment.platform.secrets.hugging_face_token
    for namespace in environment.of_kind("Namespace"):
        metadata = {"name": token.name, "namespace": namespace["metadata"]["name"]}
        yield {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata,
            "stringData": {token.key: "made-up"},
        }


def _install_crds(cluster: ControlPlane, environment: Rendered, checkout: Checkout) -> None:
    """Install what GKE brings, what operators bring that do not run here, and what the environment brings itself."""
    versions = {each["apiVersion"] for each in environment.objects.values()}
    own = cluster.folder / "crds.yaml"
    own.write_text(yaml.safe_dump_all(checkout.crds()))
    files = crd_files(*crd_sets(environment.plan, versions))
    cluster.install_crds([*files, *_STAND_INS.glob("*/*.yaml"), own])
