"""Istio, as the Sail operator installs it, and what its gateway needs beside our routes."""

from collections.abc import Sequence

from llmd_constructs.application import Application, Component
from llmd_constructs.catalogue import IstioRelease
from llmd_constructs.config.platform import Gateway
from llmd_constructs.labels import GATEWAY_NAME, recommended
from llmd_constructs.manifest import DESTINATION_RULE, ENVOY_FILTER, ISTIO, JsonObject

ISTIO_NAMESPACE = "istio-system"
EXT_PROC_FILTER = "envoy.filters.http.ext_proc"
EXT_PROC_PER_ROUTE = "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute"


class IstioControlPlane(Component):
    """The Istio object that the Sail operator turns into istiod, with InferencePool support switched on."""

    def __init__(self, scope: Application, id: str, *, release: IstioRelease, part_of: str) -> None:
        """Render the control plane at an exact version: `-latest` aliases move (failure F-48)."""
        super().__init__(scope, id)
        self.add(
            ISTIO.manifest(
                "default",
                labels=recommended("istio", "control-plane", part_of),
                spec={
                    "version": release.version,
                    "namespace": ISTIO_NAMESPACE,
                    "values": {"pilot": {"env": dict.fromkeys(release.inference_env, "true")}},
                },
            ),
        )


class BodyForwarding(Component):
    """Makes older gateways hand the request's body to the picker (failure F-71).

    Envoy's routes are named `<namespace>.<HTTPRoute>.<rule>`; the names here are computed, never typed.
    """

    def __init__(
        self,
        scope: Application | Component,
        id: str,
        *,
        gateway: Gateway,
        route: str,
        namespace: str,
        rules: Sequence[int],
        part_of: str,
    ) -> None:
        """Render the filter for the rules of one HTTPRoute that lead to an InferencePool."""
        super().__init__(scope, id)
        name = f"{route}-body-forwarding"
        self.add(
            ENVOY_FILTER.manifest(
                name,
                gateway.namespace,
                labels=recommended(name, "envoy-filter", part_of),
                spec={
                    "workloadSelector": {"labels": {GATEWAY_NAME: gateway.name}},
                    "configPatches": [_patch(f"{namespace}.{route}.{rule}") for rule in rules],
                },
            ),
        )


def _patch(route: str) -> JsonObject:
    mode = {
        "request_header_mode": "SEND",
        "response_header_mode": "SEND",
        "request_body_mode": "BUFFERED",
        "response_body_mode": "NONE",
    }
    per_route = {"@type": EXT_PROC_PER_ROUTE, "overrides": {"processing_mode": mode}}
    return {
        "applyTo": "HTTP_ROUTE",
        "match": {"context": "GATEWAY", "routeConfiguration": {"vhost": {"route": {"name": route}}}},
        "patch": {"operation": "MERGE", "value": {"typed_per_filter_config": {EXT_PROC_FILTER: per_route}}},
    }


class PickerTls(Component):
    """Tells the gateway that the picker serves ext_proc over TLS with a certificate of its own."""

    def __init__(
        self, scope: Application | Component, id: str, *, service: str, namespace: str, part_of: str
    ) -> None:
        """Render the DestinationRule for one picker's Service."""
        super().__init__(scope, id)
        self.add(
            DESTINATION_RULE.manifest(
                service,
                namespace,
                labels=recommended(service, "destination-rule", part_of),
                spec={
                    "host": f"{service}.{namespace}.svc.cluster.local",
                    "trafficPolicy": {"tls": {"mode": "SIMPLE", "insecureSkipVerify": True}},
                },
            ),
        )
