"""Manifests as plain values, and the one list of the kinds that we render."""

from collections.abc import Mapping
from typing import Any, NamedTuple

JsonObject = dict[str, Any]
"""A mapping as it stands in a manifest: text keys, JSON-like values."""


def compact(**fields: Any) -> JsonObject:
    """The fields that say something: no `None`, no empty mapping, no empty list.

    A trailing underscore is dropped, for names that Python keeps for itself (`from_`).
    """
    return {
        name.rstrip("_"): value
        for name, value in fields.items()
        if value is not None and value not in ({}, [], ())
    }


class Kind(NamedTuple):
    """A kind of Kubernetes object at the API version that we write."""

    api_version: str
    kind: str
    namespaced: bool = True

    @property
    def group(self) -> str:
        """API group; empty for the core group."""
        return self.api_version.rpartition("/")[0]

    def manifest(
        self,
        name: str,
        namespace: str | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
        **body: Any,
    ) -> JsonObject:
        """One object of this kind; `body` holds `spec`, `data` and the like."""
        metadata = compact(
            name=name,
            namespace=namespace if self.namespaced else None,
            labels=dict(labels or {}),
            annotations=dict(annotations or {}),
        )
        return {"apiVersion": self.api_version, "kind": self.kind, "metadata": metadata, **compact(**body)}


NAMESPACE = Kind("v1", "Namespace", namespaced=False)
CONFIG_MAP = Kind("v1", "ConfigMap")
SERVICE = Kind("v1", "Service")
SERVICE_ACCOUNT = Kind("v1", "ServiceAccount")
DEPLOYMENT = Kind("apps/v1", "Deployment")
POD_DISRUPTION_BUDGET = Kind("policy/v1", "PodDisruptionBudget")
NETWORK_POLICY = Kind("networking.k8s.io/v1", "NetworkPolicy")
HORIZONTAL_POD_AUTOSCALER = Kind("autoscaling/v2", "HorizontalPodAutoscaler")
ROLE = Kind("rbac.authorization.k8s.io/v1", "Role")
ROLE_BINDING = Kind("rbac.authorization.k8s.io/v1", "RoleBinding")

CLUSTER_ISSUER = Kind("cert-manager.io/v1", "ClusterIssuer", namespaced=False)
CERTIFICATE = Kind("cert-manager.io/v1", "Certificate")
BUNDLE = Kind("trust.cert-manager.io/v1alpha1", "Bundle", namespaced=False)
CLUSTER_SECRET_STORE = Kind("external-secrets.io/v1", "ClusterSecretStore", namespaced=False)
EXTERNAL_SECRET = Kind("external-secrets.io/v1", "ExternalSecret")

GATEWAY = Kind("gateway.networking.k8s.io/v1", "Gateway")
HTTP_ROUTE = Kind("gateway.networking.k8s.io/v1", "HTTPRoute")
INFERENCE_POOL = Kind("inference.networking.k8s.io/v1", "InferencePool")
INFERENCE_POOL_V1ALPHA2 = Kind("inference.networking.x-k8s.io/v1alpha2", "InferencePool")
HEALTH_CHECK_POLICY = Kind("networking.gke.io/v1", "HealthCheckPolicy")
GCP_BACKEND_POLICY = Kind("networking.gke.io/v1", "GCPBackendPolicy")
GCP_ROUTING_EXTENSION = Kind("networking.gke.io/v1", "GCPRoutingExtension")

ISTIO = Kind("sailoperator.io/v1", "Istio", namespaced=False)
ENVOY_FILTER = Kind("networking.istio.io/v1alpha3", "EnvoyFilter")
DESTINATION_RULE = Kind("networking.istio.io/v1", "DestinationRule")

POD_MONITORING = Kind("monitoring.googleapis.com/v1", "PodMonitoring")

LEADER_WORKER_SET = Kind("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet")

APP_PROJECT = Kind("argoproj.io/v1alpha1", "AppProject")
APPLICATION = Kind("argoproj.io/v1alpha1", "Application")


# Collected rather than listed: a kind that is added above is allowed by the AppProjects without a second edit.
KINDS: tuple[Kind, ...] = (
    *(value for value in tuple(globals().values()) if isinstance(value, Kind)),
    Kind("serving.kserve.io/v1alpha2", "LLMInferenceService"),
)
"""Every kind that we can render."""


def llm_inference_service(api_version: str) -> Kind:
    """LLMInferenceService at the API version of a KServe release."""
    return Kind(api_version, "LLMInferenceService")


def group_of(manifest: Mapping[str, Any]) -> str:
    """API group of a manifest; empty for the core group."""
    return str(manifest["apiVersion"]).rpartition("/")[0]


def identity(manifest: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """What makes an object one object on a cluster: group, kind, namespace, name."""
    metadata = manifest["metadata"]
    return (group_of(manifest), manifest["kind"], metadata.get("namespace", ""), metadata["name"])
