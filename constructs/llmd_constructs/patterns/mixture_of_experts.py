"""Pattern 4: a mixture of experts, its experts spread over the chips of one node or of several."""

from llmd_constructs.application import Application
from llmd_constructs.config.deployment import MixtureOfExperts
from llmd_constructs.context import Context
from llmd_constructs.patterns.models import add_model, default_route, main_side
from llmd_constructs.serving.model import ModelRequest


def mixture_of_experts(scope: Application, context: Context, deployment: MixtureOfExperts) -> None:
    """One model with expert parallelism; over several nodes each replica is a LeaderWorkerSet group."""
    request = ModelRequest(
        name=deployment.name,
        namespace=deployment.namespace,
        stack=deployment.stack,
        model=deployment.model,
        main=main_side(deployment, deployment.replicas, deployment.autoscaling),
        scheduler=deployment.scheduler,
        route=deployment.route or default_route(deployment.stack),
        expert_parallel=True,
        nodes=deployment.nodes_per_replica,
        request_timeout_seconds=deployment.request_timeout_seconds,
    )
    add_model(scope, "model", context, request)
