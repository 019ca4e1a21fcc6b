"""The AppProject of an environment: what it may deploy, from where, to where, and nothing else."""

from collections.abc import Iterable

from llmd_constructs.config.platform import GitOps
from llmd_constructs.labels import recommended
from llmd_constructs.manifest import APP_PROJECT, APPLICATION, JsonObject, group_of
from llmd_constructs.plan.model import EnvironmentPlan, UpstreamSource

OPERATOR_CLUSTER_KINDS = (
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("serving.kserve.io", "ClusterStorageContainer"),
)
"""Cluster-wide kinds that the charts of operators bring."""
OPERATOR_KINDS = (
    ("", "ConfigMap"),
    ("", "Secret"),
    ("", "Service"),
    ("", "ServiceAccount"),
    ("apps", "Deployment"),
    ("batch", "Job"),
    ("cert-manager.io", "Certificate"),
    ("cert-manager.io", "Issuer"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("policy", "PodDisruptionBudget"),
    ("rbac.authorization.k8s.io", "Role"),
    ("rbac.authorization.k8s.io", "RoleBinding"),
    ("serving.kserve.io", "LLMInferenceServiceConfig"),
)
"""Namespaced kinds that they bring."""

GroupKind = tuple[str, str]


def project(environment: EnvironmentPlan) -> JsonObject:
    """The AppProject. Its lists are computed from what is rendered, so that they cannot lag behind."""
    gitops = environment.environment.gitops
    cluster, namespaced = _rendered_kinds(environment)
    upstream = any(isinstance(plan.source, UpstreamSource) for plan in environment.applications)
    if upstream:
        cluster |= set(OPERATOR_CLUSTER_KINDS)
        namespaced |= set(OPERATOR_KINDS)
    namespaced |= {(APP_PROJECT.group, APP_PROJECT.kind), (APPLICATION.group, APPLICATION.kind)}
    spec: JsonObject = {
        "description": f"LLM inference on the cluster {environment.environment.cluster.name}",
        "sourceRepos": sorted(_sources(environment)),
        "destinations": _destinations(environment, gitops),
        "clusterResourceWhitelist": _kinds(cluster),
        "namespaceResourceWhitelist": _kinds(namespaced),
    }
    return APP_PROJECT.manifest(
        environment.name,
        gitops.namespace,
        labels=recommended(environment.name, "project", environment.name),
        spec=spec,
    )


def _rendered_kinds(environment: EnvironmentPlan) -> tuple[set[GroupKind], set[GroupKind]]:
    cluster: set[GroupKind] = set()
    namespaced: set[GroupKind] = set()
    for file in environment.files:
        kinds = namespaced if "namespace" in file.manifest["metadata"] else cluster
        kinds.add((group_of(file.manifest), file.manifest["kind"]))
    return cluster, namespaced


def _sources(environment: EnvironmentPlan) -> set[str]:
    upstream = {
        plan.source.install.repo
        for plan in environment.applications
        if isinstance(plan.source, UpstreamSource)
    }
    return upstream | {environment.environment.gitops.repository.url}


def _destinations(environment: EnvironmentPlan, gitops: GitOps) -> list[JsonObject]:
    namespaces = {plan.namespace for plan in environment.applications} | {
        file.manifest["metadata"]["namespace"]
        for file in environment.files
        if "namespace" in file.manifest["metadata"]
    }
    server = gitops.destination.server
    deployed = [{"server": server, "namespace": namespace} for namespace in sorted(namespaces)]
    own = {"server": "https://kubernetes.default.svc", "namespace": gitops.namespace}
    return [*deployed, *([own] if own not in deployed else [])]


def _kinds(kinds: Iterable[GroupKind]) -> list[JsonObject]:
    return [{"group": group, "kind": kind} for group, kind in sorted(kinds)]
