"""The way from the gateway to the pool."""

from llmd_bench.workload.values import COMPONENT, GRPC, HTTP, OBJECTIVE, PICKER, SERVER, Values, resource
from llmd_constructs.manifest import (
    GATEWAY,
    GCP_BACKEND_POLICY,
    HEALTH_CHECK_POLICY,
    HTTP_ROUTE,
    INFERENCE_POOL,
    SERVICE,
    JsonObject,
)


def routing(values: Values) -> list[JsonObject]:
    """Gateway, pool, route and the policies of GKE's gateway."""
    hostname = f"{values.name}.models.example.com"
    pool_reference = {"group": INFERENCE_POOL.group, "kind": INFERENCE_POOL.kind, "name": "pool"}
    listener = {
        "name": "http",
        "protocol": "HTTP",
        "port": 80,
        "hostname": hostname,
        "allowedRoutes": {"namespaces": {"from": "Same"}},
    }
    gateway = {"gatewayClassName": "gke-l7-regional-external-managed", "listeners": [listener]}
    pool = {
        "selector": {"matchLabels": {COMPONENT: SERVER}},
        "targetPorts": [{"number": HTTP}],
        "endpointPickerRef": {
            "kind": SERVICE.kind,
            "name": PICKER,
            "port": {"number": GRPC},
            "failureMode": "FailOpen",
        },
    }
    paths = ("/v1/completions", "/v1/chat/completions", "/v1/embeddings")
    route = {
        "parentRefs": [{"name": "gateway"}],
        "hostnames": [hostname],
        "rules": [
            *({"matches": [_prefix(path)], "backendRefs": [pool_reference]} for path in paths),
            {"matches": [_prefix("/")], "backendRefs": [{"name": "decode", "port": HTTP}]},
        ],
    }
    check = {
        "checkIntervalSec": 15,
        "timeoutSec": 15,
        "healthyThreshold": 1,
        "unhealthyThreshold": 2,
        "config": {"type": "HTTP", "httpHealthCheck": {"requestPath": "/health", "port": HTTP}},
    }
    backend = {"timeoutSec": 3600, "logging": {"enabled": True}}
    return [
        resource(GATEWAY, values, "gateway", "gateway", spec=gateway),
        resource(INFERENCE_POOL, values, "pool", "routing", spec=pool),
        resource(OBJECTIVE, values, "chat", "routing", spec={"priority": 10, "poolRef": pool_reference}),
        resource(HTTP_ROUTE, values, "route", "routing", spec=route),
        resource(
            HEALTH_CHECK_POLICY,
            values,
            "pool",
            "routing",
            spec={"default": check, "targetRef": pool_reference},
        ),
        resource(
            GCP_BACKEND_POLICY,
            values,
            "pool",
            "routing",
            spec={"default": backend, "targetRef": pool_reference},
        ),
    ]


def _prefix(path: str) -> JsonObject:
    return {"path": {"type": "PathPrefix", "value": path}}
