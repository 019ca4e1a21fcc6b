"""The AppProject of an environment: what it may deploy, from where, to where, and nothing else."""

from collections.abc import Iterable

from llmd_constructs.catalogue import GitSource
from llmd_constructs.config.platform import IN_CLUSTER, GitOps
from llmd_constructs.labels import recommended
from llmd_constructs.manifest import APP_PROJECT, KINDS, JsonObject, group_of
from llmd_constructs.plan.model import EnvironmentPlan, UpstreamSource

OPERATOR_CLUSTER_KINDS = (
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "APIService"),
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

SYNC_OPTIONS = "argocd.argoproj.io/sync-options"

GroupKind = tuple[str, str]


def project(environment: EnvironmentPlan) -> JsonObject:
    """The AppProject.

    Argo CD passes over what the project does not allow, when it prunes and when it deletes an application, and the
    commit that takes a deployment out changes the project first. So every kind is allowed that can be rendered, not
    only today's, and beside the namespaces of today's objects those of deployments that are switched off, and those
    that the environment names under `gitops.namespaces` (docs/removing.md).
    """
    gitops = environment.environment.gitops
    cluster = {(kind.group, kind.kind) for kind in KINDS if not kind.namespaced}
    namespaced = {(kind.group, kind.kind) for kind in KINDS if kind.namespaced}
    known = cluster | namespaced
    for manifest in (file.manifest for file in environment.files):
        kind = (group_of(manifest), manifest["kind"])
        if kind not in known:  # of a user's own
            namespaced.add(kind)
            if "namespace" not in manifest["metadata"]:  # it may belong to the cluster
                cluster.add(kind)
    upstream = any(isinstance(plan.source, UpstreamSource) for plan in environment.applications)
    if upstream:
        cluster |= set(OPERATOR_CLUSTER_KINDS)
        namespaced |= set(OPERATOR_KINDS)
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
        # Applications cannot end without their project, so the root does not take it along.
        annotations={SYNC_OPTIONS: "Delete=false"},
        spec=spec,
    )


def _sources(environment: EnvironmentPlan) -> set[str]:
    upstream = {
        plan.source.install.repo
        for plan in environment.applications
        if isinstance(plan.source, UpstreamSource)
    }
    return upstream | {environment.environment.gitops.repository.url}


def _destinations(environment: EnvironmentPlan, gitops: GitOps) -> list[JsonObject]:
    namespaces = {*environment.environment.all_namespaces, *gitops.namespaces}
    namespaces |= {plan.namespace for plan in environment.applications}
    namespaces |= {
        file.manifest["metadata"]["namespace"]
        for file in environment.files
        if "namespace" in file.manifest["metadata"]
    }
    namespaces |= {
        namespace
        for plan in environment.applications
        if isinstance(plan.source, UpstreamSource) and isinstance(plan.source.install, GitSource)
        for namespace in plan.source.install.namespaces
    }
    server = gitops.destination.server
    deployed = [{"server": server, "namespace": namespace} for namespace in sorted(namespaces)]
    own = {"server": IN_CLUSTER, "namespace": gitops.namespace}
    return [*deployed, *([own] if own not in deployed else [])]


def _kinds(kinds: Iterable[GroupKind]) -> list[JsonObject]:
    return [{"group": group, "kind": kind} for group, kind in sorted(kinds)]
