"""Which CRDs an environment's cluster has, at the API versions of the releases that it names."""

from collections.abc import Iterable, Mapping

from llmd_constructs.plan import EnvironmentPlan

_BY_GROUP: Mapping[str, str] = {
    "argoproj.io": "argocd",
    "cert-manager.io": "cert-manager",
    "external-secrets.io": "external-secrets",
    "gateway.networking.k8s.io": "gateway-api",
    "keda.sh": "keda",
    "leaderworkerset.x-k8s.io": "lws",
    "llm-d.ai": "llm-d",
    "monitoring.coreos.com": "prometheus-operator",
    "monitoring.googleapis.com": "managed-prometheus",
    "networking.gke.io": "gke-gateway",
    "networking.istio.io": "istio",
    "security.istio.io": "istio",
    "telemetry.istio.io": "istio",
    "trust.cert-manager.io": "trust-manager",
}
"""Sets of `crds.lock.yaml` that do not depend on a release."""

_KSERVE: Mapping[str, str] = {
    "odh-0.15": "kserve-0.16",
    "0.17": "kserve-0.17",
    "0.18": "kserve-0.19",
    "0.19": "kserve-0.19",
    "0.20": "kserve-0.20",
}
"""KServe by the release that an environment names. OpenDataHub's 0.15 has the fields of upstream's 0.16; 0.18 is not
served by any registry."""

_POOLS: Mapping[str, tuple[str, ...]] = {
    "kserve-0.16": ("inference-extension-0.5",),
    "kserve-0.17": ("inference-extension-1.0",),
    "kserve-0.19": ("inference-extension-1.0",),
}
"""The inference extension by KServe set, where it is not the newest: KServe 0.16 makes InferenceModels, and the others
make pools of both APIs."""
_NEWEST_POOL = ("inference-extension-1.5", "llm-d")

NOT_SERVED: Mapping[str, str] = {
    "networking.gke.io/v1 GCPRoutingExtension": "our rules alone know it",
    "sailoperator.io/v1 Istio": "our rules and Argo CD's health check alone know it",
}
"""Kinds that we render and whose CRD is in no module that a registry serves, with what judges them all the same."""


def kserve_set_of(release: str) -> str:
    """The set with the LLMInferenceService of a KServe release, or of the one that stands for it."""
    return _KSERVE[release]


def kserve_set(environment: EnvironmentPlan) -> str | None:
    """The set with the LLMInferenceService of this environment; None where KServe is not installed."""
    release = environment.environment.platform.kserve
    return kserve_set_of(release) if release else None


def pool_sets(kserve: str | None) -> tuple[str, ...]:
    """The sets with the InferencePools that go with a KServe set, or with llm-d alone."""
    return _POOLS.get(kserve or "", _NEWEST_POOL)


def crd_sets(environment: EnvironmentPlan, api_versions: Iterable[str]) -> tuple[str, ...]:
    """The sets that hold the CRDs of these API versions, as this environment's cluster has them."""
    groups = {api_version.partition("/")[0] for api_version in api_versions if "/" in api_version}
    kserve = kserve_set(environment)
    found = {_BY_GROUP[group] for group in groups if group in _BY_GROUP}
    found.update(pool_sets(kserve))
    return tuple(sorted(found | ({kserve, "lws"} if kserve else set())))
