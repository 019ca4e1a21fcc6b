"""Pattern 5: prefill and decode on replicas of their own."""

from llmd_constructs.application import Application
from llmd_constructs.config.deployment import Phase, PrefillDecode
from llmd_constructs.context import Context
from llmd_constructs.patterns.models import add_model, default_route
from llmd_constructs.serving.model import ModelRequest, Side


def prefill_decode(scope: Application, context: Context, deployment: PrefillDecode) -> None:
    """One model, two sides, one pool, one picker that chooses a replica of each."""
    request = ModelRequest(
        name=deployment.name,
        namespace=deployment.namespace,
        stack=deployment.stack,
        model=deployment.model,
        main=_side(deployment, deployment.decode),
        prefill=_side(deployment, deployment.prefill),
        scheduler=deployment.scheduler,
        route=deployment.route or default_route(deployment.stack),
        request_timeout_seconds=deployment.request_timeout_seconds,
    )
    add_model(scope, "model", context, request)


def _side(deployment: PrefillDecode, phase: Phase) -> Side:
    return Side(
        phase.node_pool or deployment.node_pool,
        phase.replicas,
        phase.engine or deployment.engine,
        phase.autoscaling,
    )
