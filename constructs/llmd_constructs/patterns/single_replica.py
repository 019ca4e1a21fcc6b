"""Pattern 1: one replica of one model."""

from llmd_constructs.application import Application
from llmd_constructs.config.deployment import SingleReplica
from llmd_constructs.context import Context
from llmd_constructs.serving.model import ModelRequest, ServedModel


def single_replica(scope: Application, context: Context, deployment: SingleReplica) -> None:
    """One model, one replica, one pool, one picker."""
    request = ModelRequest(
        name=deployment.name,
        namespace=deployment.namespace,
        stack=deployment.stack,
        model=deployment.model,
        node_pool=deployment.node_pool,
        engine=deployment.engine,
        scheduler=deployment.scheduler,
        request_timeout_seconds=deployment.request_timeout_seconds,
    )
    ServedModel(scope, "model", context, request)
