"""Names and namespaces that are not a deployment's to have: they belong to the platform, or to GKE."""

from collections.abc import Iterator
from functools import cache

from llmd_constructs import catalogue
from llmd_constructs.catalogue import GitSource, Install
from llmd_constructs.config.deployment import Deployment
from llmd_constructs.config.errors import ValuePath
from llmd_constructs.context import Context
from llmd_constructs.patterns.refusal import Refusal
from llmd_constructs.platform.applications import platform_applications
from llmd_constructs.platform.istio import ISTIO_NAMESPACE

GKE_PREFIXES = ("kube-", "gke-", "gmp-")
"""Namespaces of Kubernetes, of GKE and of its managed Prometheus begin so."""


def reserved_refusals(context: Context) -> Iterator[Refusal]:
    """Every name and namespace that is taken, whether or not this environment has what takes it."""
    gateway = context.environment.platform.gateway.namespace
    if gateway.startswith(GKE_PREFIXES):
        yield Refusal(
            ("platform", "gateway", "namespace"),
            f"is {gateway}, which is GKE's own",
            "write a namespace of the gateway's own, such as `namespace: inference-gateway`",
        )
    for index, deployment in enumerate(context.environment.deployments):
        path: ValuePath = ("deployments", index)
        yield from _name(deployment, path)
        yield from _namespace(context, deployment, path)


def _name(deployment: Deployment, path: ValuePath) -> Iterator[Refusal]:
    """An application is known by its name: two of one name cannot be built, and Argo CD would know one."""
    if deployment.name in platform_applications():
        yield Refusal(
            (*path, "name"),
            f"is {deployment.name}, the name of an application of the platform",
            f"write another name, such as `name: {deployment.name}-model`",
        )


def _namespace(context: Context, deployment: Deployment, path: ValuePath) -> Iterator[Refusal]:
    """A model's namespace gets Pod Security labels, and policies that deny by default: fatal to whoever else is in it."""
    name = deployment.namespace
    owner = namespace_owners().get(name, "")
    if name == context.environment.gitops.namespace:
        owner = "Argo CD"
    if name == "default":
        message = "is default, which belongs to nobody and so to everybody"
    elif name.startswith(GKE_PREFIXES):
        message = f"is {name}, which is GKE's own"
    elif owner:
        message = f"is {name}, where {owner} runs"
    else:
        return
    yield Refusal(
        (*path, "namespace"), message, "write a namespace of the models' own, such as `namespace: models`"
    )


@cache
def namespace_owners() -> dict[str, str]:
    """Who runs in each namespace of third-party software, in any environment."""
    owners = {ISTIO_NAMESPACE: "Istio"}
    for name in catalogue.ids("upstream"):
        upstream = catalogue.upstream(name)
        for namespace in (upstream.namespace, *_named_by(upstream.install)):
            if namespace:
                owners.setdefault(namespace, name)
    for release in map(catalogue.kserve_release, catalogue.ids("kserve_release")):
        shared = (release.default_gateway or "").partition("/")[0]
        # Where a release has its gateway beside its controller, models have always been there too (the seeds).
        if release.system_namespace != shared:
            owners[release.system_namespace] = "KServe"
    return owners


def _named_by(install: Install) -> tuple[str, ...]:
    return install.namespaces if isinstance(install, GitSource) else ()
