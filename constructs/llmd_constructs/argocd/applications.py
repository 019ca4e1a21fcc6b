"""Argo CD Applications: one per application of the plan, and the root that holds them together."""

from collections.abc import Sequence

from llmd_constructs.application import SYNC_WAVE, IgnoredDifference
from llmd_constructs.catalogue import ChartSource, GitSource
from llmd_constructs.config.platform import IN_CLUSTER, GitOps
from llmd_constructs.labels import recommended
from llmd_constructs.manifest import APPLICATION, JsonObject, compact
from llmd_constructs.plan.model import ApplicationPlan, EnvironmentPlan, UpstreamSource

ARGOCD = "argocd"
"""Folder of what Argo CD itself reads."""
FINALIZER = "resources-finalizer.argocd.argoproj.io"
COMPARE_OPTIONS = "argocd.argoproj.io/compare-options"
GENERATE_PATHS = "argocd.argoproj.io/manifest-generate-paths"


def application_name(environment: str, application: str) -> str:
    """Name of an Application: unique in an Argo CD that serves several environments."""
    return f"{environment}-{application}"


def root_folder(environment: str) -> str:
    """Folder of an environment's project and applications."""
    return f"{ARGOCD}/{environment}"


def application(environment: EnvironmentPlan, plan: ApplicationPlan) -> JsonObject:
    """The Application of one application of the plan."""
    gitops = environment.environment.gitops
    ignored = plan.source.ignored if isinstance(plan.source, UpstreamSource) else ()
    manifest = APPLICATION.manifest(
        application_name(environment.name, plan.name),
        gitops.namespace,
        labels=recommended(plan.name, "application", environment.name),
        annotations={
            SYNC_WAVE: str(plan.wave),
            # The API server fills in defaults; comparing on the server's side does not call them drift.
            COMPARE_OPTIONS: "ServerSideDiff=true",
            GENERATE_PATHS: ".",
        },
        spec=compact(
            project=environment.name,
            source=_source(gitops, plan),
            destination={"server": gitops.destination.server, "namespace": plan.namespace},
            syncPolicy=sync_policy(prune=not _is_crds(plan), respects_ignored=bool(ignored)),
            ignoreDifferences=_ignore_differences(ignored),
            info=[{"name": f"ignored: {item.kind} {item.field}", "value": item.reason} for item in ignored],
        ),
    )
    if not isinstance(plan.source, UpstreamSource):
        # What is ours goes along with its application. An operator stays: its CRDs hold other people's objects.
        manifest["metadata"]["finalizers"] = [FINALIZER]
    return manifest


def root(environment: EnvironmentPlan) -> JsonObject:
    """The one Application that is applied by hand; it brings the project and all others, itself included."""
    gitops = environment.environment.gitops
    return APPLICATION.manifest(
        environment.name,
        gitops.namespace,
        labels=recommended(environment.name, "root", environment.name),
        annotations={COMPARE_OPTIONS: "ServerSideDiff=true", GENERATE_PATHS: "."},
        spec={
            "project": environment.name,
            "source": {
                "repoURL": gitops.repository.url,
                "targetRevision": gitops.repository.revision,
                "path": root_folder(environment.name),
                "directory": {"recurse": True},
            },
            "destination": {"server": IN_CLUSTER, "namespace": gitops.namespace},
            "syncPolicy": sync_policy(),
        },
    )


def _source(gitops: GitOps, plan: ApplicationPlan) -> JsonObject:
    if not isinstance(plan.source, UpstreamSource):
        return {
            "repoURL": gitops.repository.url,
            "targetRevision": gitops.repository.revision,
            "path": plan.source.folder,
        }
    match plan.source.install:
        case ChartSource() as chart:
            return compact(
                repoURL=chart.repo,
                chart=chart.chart,
                targetRevision=chart.version,
                helm=compact(releaseName=plan.name, valuesObject=dict(chart.values)),
            )
        case GitSource() as git:
            kustomize = compact(images=list(git.kustomize_images), patches=list(plan.source.patches))
            return compact(
                repoURL=git.repo,
                targetRevision=git.revision,
                path=git.path,
                directory=compact(include=git.include),
                kustomize=kustomize if not git.include else None,
            )


def sync_policy(*, prune: bool = True, respects_ignored: bool = False) -> JsonObject:
    """Automated, self-healing, pruning; applied by the server; tried again until the wave before is there."""
    options = [
        "ServerSideApply=true",
        # A custom resource may be synced before its CRD's application; the retry finds it.
        "SkipDryRunOnMissingResource=true",
        "PruneLast=true",
        "FailOnSharedResource=true",
    ]
    return {
        "automated": {"prune": prune, "selfHeal": True},
        "syncOptions": [*options, *(["RespectIgnoreDifferences=true"] if respects_ignored else [])],
        # With `refresh`, a commit that mends a bad one is picked up while the bad one is still being tried.
        "retry": {
            "limit": 10,
            "refresh": True,
            "backoff": {"duration": "10s", "factor": 2, "maxDuration": "5m"},
        },
    }


def _is_crds(plan: ApplicationPlan) -> bool:
    """Whether the application is nothing but CRDs: pruning one would delete every object of its kind (F-14i)."""
    if not isinstance(plan.source, UpstreamSource):
        return False
    install = plan.source.install
    return bool(install.include) if isinstance(install, GitSource) else install.chart.endswith("-crd")


def _ignore_differences(ignored: Sequence[IgnoredDifference]) -> list[JsonObject]:
    return [{"group": item.group, "kind": item.kind, "jqPathExpressions": [item.field]} for item in ignored]
