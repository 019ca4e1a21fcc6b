"""Pattern 2: several models behind one gateway, each with a pool and a picker of its own (failure F-75)."""

from llmd_constructs.application import Application
from llmd_constructs.config.deployment import MultiModel, ServedModel, most_replicas
from llmd_constructs.context import Context
from llmd_constructs.manifest import SERVICE
from llmd_constructs.patterns.models import add_model
from llmd_constructs.serving.kserve_names import KServeNames
from llmd_constructs.serving.llmd_names import LlmdNames
from llmd_constructs.serving.model import ModelRequest, Side
from llmd_constructs.serving.routes import GkeBackendPolicies, Route, path_rule, service_backend


def multi_model(scope: Application, context: Context, deployment: MultiModel) -> None:
    """Every model; where the body decides, also a default route."""
    for served in deployment.models:
        add_model(scope, served.name, context, _request(deployment, served))
    if deployment.routing == "body":
        _default_route(scope, context, deployment)


def _request(deployment: MultiModel, served: ServedModel) -> ModelRequest:
    return ModelRequest(
        name=served.name,
        namespace=deployment.namespace,
        stack=deployment.stack,
        model=served.model,
        main=Side(served.node_pool, served.replicas, served.engine, served.autoscaling),
        scheduler=deployment.scheduler,
        route=deployment.routing,
        prefix_caching=most_replicas(served) > 1,
        adapters=served.adapters,
        request_timeout_seconds=deployment.request_timeout_seconds,
    )


def _default_route(scope: Application, context: Context, deployment: MultiModel) -> None:
    """Requests without a body, such as `GET /v1/models`, and unknown models, which vLLM refuses in clear words.

    Without it the gateway answers both with 404 and no reason (failure F-81).
    """
    service = _first_service(context, deployment)
    gateway = context.environment.platform.gateway
    if gateway.provider == "gke" and deployment.stack == "llm-d":
        GkeBackendPolicies(
            scope,
            "default.policies",
            name=service,
            namespace=deployment.namespace,
            kind=SERVICE,
            timeout_seconds=deployment.request_timeout_seconds,
            part_of=context.name,
        )
    Route(
        scope,
        # No model can have a name with a full stop in it.
        "default.route",
        name=f"{deployment.name}-default",
        namespace=deployment.namespace,
        gateway=gateway,
        rules=[path_rule("/", service_backend(service))],
        part_of=context.name,
    )


def _first_service(context: Context, deployment: MultiModel) -> str:
    """The Service of the first model: ours, or KServe's where the gateway can use it."""
    first = deployment.models[0].name
    if deployment.stack == "llm-d":
        return LlmdNames(first).model_service
    names = KServeNames(first)
    return (
        names.own_service
        if context.environment.platform.gateway.provider == "gke"
        else names.workload_service
    )
