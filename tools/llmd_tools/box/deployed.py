"""An environment in the box without Argo CD: its committed files are applied as they are."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from llmd_tools import progress
from llmd_tools.box import istio, opendatahub, programs, stand_ins
from llmd_tools.box.box import Box
from llmd_tools.box.client import Client
from llmd_tools.box.demo_autoscalers import Autoscalers
from llmd_tools.box.demo_chats import chats
from llmd_tools.box.demo_groups import PodGroups
from llmd_tools.box.demo_operators import Operators
from llmd_tools.box.gateway_stand_in import GatewayStandIn
from llmd_tools.box.scenarios.world import World
from llmd_tools.build import build
from llmd_tools.cluster import ControlPlane, Outcome, Verdict, wait_until
from llmd_tools.crds import crd_files
from llmd_tools.errors import ToolError
from llmd_tools.groups import group
from llmd_tools.judges import kserve
from llmd_tools.judges.crd_sets import kserve_set
from llmd_tools.judges.nodes import nodes
from llmd_tools.judges.rendered import Manifest, Rendered
from llmd_tools.judges.stack import crd_files_of, default_gateway

_STAND_INS = Path(__file__).parents[2] / "stand-ins" / "gke"
_STAND_IN_ADDRESS = "10.97.255.254"
"""Of the range for load balancers, where no Service's own address leads to."""
_ARGO_CD = "argoproj.io/"
_FORMER_POOLS = "inference-extension-0.5"
_GATEWAYS = "gateway.networking.k8s.io/v1"
_KSERVE, _SERVICE = "serving.kserve.io/v1alpha1", "LLMInferenceService"
_SECONDS = 600


@contextmanager
def deployed(environment: Rendered) -> Generator[World]:
    """An environment from the first object to pods that are ready; KServe's are its controller's own.

    A gateway of GKE's has a stand-in (see `gateway_stand_in`), every other is Istio's.

    Args:
        environment: Which.

    Raises:
        ToolError: If a tool cannot be had, the machine gives no private network, an object is refused, or a pod
            does not get ready within ten minutes.
    """
    for name in programs.GROUPS:  # before the network is private: a build may have to download
        build(group(name))
    [gateway] = environment.of_kind("Gateway")
    with ExitStack() as stack:
        box = stack.enter_context(Box(nodes(environment.plan.environment.cluster)))
        for line in stand_ins.notes(environment):
            progress.say(line)
        _install(box.cluster, environment)
        if not environment.of_kind("Istio"):
            stack.enter_context(GatewayStandIn(box.cluster, gateway, _STAND_IN_ADDRESS))
        _wait(box.cluster, environment, gateway)
        address, port = gateway_address(box.cluster, gateway)
        client = stack.enter_context(Client(box.reach(address, port)))
        _wait_for_answers(box.cluster, client, environment)
        yield World(box.cluster, client, box.reach, box.crash, box.log)


def _install(cluster: ControlPlane, environment: Rendered) -> None:
    runs = opendatahub.stand_in(environment)
    stand_ins.let_picker_read(cluster, environment)
    cluster.install_crds([*crd_files_of([runs]), *_STAND_INS.glob("*.yaml")])
    for control_plane in environment.of_kind("Istio"):
        istio.install(cluster, control_plane)
    if release := kserve_set(runs.plan):
        cluster.install_crds(crd_files(_FORMER_POOLS))  # its routing sidecar watches them in every release
        kserve.start(cluster, release, default_gateway([environment]))
        opendatahub.ask_by_https(cluster, environment)
    _accept(cluster.apply([*environment.of_kind("Namespace"), *_secrets(environment)]))
    ours = [each for each in environment.objects.values() if not each["apiVersion"].startswith(_ARGO_CD)]
    _accept(cluster.apply(ours))  # an operator's kinds are unknown here, and done without


def _secrets(environment: Rendered) -> Iterator[Manifest]:
    """A token for Hugging Face in every namespace, as a store or the runbook puts it there; nothing is downloaded."""
    token = environment.plan.environment.platform.secrets.hugging_face_token
    for namespace in environment.of_kind("Namespace"):
        metadata = {"name": token.name, "namespace": namespace["metadata"]["name"]}
        yield {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {token.key: "none"}}


def _accept(verdicts: Iterable[Verdict]) -> None:
    if refused := [str(each) for each in verdicts if each.outcome is Outcome.REFUSED]:
        raise ToolError("\n".join(refused))


def _wait(cluster: ControlPlane, environment: Rendered, gateway: Manifest) -> None:
    """Wait until the gateway has an address, and all pods are ready, with what controllers do that are not here."""
    rules = [opendatahub.DestinationRules(cluster)] if opendatahub.is_wanted(environment) else []
    controllers = [Operators(cluster, by_hand=()), PodGroups(cluster), Autoscalers(cluster), *rules]

    def done() -> bool:
        for each in controllers:
            each.advance()
        return bool(_addresses(cluster, gateway)) and not unready(cluster) and not unavailable(cluster)

    wait_until(
        "the gateway has an address, and every model and Deployment is there",
        done,
        programs=cluster.programs,
        seconds=_SECONDS,
    )


def _wait_for_answers(cluster: ControlPlane, gateway: Client, environment: Rendered) -> None:
    """Wait until the gateway has been told of every model: its pod is ready before that."""
    wanted = chats(list(environment.objects.values()))
    wait_until(
        "the gateway leads to every model",
        lambda: all(gateway.at(each.path).chat(each.model, "hello").good for each in wanted),
        programs=cluster.programs,
        seconds=_SECONDS,
    )


def unready(cluster: ControlPlane) -> list[str]:
    """The LLMInferenceServices that are not ready, with KServe's reasons; none where there is no KServe."""
    if not cluster.server.serves(_KSERVE, _SERVICE):
        return []
    found: list[str] = []
    for service in cluster.server.list(_KSERVE, _SERVICE):
        conditions = service.get("status", {}).get("conditions", [])
        ready = any((each["type"], each["status"]) == ("Ready", "True") for each in conditions)
        if not ready:
            reasons = [each.get("message", "") for each in conditions if each["status"] == "False"]
            found.append(": ".join([service["metadata"]["name"], *filter(None, reasons)]))
    return found


def unavailable(cluster: ControlPlane) -> list[str]:
    """The Deployments that have fewer available pods than they ask for, with both numbers."""
    found: list[str] = []
    for deployment in cluster.server.list("apps/v1", "Deployment"):
        available, wanted = deployment["status"].get("availableReplicas", 0), deployment["spec"]["replicas"]
        if available < wanted:
            metadata = deployment["metadata"]
            found.append(f"{metadata['namespace']}/{metadata['name']} {available}/{wanted}")
    return found


def gateway_address(cluster: ControlPlane, gateway: Manifest) -> tuple[str, int]:
    """Where a Gateway listens, in the cluster's network: its address, and its first listener's port.

    Raises:
        ToolError: If it has no address yet.
    """
    addresses = _addresses(cluster, gateway)
    if not addresses:
        raise ToolError(f"Gateway {gateway['metadata']['name']} has no address")
    return addresses[0]["value"], gateway["spec"]["listeners"][0]["port"]


def _addresses(cluster: ControlPlane, gateway: Manifest) -> list[dict[str, Any]]:
    metadata = gateway["metadata"]
    live = cluster.server.get(_GATEWAYS, "Gateway", metadata["name"], metadata["namespace"]) or {}
    return live.get("status", {}).get("addresses", [])
