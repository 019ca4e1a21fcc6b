"""HTTPRoutes, and the policies that GKE's gateway needs on every backend."""

from collections.abc import Sequence

from llmd_constructs.application import Application, Component
from llmd_constructs.config.platform import Gateway
from llmd_constructs.labels import recommended
from llmd_constructs.manifest import (
    GCP_BACKEND_POLICY,
    HEALTH_CHECK_POLICY,
    HTTP_ROUTE,
    JsonObject,
    Kind,
    compact,
)
from llmd_constructs.serving.engine import HEALTH_PATH, MODEL_SERVER_PORT

BASE_MODEL_HEADER = "X-Gateway-Base-Model-Name"
"""Header in which the body-based router names the base model of a request, adapters resolved."""


def pool_backend(pool: str, kind: Kind) -> JsonObject:
    """A route's reference to an InferencePool.

    Without a port: the pool knows its own, and 54321 is GKE's internal one (domain C-3).
    """
    return {"group": kind.group, "kind": kind.kind, "name": pool}


def service_backend(service: str) -> JsonObject:
    """A route's reference to a Service in front of the model servers."""
    return {"name": service, "port": MODEL_SERVER_PORT}


def path_rule(path: str, backend: JsonObject, *, rewrite: str | None = None) -> JsonObject:
    """A rule for one path prefix. Gateway API allows a prefix rewrite only beside exactly one match."""
    replace = {
        "type": "URLRewrite",
        "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": rewrite}},
    }
    return compact(
        matches=[{"path": {"type": "PathPrefix", "value": path}}],
        filters=[replace] if rewrite else [],
        backendRefs=[backend],
    )


def model_rule(model: str, backend: JsonObject) -> JsonObject:
    """A rule for requests whose body names `model`; the body-based router has put the name into a header."""
    header = {"type": "Exact", "name": BASE_MODEL_HEADER, "value": model}
    match = {"path": {"type": "PathPrefix", "value": "/"}, "headers": [header]}
    return {"matches": [match], "backendRefs": [backend]}


class Route(Component):
    """An HTTPRoute to one model.

    It never has `timeouts`: GKE's gateway rejects the whole route for them (GWCER104), and Istio's default is none.
    """

    def __init__(
        self,
        scope: Application | Component,
        id: str,
        *,
        name: str,
        namespace: str,
        gateway: Gateway,
        rules: Sequence[JsonObject],
        part_of: str,
    ) -> None:
        """Render the route.

        Args:
            scope: Application or component it belongs to.
            id: Construct id.
            name: Name of the HTTPRoute.
            namespace: Namespace of the HTTPRoute and of its backends.
            gateway: The Gateway it attaches to.
            rules: Rules in order.
            part_of: The environment.
        """
        super().__init__(scope, id)
        parent = {"name": gateway.name, "namespace": gateway.namespace}
        self.add(
            HTTP_ROUTE.manifest(
                name,
                namespace,
                labels=recommended(name, "route", part_of),
                spec=compact(
                    parentRefs=[parent],
                    hostnames=[gateway.hostname] if gateway.hostname else [],
                    rules=list(rules),
                ),
            ),
        )


class GkeBackendPolicies(Component):
    """Health check and timeout of one backend of GKE's gateway.

    Without them GKE probes `/`, which vLLM answers with 404, and cuts every answer after 30 seconds.
    The target is the InferencePool itself, never the headless Service that GKE derives from it (F-03, F-04, F-07).
    """

    def __init__(
        self,
        scope: Application | Component,
        id: str,
        *,
        name: str,
        namespace: str,
        kind: Kind,
        timeout_seconds: int,
        part_of: str,
    ) -> None:
        """Render both policies for the backend `name` of `kind`."""
        super().__init__(scope, id)
        labels = recommended(name, "backend-policy", part_of)
        target = {"group": kind.group, "kind": kind.kind, "name": name}
        self.add(
            HEALTH_CHECK_POLICY.manifest(
                name,
                namespace,
                labels=labels,
                spec={"default": _health_check(), "targetRef": target},
            ),
        )
        backend = {
            "timeoutSec": timeout_seconds,
            # GKE's default is none: a pod that goes takes its running requests along.
            "connectionDraining": {"drainingTimeoutSec": timeout_seconds},
            "logging": {"enabled": True},
        }
        self.add(
            GCP_BACKEND_POLICY.manifest(
                name, namespace, labels=labels, spec={"default": backend, "targetRef": target}
            ),
        )


def _health_check() -> JsonObject:
    """The seeds' numbers: every 15 s, one success brings a backend in, two failures take it out."""
    return {
        "checkIntervalSec": 15,
        "timeoutSec": 15,
        "healthyThreshold": 1,
        "unhealthyThreshold": 2,
        "logConfig": {"enabled": True},
        "config": {
            "type": "HTTP",
            "httpHealthCheck": {"requestPath": HEALTH_PATH, "port": MODEL_SERVER_PORT},
        },
    }


def model_rules(base: str, paths: Sequence[str], pool: JsonObject, service: JsonObject) -> list[JsonObject]:
    """Prompts through the pool, the rest to the Service.

    Args:
        base: Where the model is served: `/<namespace>/<name>`, or empty for `/`.
        paths: Paths whose prompts the picker can read; to others it would answer 400.
        pool: Backend of prompts.
        service: Backend of everything else, `/health` and `/v1/models` among it.
    """
    inference = [path_rule(f"{base}{path}", pool, rewrite=path if base else None) for path in paths]
    return [*inference, path_rule(base or "/", service, rewrite="/" if base else None)]
