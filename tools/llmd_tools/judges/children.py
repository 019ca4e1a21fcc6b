"""What KServe's controller really makes of an LLMInferenceService, and what `KServeNames` says that it makes."""

from collections.abc import Iterator, Mapping
from typing import Any

from llmd_constructs.serving.kserve_names import KServeNames
from llmd_tools.judges.pods import LWS
from llmd_tools.judges.rehearsal import Rehearsal
from llmd_tools.judges.rendered import Manifest

_KINDS = (
    ("apps/v1", "Deployment"),
    (LWS, "LeaderWorkerSet"),
    ("v1", "Service"),
    ("v1", "Secret"),
    ("gateway.networking.k8s.io/v1", "HTTPRoute"),
    ("inference.networking.k8s.io/v1", "InferencePool"),
    ("inference.networking.x-k8s.io/v1alpha2", "InferencePool"),
)
"""Kinds of children that others have to know by name; accounts and roles are KServe's own affair."""


def made(rehearsal: Rehearsal, service: Manifest) -> Mapping[tuple[str, str], dict[str, Any]]:
    """The children of a service, by kind and name."""
    return {
        (kind, child["metadata"]["name"]): {"kind": kind, **child}
        for api_version, kind in _KINDS
        if rehearsal.cluster.server.serves(api_version, kind)
        for child in rehearsal.cluster.server.list(api_version, kind, service["metadata"]["namespace"])
        if _is_child(child, service)
    }


def _is_child(child: Mapping[str, Any], service: Manifest) -> bool:
    owners = child["metadata"].get("ownerReferences", [])
    return any(
        (each["kind"], each["name"]) == (service["kind"], service["metadata"]["name"]) for each in owners
    )


def predicted(service: Manifest) -> set[tuple[str, str]]:
    """Kinds and names of the children that a service has by our own reckoning."""
    return set(_predicted(service["spec"], KServeNames(service["metadata"]["name"])))


def _predicted(spec: Mapping[str, Any], names: KServeNames) -> Iterator[tuple[str, str]]:
    yield ("LeaderWorkerSet", names.workload_group) if "worker" in spec else ("Deployment", names.workload)
    if "prefill" in spec:
        yield "Deployment", names.prefill
    yield "Deployment", names.picker
    yield "Service", names.workload_service
    yield "Service", names.picker_service
    yield "Secret", names.certificate_secret
    yield "InferencePool", names.pool
    if not spec["router"]["route"]:
        yield "HTTPRoute", names.route


def pod_templates(workload: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The pod templates of a Deployment, or of both parts of a LeaderWorkerSet."""
    spec = workload["spec"]
    if workload["kind"] == "Deployment":
        yield spec["template"]
    else:
        group = spec["leaderWorkerTemplate"]
        yield group.get("leaderTemplate", group["workerTemplate"])
        yield group["workerTemplate"]


def main_container(pod: Mapping[str, Any]) -> Mapping[str, Any]:
    """The container that runs the engine or the picker."""
    return next(each for each in pod["spec"]["containers"] if each["name"] == "main")
