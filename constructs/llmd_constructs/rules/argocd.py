"""Argo CD: one owner per object, the right order, and nothing deleted that others need."""

from collections import defaultdict
from collections.abc import Iterator

from llmd_constructs.manifest import identity
from llmd_constructs.rules.model import Offence, rule
from llmd_constructs.rules.reading import dig, entries, labels, mapping, text, texts
from llmd_constructs.rules.resources import Resource
from llmd_constructs.rules.routing import backends
from llmd_constructs.rules.view import View
from llmd_constructs.rules.workloads import floats

GIVEN_NAMESPACES = ("default", "kube-system", "kube-public", "gmp-system", "gmp-public")
"""Namespaces that every GKE cluster has."""
_OPTIONS = "argocd.argoproj.io/sync-options"
_SYNC = "https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/"
_WAVES = "https://argo-cd.readthedocs.io/en/stable/user-guide/sync-waves/"
_PROJECTS = "https://argo-cd.readthedocs.io/en/stable/user-guide/projects/"
_CUSTOM = {
    "cert-manager.io": "cert-manager",
    "trust.cert-manager.io": "trust-manager",
    "external-secrets.io": "external-secrets",
    "sailoperator.io": "sail-operator",
    "leaderworkerset.x-k8s.io": "lws",
    "serving.kserve.io": "kserve",
}
"""Application that brings the CRDs of a group."""


@rule(
    "ARG-01",
    "Every object has one owner",
    symptom="Two applications rewrite one object in turns, or the sync fails: part of more than one application.",
    cause="Two applications, or two manifests of one, render the same kind, namespace and name.",
    instead="keep one of them",
    source=("F-51", _SYNC),
)
def one_owner(view: View) -> Iterator[Offence]:
    """Identities of all objects."""
    seen: dict[tuple[str, str, str, str], Resource] = {}
    for resource in view.resources:
        first = seen.setdefault(identity(resource.manifest), resource)
        if first is not resource:
            yield Offence(resource.at("metadata", "name"), f"is already in {first.path}")


@rule(
    "ARG-02",
    "Whatever brings a kind is synced before the kind is used",
    symptom="The sync fails: no matches for kind; or the controller waits for ever for a certificate.",
    cause="The application with the CRD or the controller has the same or a later sync wave, or is missing.",
    instead="give the operator an earlier wave",
    source=("F-49", "F-54", "F-87", _WAVES),
)
def wave_order(view: View) -> Iterator[Offence]:
    """Applications with custom resources against those that bring them."""
    waves = {application.name: application.wave for application in view.plan.applications}
    for resource in view.resources:
        operator = _CUSTOM.get(resource.group)
        if operator is None or operator == "kserve":
            operator = next((name for name in waves if name.startswith("kserve")), None) if operator else None
        if operator is None:
            continue
        if operator not in waves:
            yield Offence(
                resource.at("apiVersion"), f"is of {operator}, which nothing installs", f"install {operator}"
            )
        elif waves[operator] >= waves[resource.application]:
            message = f"is in wave {waves[resource.application]}, and {operator} in wave {waves[operator]}"
            yield Offence(resource.at("apiVersion"), message)


@rule(
    "ARG-03",
    "No sync deletes a CRD",
    symptom="An InferencePool CRD vanishes, and with it every pool of the cluster, GKE's own too.",
    cause="Pruning an application with CRDs deletes them, and a CRD takes all its objects along.",
    instead=f"switch pruning off for CRDs: the annotation {_OPTIONS}: Prune=false",
    source=("F-14i", "INFRA Makefile undeploy-kserve", _SYNC),
)
def keep_crds(view: View) -> Iterator[Offence]:
    """CRDs in git, and applications that bring nothing else."""
    for crd in view.of("CustomResourceDefinition"):
        options = text(crd.manifest, "metadata", "annotations", _OPTIONS)
        if "Prune=false" not in options:
            yield Offence(crd.at("metadata", "annotations"), f"lacks {_OPTIONS}: Prune=false")
    for application in view.argocd:
        only_crds = application.get("spec", "source", "directory", "include")
        if only_crds and application.get("spec", "syncPolicy", "automated", "prune") is True:
            yield Offence(application.at("spec", "syncPolicy", "automated", "prune"), "is true for CRDs")


@rule(
    "ARG-04",
    "Inside an application, a pool comes before its policies, and both before the route",
    symptom="The load balancer is made with default checks, and stays unhealthy until somebody recreates the pool.",
    cause="The sync wave of the route or policy is earlier than that of what it points to.",
    instead="use waves 0 for pools and policies, and a later one for routes",
    source=("F-10", "C-29", _WAVES),
)
def inner_order(view: View) -> Iterator[Offence]:
    """Waves of policies and routes against their targets."""
    for resource in view.of("HealthCheckPolicy", "GCPBackendPolicy"):
        target = mapping(resource.manifest, "spec", "targetRef")
        found = view.find(text(target, "kind"), resource.namespace, text(target, "name"))
        yield from _too_early(resource, found)
    for route in view.of("HTTPRoute"):
        for backend in backends(route):
            yield from _too_early(route, view.find(backend.kind, backend.namespace, backend.name))


def _too_early(resource: Resource, target: Resource | None) -> Iterator[Offence]:
    if target and target.application == resource.application and resource.wave < target.wave:
        message = f"is in wave {resource.wave}, and {target.title} in wave {target.wave}"
        yield Offence(resource.at("metadata", "annotations"), message)


@rule(
    "ARG-05",
    "Third-party software is installed at a version that stays",
    severity="warning",
    symptom="A cluster that is made again tomorrow runs other software than the one that was tested.",
    cause="A branch, a range or a -latest tag is resolved anew at every sync.",
    instead="write a tag or a commit, and image tags that stay",
    source=(
        "F-48",
        "F-47",
        "F-55",
        "https://argo-cd.readthedocs.io/en/stable/user-guide/tracking_strategies/",
    ),
)
def pinned_software(view: View) -> Iterator[Offence]:
    """Revisions and images of applications from other sources."""
    own = view.environment.gitops.repository.url
    for application in view.argocd:
        source = mapping(application.manifest, "spec", "source")
        if application.kind != "Application" or text(source, "repoURL") == own:
            continue
        revision = text(source, "targetRevision")
        if (
            not revision
            or revision in ("HEAD", "main", "master")
            or any(sign in revision for sign in "*^~<>")
        ):
            yield Offence(application.at("spec", "source", "targetRevision"), f"is {revision or 'missing'}")
        for index, image in enumerate(texts(source, "kustomize", "images")):
            if floats(image.rpartition(":")[2]):
                yield Offence(application.at("spec", "source", "kustomize", "images", index), f"is {image}")


@rule(
    "ARG-06",
    "Argo CD leaves alone what cert-manager and operators write",
    symptom="KServe stays OutOfSync, its webhook loses its CA at every sync, and services are refused.",
    cause="The CA bundle of a webhook is written after the sync, and self-healing takes it away again.",
    instead="ignore .webhooks[]?.clientConfig.caBundle, with RespectIgnoreDifferences=true",
    source=("F-66", "seed: architecture", "https://argo-cd.readthedocs.io/en/stable/user-guide/diffing/"),
)
def injected_ca(view: View) -> Iterator[Offence]:
    """Applications that install KServe."""
    installs = view.context.kserve.install if view.context.kserve else ()
    sources = {
        (install.repo, getattr(install, "path", None) or getattr(install, "chart", None))
        for install in installs
    }
    for application in view.argocd:
        source = mapping(application.manifest, "spec", "source")
        what = text(source, "path") or text(source, "chart")
        if (text(source, "repoURL"), what) not in sources or what.endswith("-crd"):
            continue  # a chart of nothing but CRDs brings no webhook
        ignored = [
            path
            for item in entries(application.manifest, "spec", "ignoreDifferences")
            if "Webhook" in text(item, "kind")
            for path in texts(item, "jqPathExpressions")
        ]
        if not any("caBundle" in path for path in ignored):
            yield Offence(application.at("spec", "ignoreDifferences"), "does not ignore the webhooks' CA")
        elif "RespectIgnoreDifferences=true" not in texts(
            application.manifest, "spec", "syncPolicy", "syncOptions"
        ):
            yield Offence(
                application.at("spec", "syncPolicy", "syncOptions"), "lacks RespectIgnoreDifferences=true"
            )


@rule(
    "ARG-07",
    "Every namespace is rendered",
    symptom='The sync fails: namespaces "…" not found.',
    cause="An object names a namespace that this environment does not make.",
    instead="use a namespace of a deployment, or add a Namespace to the application `namespaces`",
    source=("F-67", "F-05"),
)
def namespaces(view: View) -> Iterator[Offence]:
    """Namespaces of every object."""
    made = {resource.name for resource in view.of("Namespace")} | set(GIVEN_NAMESPACES)
    for resource in view.resources:
        if resource.namespace and resource.namespace not in made:
            yield Offence(
                resource.at("metadata", "namespace"), f"is {resource.namespace}, which nothing makes"
            )


@rule(
    "ARG-08",
    "The project allows what its applications bring",
    symptom='The sync fails: "resource … is not permitted in project".',
    cause="The AppProject's lists lack a kind, a namespace or a source.",
    instead="let the generator compute the lists",
    source=("F-68", _PROJECTS),
)
def project(view: View) -> Iterator[Offence]:
    """Kinds, namespaces and sources against the environment's project."""
    for item in view.argocd:
        if item.kind != "AppProject":
            continue
        cluster = {_kind(each) for each in entries(item.manifest, "spec", "clusterResourceWhitelist")}
        namespaced = {_kind(each) for each in entries(item.manifest, "spec", "namespaceResourceWhitelist")}
        targets = {text(each, "namespace") for each in entries(item.manifest, "spec", "destinations")}
        for resource in view.resources:
            allowed = namespaced if resource.namespace else cluster
            if (resource.group, resource.kind) not in allowed:
                yield Offence(
                    item.at("spec"), f"does not allow {resource.kind} of {resource.group or 'the core group'}"
                )
            if resource.namespace and resource.namespace not in targets:
                yield Offence(
                    item.at("spec", "destinations"), f"does not allow namespace {resource.namespace}"
                )
        sources = set(texts(item.manifest, "spec", "sourceRepos"))
        for application in view.argocd:
            source = text(application.manifest, "spec", "source", "repoURL")
            if application.kind == "Application" and source not in sources:
                yield Offence(item.at("spec", "sourceRepos"), f"does not allow {source}")


def _kind(item: dict[str, object]) -> tuple[str, str]:
    return text(item, "group"), text(item, "kind")


@rule(
    "ARG-09",
    "All applications go to one cluster, and are applied by the server",
    symptom="One application lands on another cluster; or a CRD is refused: annotations too long.",
    cause="A destination differs, or client-side apply writes the whole object into a 256 KiB annotation.",
    instead="write gitops.destination once, and ServerSideApply=true",
    source=("F-69", "F-50", _SYNC),
)
def destination(view: View) -> Iterator[Offence]:
    """Destinations and sync options of every application but the root."""
    servers: dict[str, list[Resource]] = defaultdict(list)
    for application in view.argocd:
        if application.kind != "Application":
            continue
        if "ServerSideApply=true" not in texts(application.manifest, "spec", "syncPolicy", "syncOptions"):
            yield Offence(application.at("spec", "syncPolicy", "syncOptions"), "lacks ServerSideApply=true")
        if application.name != view.plan.name:
            servers[text(application.manifest, "spec", "destination", "server")].append(application)
    wanted = view.environment.gitops.destination.server
    for server, applications in servers.items():
        if server != wanted:
            for application in applications:
                message = f"is {server}, and the environment's is {wanted}"
                yield Offence(application.at("spec", "destination", "server"), message)


@rule(
    "ARG-10",
    "Nothing in a manifest changes from one synthesis to the next",
    symptom="Argo CD is never in sync, and every commit touches files that nobody changed.",
    cause="An annotation carries a date, such as the one that makes GKE reconcile a Gateway.",
    instead="take it out; `kubectl annotate` once from the runbook does the same",
    source=("F-14d", "seed 003: force-reconcile"),
)
def stable(view: View) -> Iterator[Offence]:
    """Annotations that force a reconciliation or a restart."""
    forcing = ("force-reconcile", "force-sync", "restartedAt", "reconcile-at")
    for resource in view.resources:
        template = ("spec", "template", "metadata", "annotations")
        for path in (("metadata", "annotations"), template):
            for key in labels(resource.manifest, *path):
                if any(word in key for word in forcing):
                    yield Offence(resource.at(*path, key), "is different every time")


@rule(
    "ARG-11",
    "A namespace that goes is not taken along silently",
    severity="warning",
    symptom="A namespace vanishes from git, and Argo CD deletes everything in it.",
    cause="Pruning a Namespace deletes all its objects, also those that nobody put into git.",
    instead=f"add the annotation {_OPTIONS}: Prune=confirm,Delete=confirm",
    source=("F-14i", _SYNC),
)
def guarded_namespaces(view: View) -> Iterator[Offence]:
    """Sync options of every Namespace."""
    for namespace in view.of("Namespace"):
        options = str(dig(namespace.manifest, "metadata", "annotations", _OPTIONS))
        if "Prune=" not in options:
            yield Offence(namespace.at("metadata", "annotations"), f"lacks {_OPTIONS}")


RULES = (
    one_owner,
    wave_order,
    keep_crds,
    inner_order,
    pinned_software,
    injected_ca,
    namespaces,
    project,
    destination,
    stable,
    guarded_namespaces,
)
