"""The Gateway, as GKE's load balancer or as Envoy pods of Istio."""

from collections.abc import Sequence

from llmd_constructs.application import Application, Component
from llmd_constructs.config.platform import Gateway
from llmd_constructs.emit.yaml_text import yaml_text
from llmd_constructs.labels import NAMESPACE_NAME, recommended
from llmd_constructs.manifest import CERTIFICATE, CLUSTER_ISSUER, CONFIG_MAP, GATEWAY, JsonObject, compact
from llmd_constructs.platform.certificates import CA_BUNDLE

DEFAULT_CLASSES = {"gke": "gke-l7-regional-external-managed", "istio": "istio"}
"""GatewayClass per provider. On GKE only regional classes serve an InferencePool (failure F-01)."""
CA_FOLDER = "/var/run/secrets/opendatahub"
"""Where Istio's gateway pods find the CA; KServe's controller writes this path into its DestinationRules (F-53)."""


def gateway_class(gateway: Gateway) -> str:
    """The GatewayClass: the user's, or the provider's default."""
    return gateway.class_name or DEFAULT_CLASSES[gateway.provider]


def tls_secret(gateway: Gateway) -> str:
    """Secret with the certificate of the HTTPS listener."""
    return f"{gateway.name}-tls"


class InferenceGateway(Component):
    """The shared Gateway, open to the model namespaces and to no other."""

    def __init__(
        self,
        scope: Application,
        id: str,
        *,
        gateway: Gateway,
        namespaces: Sequence[str],
        trusts_ca: bool,
        part_of: str,
    ) -> None:
        """Render the Gateway.

        Args:
            scope: The gateway's application.
            id: Construct id.
            gateway: The user's settings.
            namespaces: Namespaces whose routes may attach.
            trusts_ca: Whether its pods have to check certificates that KServe issued. Istio only.
            part_of: The environment.
        """
        super().__init__(scope, id)
        self._gateway = gateway
        self._labels = recommended(gateway.name, "gateway", part_of)
        if gateway.tls:
            self.add(self._certificate())
        if trusts_ca:
            self.add(self._pod_patch())
        self.add(
            GATEWAY.manifest(
                gateway.name,
                gateway.namespace,
                labels=self._labels,
                spec=compact(
                    gatewayClassName=gateway_class(gateway),
                    infrastructure=self._infrastructure() if trusts_ca else None,
                    listeners=self._listeners(_only(namespaces)),
                ),
            ),
        )

    def _listeners(self, routes: JsonObject) -> list[JsonObject]:
        gateway = self._gateway
        http = compact(name="http", hostname=gateway.hostname, port=80, protocol="HTTP", allowedRoutes=routes)
        if not gateway.tls:
            return [http]
        terminate = {"mode": "Terminate", "certificateRefs": [{"name": tls_secret(gateway)}]}
        https = compact(
            name="https",
            hostname=gateway.hostname,
            port=443,
            protocol="HTTPS",
            tls=terminate,
            allowedRoutes=routes,
        )
        return [https]

    def _certificate(self) -> JsonObject:
        gateway = self._gateway
        issuer = gateway.tls.issuer if gateway.tls else ""
        return CERTIFICATE.manifest(
            tls_secret(gateway),
            gateway.namespace,
            labels=self._labels,
            spec={
                "secretName": tls_secret(gateway),
                "dnsNames": [gateway.hostname],
                "issuerRef": {"group": CLUSTER_ISSUER.group, "kind": CLUSTER_ISSUER.kind, "name": issuer},
            },
        )

    @property
    def _patch_name(self) -> str:
        return f"{self._gateway.name}-config"

    def _infrastructure(self) -> JsonObject:
        return {
            "labels": {"serving.kserve.io/gateway": "kserve-ingress-gateway"},
            "parametersRef": {"group": "", "kind": CONFIG_MAP.kind, "name": self._patch_name},
        }

    def _pod_patch(self) -> JsonObject:
        """Istio merges `deployment` into the Deployment that it makes for the Gateway."""
        mount = {"name": "ca", "mountPath": CA_FOLDER, "readOnly": True}
        pod = {
            "containers": [{"name": "istio-proxy", "volumeMounts": [mount]}],
            "volumes": [{"name": "ca", "configMap": {"name": CA_BUNDLE}}],
        }
        patch = yaml_text({"spec": {"template": {"spec": pod}}})
        return CONFIG_MAP.manifest(
            self._patch_name,
            self._gateway.namespace,
            labels=self._labels,
            data={"deployment": patch},
        )


def _only(namespaces: Sequence[str]) -> JsonObject:
    if not namespaces:
        return {"namespaces": {"from": "Same"}}
    expression = {"key": NAMESPACE_NAME, "operator": "In", "values": sorted(namespaces)}
    return {"namespaces": {"from": "Selector", "selector": {"matchExpressions": [expression]}}}
