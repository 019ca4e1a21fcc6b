"""Pattern 1: one replica of one model."""

from llmd_constructs.application import Application
from llmd_constructs.config.deployment import SingleReplica
from llmd_constructs.context import Context
from llmd_constructs.patterns.models import add_model, default_route, main_side
from llmd_constructs.serving.model import ModelRequest


def single_replica(scope: Application, context: Context, deployment: SingleReplica) -> None:
    """One model, one replica, one pool, one picker."""
    request = ModelRequest(
        name=deployment.name,
        namespace=deployment.namespace,
        stack=deployment.stack,
        model=deployment.model,
        main=main_side(deployment, 1),
        scheduler=deployment.scheduler,
        route=deployment.route or default_route(deployment.stack),
        request_timeout_seconds=deployment.request_timeout_seconds,
    )
    add_model(scope, "model", context, request)
