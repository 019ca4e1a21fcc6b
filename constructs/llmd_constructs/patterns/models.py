"""Puts one model into an application, on the stack that it asks for."""

from llmd_constructs.application import Application
from llmd_constructs.config.deployment import Autoscaling, SinglePoolDeployment, Stack
from llmd_constructs.context import Context
from llmd_constructs.serving.kserve_model import KServeModel
from llmd_constructs.serving.llmd_model import LlmdModel
from llmd_constructs.serving.model import ModelRequest, RouteKind, Side


def add_model(scope: Application, id: str, context: Context, request: ModelRequest) -> None:
    """Render one model.

    Raises:
        ValueError: It asks for KServe, and the environment has none.
    """
    if request.stack == "llm-d":
        LlmdModel(scope, id, context, request)
        return
    release = context.kserve
    if release is None:
        raise ValueError(f"deployment {request.name} uses KServe, and platform.kserve is not set")
    KServeModel(scope, id, context, request, release)


def default_route(stack: Stack) -> RouteKind:
    """KServe serves below `/<namespace>/<name>`; llm-d, as its charts do, at `/`."""
    return "path" if stack == "kserve" else "root"


def main_side(
    deployment: SinglePoolDeployment, replicas: int, autoscaling: Autoscaling | None = None
) -> Side:
    """The replicas of a deployment that names one node pool."""
    return Side(deployment.node_pool, replicas, deployment.engine, autoscaling)
