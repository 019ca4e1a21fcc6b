"""Pattern 3: several replicas; a request goes to the replica that has its prefix in the cache."""

from llmd_constructs.application import Application
from llmd_constructs.config.deployment import PrefixCache
from llmd_constructs.context import Context
from llmd_constructs.serving.model import ModelRequest, ServedModel


def prefix_cache(scope: Application, context: Context, deployment: PrefixCache) -> None:
    """One model in replicas, the engines' prefix cache on."""
    request = ModelRequest(
        name=deployment.name,
        namespace=deployment.namespace,
        stack=deployment.stack,
        model=deployment.model,
        node_pool=deployment.node_pool,
        replicas=deployment.replicas,
        engine=deployment.engine,
        scheduler=deployment.scheduler,
        prefix_caching=True,
        request_timeout_seconds=deployment.request_timeout_seconds,
    )
    ServedModel(scope, "model", context, request)
