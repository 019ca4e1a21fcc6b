"""The body-based router: puts the model that a request's body names into a header, for routes to match.

One per Gateway. Source: body-based-routing chart v1.5.0 of the inference extension; failures F-77 and F-78.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cdk8s

from llmd_constructs.application import Application, Component
from llmd_constructs.catalogue import auxiliary
from llmd_constructs.config.platform import Gateway
from llmd_constructs.labels import GATEWAY_NAME, recommended, spread_over_nodes
from llmd_constructs.manifest import (
    CONFIG_MAP,
    DEPLOYMENT,
    DESTINATION_RULE,
    ENVOY_FILTER,
    GATEWAY,
    GCP_ROUTING_EXTENSION,
    HEALTH_CHECK_POLICY,
    POD_DISRUPTION_BUDGET,
    SERVICE,
    JsonObject,
)

NAME = "body-based-router"
FILTER = "envoy.filters.http.ext_proc.bbr"
"""Not the name of Istio's own filter, whose per-route settings would send this one's calls to a picker."""
GRPC_PORT = 9004
HEALTH_PORT = 9005
MANAGED = "inference.networking.k8s.io/bbr-managed"
"""Label of the ConfigMaps that tell which names belong to which base model."""
REPLICAS = 2
"""A single router that is away takes the whole gateway with it: the extension does not fail open."""


@dataclass(frozen=True)
class RoutedModel:
    """A base model and the adapters served with it."""

    name: str
    model: str
    adapters: tuple[str, ...] = ()


class BodyRouter(Component):
    """The router, what it knows, and how the Gateway calls it."""

    def __init__(
        self, scope: Application, id: str, *, gateway: Gateway, models: Sequence[RoutedModel], part_of: str
    ) -> None:
        """Render the router of one Gateway."""
        super().__init__(scope, id)
        self._gateway = gateway
        self._namespace = gateway.namespace
        self._labels = recommended(NAME, "body-router", part_of)
        for model in models:
            self._known_model(model)
        self._permissions()
        self.add(DEPLOYMENT.manifest(NAME, self._namespace, labels=self._labels, spec=self._deployment()))
        self.add(SERVICE.manifest(NAME, self._namespace, labels=self._labels, spec=self._service()))
        budget = {"maxUnavailable": 1, "selector": {"matchLabels": self._selector}}
        self.add(POD_DISRUPTION_BUDGET.manifest(NAME, self._namespace, labels=self._labels, spec=budget))
        if gateway.provider == "gke":
            self._gke()
        else:
            self._istio()

    @property
    def _selector(self) -> dict[str, str]:
        return {"app": NAME}

    def _known_model(self, model: RoutedModel) -> None:
        adapters = "".join(f"- {adapter}\n" for adapter in model.adapters)
        data = {"baseModel": model.model, **({"adapters": adapters} if adapters else {})}
        labels = {**self._labels, MANAGED: "true"}
        self.add(CONFIG_MAP.manifest(f"{model.name}-models", self._namespace, labels=labels, data=data))

    def _permissions(self) -> None:
        """The router reads ConfigMaps of its namespace. Here cdk8s-plus says it in fewer words than a dict."""
        # Loading its assembly takes longer than all our constructs, so only who routes by body pays for it.
        import cdk8s_plus_34 as kplus  # noqa: PLC0415 - see above

        metadata = cdk8s.ApiObjectMetadata(name=NAME, namespace=self._namespace, labels=self._labels)
        account = kplus.ServiceAccount(self, "account", metadata=metadata, automount_token=True)
        role = kplus.Role(self, "role", metadata=metadata)
        role.allow_read(kplus.ApiResource.CONFIG_MAPS)  # pyright: ignore[reportArgumentType] - the stubs of jsii mix up interface and class
        binding = kplus.RoleBinding(self, "binding", metadata=metadata, role=role)
        binding.add_subjects(account)
        for construct in (account, role, binding):
            self.application.adopt(construct)

    def _deployment(self) -> JsonObject:
        container = {
            "name": "bbr",
            "image": auxiliary("body-router").image,
            "args": [
                "--streaming",
                '--plugin=body-field-to-header:model-extractor:{"fieldName":"model","headerName":"X-Gateway-Model-Name"}',
                "--plugin=base-model-to-header:base-model-mapper",
                "--tracing=false",
            ],
            "env": [{"name": "NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}],
            "ports": [
                {"name": "grpc", "containerPort": GRPC_PORT, "protocol": "TCP"},
                {"name": "health", "containerPort": HEALTH_PORT, "protocol": "TCP"},
            ],
            "readinessProbe": {"grpc": {"port": HEALTH_PORT}, "periodSeconds": 5},
            "livenessProbe": {"grpc": {"port": HEALTH_PORT}, "initialDelaySeconds": 5, "periodSeconds": 10},
            "resources": {"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
        }
        pod = {
            "serviceAccountName": NAME,
            "topologySpreadConstraints": spread_over_nodes(self._selector),
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [container],
        }
        return {
            "replicas": REPLICAS,
            "selector": {"matchLabels": self._selector},
            "template": {"metadata": {"labels": {**self._labels, **self._selector}}, "spec": pod},
        }

    def _service(self) -> JsonObject:
        # GKE speaks HTTP/2 only to ports that say so; Istio knows the name that Kubernetes has for it.
        protocol = "HTTP2" if self._gateway.provider == "gke" else "kubernetes.io/h2c"
        port = {
            "name": "grpc",
            "port": GRPC_PORT,
            "targetPort": GRPC_PORT,
            "protocol": "TCP",
            "appProtocol": protocol,
        }
        return {"selector": self._selector, "ports": [port]}

    def _gke(self) -> None:
        extension = {
            "name": NAME,
            "authority": "body-based-router.llm-d.ai",
            "timeout": "1s",
            "supportedEvents": ["RequestHeaders", "RequestBody", "RequestTrailers"],
            "requestBodySendMode": "FullDuplexStreamed",
            "backendRef": {"group": "", "kind": SERVICE.kind, "name": NAME, "port": GRPC_PORT},
        }
        target = {"group": GATEWAY.group, "kind": GATEWAY.kind, "name": self._gateway.name}
        spec = {"targetRefs": [target], "extensionChains": [{"name": NAME, "extensions": [extension]}]}
        self.add(GCP_ROUTING_EXTENSION.manifest(NAME, self._namespace, labels=self._labels, spec=spec))
        check = {
            "type": "GRPC",
            "grpcHealthCheck": {"portSpecification": "USE_FIXED_PORT", "port": HEALTH_PORT},
        }
        service = {"group": "", "kind": SERVICE.kind, "name": NAME}
        health = {"default": {"config": check}, "targetRef": service}
        self.add(HEALTH_CHECK_POLICY.manifest(NAME, self._namespace, labels=self._labels, spec=health))

    def _istio(self) -> None:
        host = f"{NAME}.{self._namespace}.svc.cluster.local"
        ext_proc = {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor",
            "failure_mode_allow": False,
            "allow_mode_override": True,
            "processing_mode": {
                "request_header_mode": "SEND",
                "response_header_mode": "SKIP",
                "request_body_mode": "FULL_DUPLEX_STREAMED",
                "response_body_mode": "NONE",
                "request_trailer_mode": "SEND",
                "response_trailer_mode": "SKIP",
            },
            "grpc_service": {
                "envoy_grpc": {"cluster_name": f"outbound|{GRPC_PORT}||{host}"},
                "timeout": "10s",
            },
        }
        listener = {"filterChain": {"filter": {"name": "envoy.filters.network.http_connection_manager"}}}
        patch = {
            "applyTo": "HTTP_FILTER",
            "match": {"context": "GATEWAY", "listener": listener},
            "patch": {
                "operation": "INSERT_FIRST",
                "value": {"name": FILTER, "typed_config": ext_proc},
            },
        }
        selector = {"labels": {GATEWAY_NAME: self._gateway.name}}
        spec = {"workloadSelector": selector, "configPatches": [patch]}
        self.add(ENVOY_FILTER.manifest(NAME, self._namespace, labels=self._labels, spec=spec))
        tls = {"host": host, "trafficPolicy": {"tls": {"mode": "SIMPLE", "insecureSkipVerify": True}}}
        self.add(DESTINATION_RULE.manifest(NAME, self._namespace, labels=self._labels, spec=tls))
