"""OpenDataHub's KServe in the box: no registry has it, and the nearest release of upstream's stands in for it.

That one makes the same children under the same names, pools of both APIs among them, and puts certificates into the
same folder. What OpenDataHub adds is added here: a gateway of Istio's speaks TLS to what KServe makes, and the picker
asks model servers for their metrics by HTTPS.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from llmd_tools.cluster import ControlPlane
from llmd_tools.judges import kserve
from llmd_tools.judges.rendered import Rendered

RELEASE = "0.17"
"""Of upstream's: the first with both pools, and with the picker release that OpenDataHub's 0.15 starts."""

_DISTRIBUTION = "odh"
_SERVICE = "LLMInferenceService"
_MAKERS = frozenset({_SERVICE, "InferencePool"})
"""Owners of Services that a gateway sends requests to: KServe makes the one, Istio makes one for each pool."""
_RULES = ("networking.istio.io/v1", "DestinationRule")
_PRESET = "kserve-config-llm-scheduler"
_PICKER_ARGUMENTS = "/spec/router/scheduler/template/containers/0/args/-"
_BY_HTTPS = ("--model-server-metrics-scheme=https", "--model-server-metrics-https-insecure-skip-verify")


def is_wanted(environment: Rendered) -> bool:
    """Whether an environment names a release of OpenDataHub's."""
    return (environment.plan.environment.platform.kserve or "").startswith(_DISTRIBUTION)


def stand_in(environment: Rendered) -> Rendered:
    """The environment's files with the release of upstream's; an environment without OpenDataHub's as it is."""
    if not is_wanted(environment):
        return environment
    plan = environment.plan
    platform = plan.environment.platform.model_copy(update={"kserve": RELEASE})
    return replace(
        environment,
        plan=replace(plan, environment=plan.environment.model_copy(update={"platform": platform})),
    )


def ask_by_https(cluster: ControlPlane, environment: Rendered) -> None:
    """Let pickers that KServe starts ask for metrics as OpenDataHub's do, where model servers serve TLS.

    Args:
        cluster: Where KServe's controller runs.
        environment: What is going to be applied.

    Raises:
        ToolError: If the preset is not what it was.
    """
    if is_wanted(environment) and any(map(_serves_tls, environment.of_kind(_SERVICE))):
        patch = [{"op": "add", "path": _PICKER_ARGUMENTS, "value": flag} for flag in _BY_HTTPS]
        cluster.kubectl(
            *("-n", kserve.NAMESPACE, "patch", "llminferenceserviceconfig", _PRESET),
            *("--type=json", "--patch", json.dumps(patch)),
        )


def _serves_tls(service: Mapping[str, Any]) -> bool:
    return "--ssl-certfile" in json.dumps(service["spec"])


class DestinationRules:
    """Has Istio's gateways speak TLS to every Service of a model, as OpenDataHub's controller does."""

    def __init__(self, cluster: ControlPlane) -> None:
        """Begin without any.

        Args:
            cluster: Where.
        """
        self._cluster = cluster
        self._made: set[str] = set()

    def advance(self) -> None:
        """Do what can be done by now."""
        if self._cluster.server.serves(*_RULES):
            services = list(self._new())
            self._cluster.apply(map(_rule, services), field_manager="opendatahub")
            self._made |= {each["metadata"]["uid"] for each in services}

    def _new(self) -> Iterator[Mapping[str, Any]]:
        for service in self._cluster.server.list("v1", "Service"):
            owners = {each["kind"] for each in service["metadata"].get("ownerReferences", [])}
            if owners & _MAKERS and service["metadata"]["uid"] not in self._made:
                yield service


def _rule(service: Mapping[str, Any]) -> dict[str, Any]:
    """TLS to a Service, whose certificate nobody checks: here KServe has signed it itself."""
    metadata = service["metadata"]
    name, namespace = metadata["name"], metadata["namespace"]
    owner = {"apiVersion": "v1", "kind": "Service", "name": name, "uid": metadata["uid"]}
    return {
        "apiVersion": _RULES[0],
        "kind": _RULES[1],
        "metadata": {"name": name, "namespace": namespace, "ownerReferences": [owner]},
        "spec": {
            "host": f"{name}.{namespace}.svc.cluster.local",
            "trafficPolicy": {"tls": {"mode": "SIMPLE", "insecureSkipVerify": True}},
        },
    }
