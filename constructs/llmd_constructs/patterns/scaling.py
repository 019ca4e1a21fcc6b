"""Where autoscaling cannot work."""

from collections.abc import Iterator

from llmd_constructs import catalogue
from llmd_constructs.config.deployment import (
    Deployment,
    MixtureOfExperts,
    MultiModel,
    Phase,
    PrefillDecode,
    PrefixCache,
    ServedModel,
)
from llmd_constructs.config.errors import ValuePath
from llmd_constructs.context import Context
from llmd_constructs.patterns.refusal import Refusal
from llmd_constructs.serving.placement import place

Scaled = PrefixCache | MixtureOfExperts | ServedModel | Phase


def scaled(deployment: Deployment) -> Iterator[tuple[ValuePath, Scaled]]:
    """Every kind of replica that may be scaled, by its place in the deployment."""
    match deployment:
        case MultiModel():
            yield from ((("models", index), served) for index, served in enumerate(deployment.models))
        case PrefillDecode():
            yield ("prefill",), deployment.prefill
            yield ("decode",), deployment.decode
        case PrefixCache() | MixtureOfExperts():
            yield (), deployment
        case _:
            return


def autoscales(deployment: Deployment) -> bool:
    """Whether some of its replicas follow the load."""
    return any(settings.autoscaling for _, settings in scaled(deployment))


def scaling_refusals(context: Context, deployment: Deployment, path: ValuePath) -> Iterator[Refusal]:
    """What is wrong with the autoscalers of a deployment."""
    for place_, settings in scaled(deployment):
        if settings.autoscaling is None:
            continue
        field: ValuePath = (*path, *place_, "autoscaling")
        if settings.autoscaling.max_replicas <= settings.replicas:
            yield Refusal(
                (*field, "maxReplicas"),
                f"is {settings.autoscaling.max_replicas}, and `replicas` is {settings.replicas}",
                f"write {settings.replicas + 1} or more, or lower `replicas`",
            )
        if not context.environment.platform.monitoring:
            yield Refusal(
                field, "follows metrics that nobody collects", "write `monitoring: true` below `platform`"
            )
        yield from _by_kserve(context, deployment, field)
        if isinstance(deployment, MixtureOfExperts):
            yield from _slices(context, deployment, field)


def _by_kserve(context: Context, deployment: Deployment, field: ValuePath) -> Iterator[Refusal]:
    """Older controllers write the number of replicas at every change, whatever an autoscaler has chosen."""
    release = context.kserve
    if deployment.stack == "kserve" and release and not release.features.replicas_left_alone:
        able = [
            other
            for other in catalogue.ids("kserve_release")
            if catalogue.kserve_release(other).features.replicas_left_alone
        ]
        yield Refusal(
            field,
            f"KServe {release.id} sets replicas back at every change",
            f'leave it out, or write `kserve: "{able[0]}"` or later',
        )


def _slices(context: Context, deployment: MixtureOfExperts, field: ValuePath) -> Iterator[Refusal]:
    pool = context.environment.node_pool(deployment.node_pool)
    hosts = place(pool).hosts
    if hosts > 1:
        yield Refusal(
            field, f"{pool.name} is one slice of {hosts} hosts, and holds one replica", "leave it out"
        )
