"""Argo CD: one owner per object, the right order, and nothing deleted that others need."""

from collections import defaultdict
from collections.abc import Iterator

from llmd_constructs import manifest
from llmd_constructs.manifest import Kind, identity
from llmd_constructs.rules.model import Offence, rule
from llmd_constructs.rules.reading import dig, labels, mapping, text
from llmd_constructs.rules.resources import Resource
from llmd_constructs.rules.routing import backends
from llmd_constructs.rules.view import View

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
    "serving.kserve.io": "kserve",
}
"""Application that brings the CRDs of a group."""


def _versions() -> dict[tuple[str, str], set[str]]:
    """API versions by group and kind, of every kind that is rendered."""
    versions: dict[tuple[str, str], set[str]] = defaultdict(set)
    for kind in vars(manifest).values():
        if isinstance(kind, Kind):
            versions[kind.group, kind.kind].add(kind.api_version)
    return versions


_VERSIONS = _versions()


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
    kserve = [wave for name, wave in waves.items() if name.startswith("kserve")]
    if kserve:
        waves["kserve"] = max(kserve)  # of several charts, the last brings the controller
    for resource in view.resources:
        operator = _CUSTOM.get(resource.group)
        if operator is None or (operator == "kserve" and not kserve):
            continue  # KSV-01 says that KServe is missing
        if operator not in waves:
            message = f"is of {operator}, which nothing installs"
            yield Offence(resource.at("apiVersion"), message, f"install {operator}")
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
    """CRDs in git."""
    for crd in view.of("CustomResourceDefinition"):
        options = text(crd.manifest, "metadata", "annotations", _OPTIONS)
        if "Prune=false" not in options:
            yield Offence(crd.at("metadata", "annotations"), f"lacks {_OPTIONS}: Prune=false")


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
    "Every namespace is rendered",
    symptom='The sync fails: namespaces "…" not found.',
    cause="An object names a namespace that this environment does not make.",
    instead="use a namespace of a deployment, or add a Namespace to the application `namespaces`",
    source=("F-67",),
)
def namespaces(view: View) -> Iterator[Offence]:
    """Namespaces of every object."""
    made = {resource.name for resource in view.of("Namespace")} | set(GIVEN_NAMESPACES)
    for resource in view.resources:
        if resource.namespace and resource.namespace not in made:
            yield Offence(
                resource.at("metadata", "namespace"), f"is {resource.namespace}, which nothing makes"
            )
    targets = {application.name: application.namespace for application in view.plan.applications}
    for application in view.argocd:
        name = targets.get(application.name.removeprefix(f"{view.plan.name}-"))
        if application.kind == "Application" and name and name not in made:
            yield Offence(
                application.at("spec", "destination", "namespace"), f"is {name}, which nothing makes"
            )
    for istio in view.of("Istio"):
        name = text(istio.manifest, "spec", "namespace")
        if name not in made:
            yield Offence(istio.at("spec", "namespace"), f"is {name}, which nothing makes")


@rule(
    "ARG-06",
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
    "ARG-07",
    "A namespace that goes is not taken along silently",
    severity="warning",
    symptom=(
        "A namespace vanishes from git, and Argo CD deletes everything in it; or its application stays as it is, "
        "whatever is committed."
    ),
    cause=(
        "Pruning a Namespace deletes all its objects, also those that nobody put into git. With Prune=confirm the "
        "sync runs until somebody confirms, and no newer commit is synced before."
    ),
    instead=f"add the annotation {_OPTIONS}: Prune=false,Delete=confirm",
    source=("F-14i", _SYNC),
)
def guarded_namespaces(view: View) -> Iterator[Offence]:
    """Sync options of every Namespace."""
    for namespace in view.of("Namespace"):
        options = str(dig(namespace.manifest, "metadata", "annotations", _OPTIONS))
        if "Prune=false" not in options:
            yield Offence(namespace.at("metadata", "annotations"), f"lacks {_OPTIONS}: Prune=false")


@rule(
    "ARG-08",
    "Every kind is written at a version that the cluster serves",
    symptom='The sync fails: no matches for kind "…" in version "…".',
    cause="The version is one that the API never had, or that it dropped.",
    instead="write the version that the generator writes",
    source=("F-49", "https://kubernetes.io/docs/reference/using-api/deprecation-guide/"),
)
def served_versions(view: View) -> Iterator[Offence]:
    """Objects of kinds that the generator renders too."""
    for resource in view.resources:
        known = _VERSIONS.get((resource.group, resource.kind))
        if known and resource.api_version not in known:
            message = (
                f"is {resource.api_version}, and {resource.kind} is served at {', '.join(sorted(known))}"
            )
            yield Offence(resource.at("apiVersion"), message)


RULES = (
    one_owner,
    wave_order,
    keep_crds,
    inner_order,
    namespaces,
    stable,
    guarded_namespaces,
    served_versions,
)
