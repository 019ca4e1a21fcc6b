"""GKE's gateway in the demo: its stand-in, from the moment on that Argo CD has brought the Gateway."""

import json
from contextlib import ExitStack
from typing import Any

from llmd_tools.box.agent.states import now
from llmd_tools.box.gateway_stand_in import GatewayStandIn
from llmd_tools.cluster import ControlPlane
from llmd_tools.judges.rendered import Manifest

_POOLS = "inference.networking.k8s.io/v1"
_ADDRESS = "10.97.255.254"
"""Of the range for load balancers, where no Service's own address leads to."""


class GkeGateway:
    """Starts the stand-in when there is a Gateway for it."""

    def __init__(self, cluster: ControlPlane, gateway: Manifest, closing: ExitStack) -> None:
        """Begin without it.

        Args:
            cluster: Where.
            gateway: The Gateway, as rendered.
            closing: What ends the stand-in.
        """
        self._cluster = cluster
        self._gateway = gateway
        self._closing = closing
        self._stand_in: GatewayStandIn | None = None
        self._adopted: set[tuple[str, int]] = set()

    def advance(self) -> None:
        """Do what can be done by now.

        Raises:
            Exception: What ended the stand-in, if anything did.
        """
        if self._stand_in is None:
            if self._is_there():
                made = GatewayStandIn(self._cluster, self._gateway, _ADDRESS)
                self._stand_in = self._closing.enter_context(made)
        elif self._stand_in.error is not None:
            raise self._stand_in.error
        else:
            self._adopt_pools()

    def _adopt_pools(self) -> None:
        """Say of each InferencePool that the gateway has it, as GKE's controller does: KServe waits for that."""
        for pool in self._cluster.server.list(_POOLS, "InferencePool"):
            metadata = pool["metadata"]
            version = (metadata["uid"], metadata["generation"])
            if version not in self._adopted:
                self._adopted.add(version)
                patch = json.dumps({"status": {"parents": [self._parent(metadata["generation"])]}})
                self._cluster.kubectl(
                    *("-n", metadata["namespace"], "patch", f"inferencepool.{_POOLS.partition('/')[0]}"),
                    *(metadata["name"], "--subresource=status", "--type=merge", "--patch", patch),
                )

    def _parent(self, generation: int) -> dict[str, Any]:
        metadata = self._gateway["metadata"]
        true = {
            "status": "True",
            "message": "",
            "observedGeneration": generation,
            "lastTransitionTime": now(),
        }
        return {
            "parentRef": {
                "group": self._gateway["apiVersion"].partition("/")[0],
                "kind": "Gateway",
                "name": metadata["name"],
                "namespace": metadata["namespace"],
            },
            "conditions": [{"type": each, "reason": each, **true} for each in ("Accepted", "ResolvedRefs")],
        }

    def _is_there(self) -> bool:
        metadata, kind = self._gateway["metadata"], (self._gateway["apiVersion"], "Gateway")
        return self._cluster.server.get(*kind, metadata["name"], metadata["namespace"]) is not None
