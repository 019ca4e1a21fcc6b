"""Pattern 3: several replicas; a request goes to the replica that has its prefix in the cache."""

from llmd_constructs.application import Application
from llmd_constructs.config.deployment import PrefixCache
from llmd_constructs.context import Context
from llmd_constructs.patterns.models import add_model, default_route, main_side
from llmd_constructs.serving.model import ModelRequest


def prefix_cache(scope: Application, context: Context, deployment: PrefixCache) -> None:
    """One model in replicas, the engines' prefix cache on."""
    request = ModelRequest(
        name=deployment.name,
        namespace=deployment.namespace,
        stack=deployment.stack,
        model=deployment.model,
        main=main_side(deployment, deployment.replicas, deployment.autoscaling),
        scheduler=deployment.scheduler,
        route=deployment.route or default_route(deployment.stack),
        prefix_caching=True,
        precise=deployment.routing == "precise",
        request_timeout_seconds=deployment.request_timeout_seconds,
    )
    add_model(scope, "model", context, request)
