"""What autoscalers do where nobody measures load: their targets have the least replicas."""

import json
from collections.abc import Mapping
from typing import Any

from llmd_tools.box.agent.states import now
from llmd_tools.cluster import ControlPlane

_KIND = ("autoscaling/v2", "HorizontalPodAutoscaler")
_TRUE = {"AbleToScale": "ReadyForNewScale", "ScalingActive": "ValidMetricFound"}
"""What a HorizontalPodAutoscaler says of itself when it has nothing to do, with its reasons."""


class Autoscalers:
    """Scales the target of each HorizontalPodAutoscaler to the least replicas, and says that it stands well."""

    def __init__(self, cluster: ControlPlane) -> None:
        """Begin without any.

        Args:
            cluster: Where.
        """
        self._cluster = cluster
        self._told: dict[str, Mapping[str, Any]] = {}

    def advance(self) -> None:
        """Do what can be done by now."""
        for found in self._cluster.server.list(*_KIND):
            if self._told.get(found["metadata"]["uid"]) != found["spec"]:
                self._advance(found)

    def _advance(self, found: Mapping[str, Any]) -> None:
        metadata, spec, reference = found["metadata"], found["spec"], found["spec"]["scaleTargetRef"]
        place = (reference["name"], metadata["namespace"])
        target = self._cluster.server.get(reference["apiVersion"], reference["kind"], *place)
        if target is None:
            return
        replicas = max(target["spec"].get("replicas", 1), spec.get("minReplicas", 1))
        if target["spec"].get("replicas", 1) < replicas:
            self._cluster.kubectl(
                *("-n", metadata["namespace"], "scale", f"{reference['kind']}/{reference['name']}"),
                f"--replicas={replicas}",
            )
        conditions = [
            {"type": each, "status": "True", "reason": reason, "message": "", "lastTransitionTime": now()}
            for each, reason in _TRUE.items()
        ]
        status = {"currentReplicas": replicas, "desiredReplicas": replicas, "conditions": conditions}
        self._cluster.kubectl(
            *("-n", metadata["namespace"], "patch", _KIND[1], metadata["name"]),
            *("--subresource=status", "--type=merge", "--patch", json.dumps({"status": status})),
        )
        self._told[metadata["uid"]] = spec
