"""One environment on a running stack: its nodes, everything that is rendered for it, and what KServe makes of it."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmd_tools.cluster import ControlPlane, Verdict, wait_until
from llmd_tools.errors import ToolError
from llmd_tools.judges.nodes import nodes
from llmd_tools.judges.pods import LWS, group_pods, is_placed, wanted, why_pending
from llmd_tools.judges.pool_stages import write_pool_stages
from llmd_tools.judges.rendered import Manifest, Rendered
from llmd_tools.judges.stack import Stack

_STAGES = Path(__file__).parents[2] / "stages"
LLM_INFERENCE_SERVICE = "LLMInferenceService"
_KEPT = frozenset({"default", "kserve", "kube-system"})
"""Namespaces that outlive an environment."""
_SECONDS = 180
_PODS_SECONDS = 30


@dataclass
class Rehearsal:
    """An environment that has been applied.

    Attributes:
        rendered: The environment.
        stack: Where it was applied.
        verdicts: The API server's verdict on each file.
        seconds_to_apply: How long the API server took for all files.
        seconds_to_reconcile: How long KServe took for all models.
        groups: The API server's verdict on each pod of a LeaderWorkerSet, whose controller is no part of this.
        late: What was still awaited from KServe when the time was over; empty if all is there.
    """

    rendered: Rendered
    stack: Stack
    verdicts: Mapping[Path, Verdict] = field(default_factory=dict[Path, Verdict])
    seconds_to_apply: float = 0
    seconds_to_reconcile: float = 0
    groups: list[Verdict] = field(default_factory=list[Verdict])
    late: str = ""

    @property
    def cluster(self) -> ControlPlane:
        """The control plane."""
        return self.stack.cluster

    @property
    def services(self) -> list[Manifest]:
        """The environment's LLMInferenceServices, as rendered."""
        return self.rendered.of_kind(LLM_INFERENCE_SERVICE)

    @property
    def namespaces(self) -> list[str]:
        """The environment's own namespaces."""
        return [each["metadata"]["name"] for each in self.rendered.of_kind("Namespace")]

    @property
    def workloads(self) -> list[dict[str, Any]]:
        """Everything that asks for pods, KServe's included."""
        groups = (
            self.found(LWS, "LeaderWorkerSet") if self.cluster.server.serves(LWS, "LeaderWorkerSet") else []
        )
        return [*self.found("apps/v1", "Deployment"), *groups]

    @property
    def wanted_pods(self) -> int:
        """How many pods the workloads ask for."""
        return sum(map(wanted, self.workloads))

    @property
    def pods(self) -> list[dict[str, Any]]:
        """Every pod of the environment."""
        return self.found("v1", "Pod")

    def live(self, manifest: Manifest) -> dict[str, Any]:
        """An object as the server has it now."""
        metadata = manifest["metadata"]
        found = self.cluster.server.get(
            manifest["apiVersion"], manifest["kind"], metadata["name"], metadata.get("namespace", "")
        )
        return found or {}

    def found(self, api_version: str, kind: str) -> list[dict[str, Any]]:
        """The objects of a kind in the environment's own namespaces."""
        mine = set(self.namespaces)
        return [
            {"apiVersion": api_version, "kind": kind, **each}  # which a list leaves out
            for each in self.cluster.server.list(api_version, kind)
            if each["metadata"].get("namespace") in mine
        ]


def rehearse(rendered: Rendered, stack: Stack) -> Rehearsal:
    """Apply an environment, and wait for KServe; the next one takes all of it away again."""
    stack.clear()
    rehearsal = Rehearsal(rendered, stack)
    stack.clear = lambda: _clean(rehearsal)
    cluster = stack.cluster
    for gateway in rendered.of_kind("Gateway"):
        metadata = gateway["metadata"]
        pools = write_pool_stages(cluster, metadata["namespace"], metadata["name"])
        cluster.simulate(_STAGES / "gateway.yaml", *pools)
    cluster.create_nodes(nodes(rendered.plan.environment.cluster))
    _accept(cluster, [*_given(rendered), *rendered.of_kind("Namespace"), *_secrets(rendered)])
    begun = time.monotonic()
    verdicts = cluster.apply(rendered.objects.values())
    rehearsal.verdicts = dict(zip(rendered.objects, verdicts, strict=True))
    applied = time.monotonic()
    rehearsal.seconds_to_apply = applied - begun
    if stack.has_kserve:
        _await_kserve(rehearsal)
        rehearsal.seconds_to_reconcile = time.monotonic() - applied
    _scale_to_most(rehearsal)
    for workload in rehearsal.workloads:
        if workload["kind"] == "LeaderWorkerSet":
            rehearsal.groups += cluster.apply(group_pods(workload))
    _await_scheduler(rehearsal)
    return rehearsal


def _accept(cluster: ControlPlane, objects: list[dict[str, Any]]) -> None:
    if refused := [str(each) for each in cluster.apply(objects) if not each.accepted]:
        raise ToolError("\n".join(refused))


def _given(rendered: Rendered) -> Iterator[Manifest]:
    """What is there before an environment is: Argo CD's namespace, and the classes of GKE or of istiod."""
    argocd = rendered.plan.environment.gitops.namespace
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": argocd}}
    for gateway in rendered.of_kind("Gateway"):
        yield {
            "apiVersion": gateway["apiVersion"],
            "kind": "GatewayClass",
            "metadata": {"name": gateway["spec"]["gatewayClassName"]},
            "spec": {"controllerName": "simulated.example/gateway"},
        }


def _secrets(rendered: Rendered) -> Iterator[Manifest]:
    """What External Secrets, or the runbook, puts beside every account that names it."""
    key = rendered.plan.environment.platform.secrets.hugging_face_token.key
    for account in rendered.of_kind("ServiceAccount"):
        for secret in account.get("secrets", []):
            metadata = {"name": secret["name"], "namespace": account["metadata"]["namespace"]}
            yield {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": metadata,
                "stringData": {key: "stand-in"},
            }


def _await_kserve(rehearsal: Rehearsal) -> None:
    """Wait until every LLMInferenceService is ready, or has its group of pods, which nobody runs here."""

    def done() -> bool:
        return all(_is_done(rehearsal.live(service)) for service in rehearsal.services)

    cluster = rehearsal.cluster
    try:
        wait_until("KServe has reconciled every model", done, programs=cluster.programs, seconds=_SECONDS)
    except ToolError as error:
        rehearsal.late = "\n".join([str(error), *map(_state, map(rehearsal.live, rehearsal.services))])


def _scale_to_most(rehearsal: Rehearsal) -> None:
    """What autoscalers do under full load: there are no metrics here, and nodes have to be enough for all replicas."""
    for scaler in rehearsal.rendered.of_kind("HorizontalPodAutoscaler"):
        target, namespace = scaler["spec"]["scaleTargetRef"], scaler["metadata"]["namespace"]
        replicas = {"spec": {"replicas": scaler["spec"]["maxReplicas"]}}
        rehearsal.cluster.server.patch(
            target["apiVersion"], target["kind"], target["name"], namespace, replicas
        )


def _await_scheduler(rehearsal: Rehearsal) -> None:
    """Wait until every pod that a workload asks for is there, and has a node or the scheduler's reason for none."""

    def done() -> bool:
        pods = rehearsal.pods
        return len(pods) >= rehearsal.wanted_pods and all(is_placed(pod) or why_pending(pod) for pod in pods)

    with suppress(ToolError):  # the test says what is missing, and why
        wait_until("every pod is judged", done, programs=rehearsal.cluster.programs, seconds=_PODS_SECONDS)


def conditions(live: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """An object's conditions by type."""
    return {each["type"]: each for each in live.get("status", {}).get("conditions", [])}


def _is_done(live: Mapping[str, Any]) -> bool:
    known = conditions(live)
    if known.get("Ready", {}).get("status") == "True":
        return True
    routed = all(known.get(each, {}).get("status") == "True" for each in ("RouterReady", "PresetsCombined"))
    return "worker" in live.get("spec", {}) and routed


def _state(live: Mapping[str, Any]) -> str:
    told = [
        f"  {each['type']}: {each['status']} {each.get('reason', '')} {each.get('message', '')}".rstrip()
        for each in conditions(live).values()
    ]
    return "\n".join([live.get("metadata", {}).get("name", "?"), *told])


def _clean(rehearsal: Rehearsal) -> None:
    """Delete everything; KServe's finalizers first, while its accounts and gateways are there."""
    cluster, server = rehearsal.cluster, rehearsal.cluster.server
    for manifest in rehearsal.services:
        metadata = manifest["metadata"]
        server.delete(manifest["apiVersion"], LLM_INFERENCE_SERVICE, metadata["name"], metadata["namespace"])
    _wait(cluster, "KServe lets go of its models", lambda: not any(map(rehearsal.live, rehearsal.services)))
    # Before the namespaces: one that still has pods is looked at again only after a part of their grace period.
    for each in (*rehearsal.workloads, *rehearsal.pods):
        metadata = each["metadata"]
        server.delete(each["apiVersion"], each["kind"], metadata["name"], metadata["namespace"])
    _wait(cluster, "its pods are gone", lambda: not rehearsal.pods)
    for manifest in reversed(list(rehearsal.rendered.objects.values())):
        metadata = manifest["metadata"]
        keep = manifest["kind"] == "Namespace" and metadata["name"] in _KEPT
        if not keep and metadata.get("namespace") not in rehearsal.namespaces:
            with suppress(ToolError):  # a kind that is not served was never there
                server.delete(
                    manifest["apiVersion"], manifest["kind"], metadata["name"], metadata.get("namespace", "")
                )
    mine = set(rehearsal.namespaces) - _KEPT
    _wait(
        cluster,
        "the namespaces are gone",
        lambda: not mine & {each["metadata"]["name"] for each in server.list("v1", "Namespace")},
    )
    # Last, because kwok ends a pod only while its node is there.
    for each in nodes(rehearsal.rendered.plan.environment.cluster):
        server.delete("v1", "Node", each.name)


def _wait(cluster: ControlPlane, what: str, done: Callable[[], bool]) -> None:
    wait_until(what, done, programs=cluster.programs, seconds=_SECONDS)
