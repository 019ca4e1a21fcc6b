"""What a gateway of GKE's would do with its objects, as a configuration for a stock Envoy.

Only what GKE's gateway supports is carried out. What it refuses is refused here too, with a reason; everything else of
Google's load balancer (addresses, firewalls, health checks, logging) is not played.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Object = Mapping[str, Any]

INFERENCE_POOL = "InferencePool"
CLASSES = ("gke-l7-regional-external-managed", "gke-l7-rilb")
"""The classes of GKE that lead to InferencePools."""

_TYPE = "type.googleapis.com/envoy"
_PICKED = "x-gateway-destination-endpoint"
_DEFAULT_SECONDS = 30
"""Of a backend without a GCPBackendPolicy."""
_SUPPORTED_FILTERS = frozenset(
    {"RequestHeaderModifier", "ResponseHeaderModifier", "RequestRedirect", "RequestMirror", "URLRewrite"}
)
_RULE_FIELDS = frozenset({"name", "matches", "filters", "backendRefs"})
"""GKE refuses a whole route for its `timeouts`, `retry` or `sessionPersistence`."""


@dataclass(frozen=True)
class Objects:
    """What a gateway looks at, by namespace and name where it is looked up."""

    gateway: Object
    routes: Sequence[Object]
    pools: Mapping[tuple[str, str], Object]
    services: Mapping[tuple[str, str], Object]
    slices: Sequence[Object]
    pods: Sequence[Object]
    policies: Sequence[Object]
    extensions: Sequence[Object]


@dataclass(frozen=True)
class Configuration:
    """What Envoy is told.

    Attributes:
        listener: Its one listener.
        clusters: Where it sends requests to.
        endpoints: The endpoints of each cluster by the name of the file that Envoy finds them in: apart, so that a
            change does not break requests under way.
        refused: Why a route is not carried out, by namespace and name.
    """

    listener: dict[str, Any]
    clusters: list[dict[str, Any]]
    endpoints: Mapping[str, dict[str, Any]]
    refused: Mapping[tuple[str, str], list[str]]


def configuration(objects: Objects, address: str, folder: str) -> Configuration:
    """The configuration for a gateway.

    Args:
        objects: What there is.
        address: Where the gateway listens.
        folder: Where Envoy finds files with endpoints.
    """
    refused = {key_of(route): why for route in objects.routes if (why := list(refusals(route, objects)))}
    taken = [route for route in objects.routes if key_of(route) not in refused]
    rules = [(route, rule) for route in taken for rule in route["spec"]["rules"]]
    routes = [each for route, rule in rules for each in _routes(route, rule, objects)]
    clusters = {name: cluster for route, rule in rules for name, cluster in _clusters(route, rule, objects)}
    clusters |= {name: cluster for each in objects.extensions for name, cluster in _extension(each, objects)}
    listener = _listener(objects, address, [route for _, route in sorted(routes, key=lambda each: each[0])])
    endpoints = {_file_name(name): cluster.pop("load_assignment") for name, cluster in clusters.items()}
    for name, cluster in clusters.items():
        source = {"path": f"{folder}/{_file_name(name)}"}
        config = {"path_config_source": source, "resource_api_version": "V3"}
        cluster["eds_cluster_config"] = {"eds_config": config}
    return Configuration(listener, list(clusters.values()), endpoints, refused)


def _file_name(cluster: str) -> str:
    return f"eds-{cluster.replace('/', '_')}.json"


def key_of(thing: Object) -> tuple[str, str]:
    """Namespace and name."""
    return thing["metadata"]["namespace"], thing["metadata"]["name"]


def refusals(route: Object, objects: Objects) -> Iterator[str]:
    """Why GKE's gateway would not carry a route out; nothing if it would."""
    for index, rule in enumerate(route["spec"]["rules"]):
        place = f"rules[{index}]"
        for field in sorted(rule.keys() - _RULE_FIELDS):
            yield f"{place}.{field}: not supported"
        for match in rule.get("matches", []):
            yield from _unsupported(match, place)
        for each in rule.get("filters", []):
            if each["type"] not in _SUPPORTED_FILTERS:
                yield f"{place}: filter {each['type']} is not supported"
        for reference in rule["backendRefs"]:
            yield from _missing(reference, route, objects, place)


def _unsupported(match: Object, place: str) -> Iterator[str]:
    matchers = [match.get("path", {}), *match.get("headers", []), *match.get("queryParams", [])]
    if any(each.get("type") == "RegularExpression" for each in matchers):
        yield f"{place}: matches by regular expression are not supported"


def _missing(reference: Object, route: Object, objects: Objects, place: str) -> Iterator[str]:
    kind = reference.get("kind", "Service")
    known = objects.pools if kind == INFERENCE_POOL else objects.services
    if _backend(reference, route) not in known:
        yield f"{place}: {kind} {reference['name']} is not there"
    elif kind == INFERENCE_POOL and objects.gateway["spec"]["gatewayClassName"] not in CLASSES:
        yield f"{place}: class {objects.gateway['spec']['gatewayClassName']} does not lead to an InferencePool"


def _backend(reference: Object, route: Object) -> tuple[str, str]:
    return reference.get("namespace", route["metadata"]["namespace"]), reference["name"]


def _cluster_name(reference: Object, route: Object) -> str:
    namespace, name = _backend(reference, route)
    return f"{reference.get('kind', 'Service')}/{namespace}/{name}/{reference.get('port', '')}"


def _routes(
    route: Object, rule: Object, objects: Objects
) -> Iterator[tuple[tuple[float, ...], dict[str, Any]]]:
    """Envoy's routes for a rule, each with its rank: exact paths first, then longer prefixes, then more headers."""
    matches: list[Object] = rule.get("matches") or [{}]
    for match in matches:
        path: Object = match.get("path", {"type": "PathPrefix", "value": "/"})
        headers: list[Object] = match.get("headers", [])
        exact = path["type"] == "Exact"
        rank = (0.0 if exact else 1.0, -float(len(path["value"])), -float(len(headers)))
        yield rank, _route(route, rule, _match(path, headers), path, objects)


def _match(path: Object, headers: Iterable[Object]) -> dict[str, Any]:
    value = path["value"]
    if path["type"] == "Exact":
        found: dict[str, Any] = {"path": value}
    else:
        found = {"prefix": "/"} if value == "/" else {"path_separated_prefix": value.rstrip("/")}
    found["headers"] = [
        {"name": each["name"].lower(), "string_match": {"exact": each["value"]}} for each in headers
    ]
    return found


def _route(
    route: Object, rule: Object, match: dict[str, Any], path: Object, objects: Objects
) -> dict[str, Any]:
    [reference] = rule["backendRefs"][:1]
    action: dict[str, Any] = {
        "cluster": _cluster_name(reference, route),
        "timeout": f"{_seconds(reference, route, objects)}s",
    }
    for each in rule.get("filters", []):
        rewrite = each.get("urlRewrite", {}).get("path", {})
        if rewrite.get("type") == "ReplacePrefixMatch":
            action |= _rewrite(path["value"], rewrite["replacePrefixMatch"])
    found: dict[str, Any] = {"match": match, "route": action}
    if reference.get("kind") == INFERENCE_POOL:
        pool = objects.pools[_backend(reference, route)]
        found["typed_per_filter_config"] = {_PICKER_FILTER: _picking(pool)}
    return found


def _rewrite(prefix: str, replacement: str) -> dict[str, Any]:
    """A prefix replaced; one that becomes the root takes the slash after it along."""
    if replacement != "/":
        return {"prefix_rewrite": replacement}
    pattern = {"regex": f"^{prefix.rstrip('/')}/?(.*)$"}
    return {"regex_rewrite": {"pattern": pattern, "substitution": r"/\1"}}


def _seconds(reference: Object, route: Object, objects: Objects) -> int:
    """How long a request may take: what the backend's GCPBackendPolicy says."""
    namespace, name = _backend(reference, route)
    for policy in objects.policies:
        target = policy["spec"]["targetRef"]
        same_kind = target["kind"] == reference.get("kind", "Service")
        if (policy["metadata"]["namespace"], target["name"]) == (namespace, name) and same_kind:
            return policy["spec"]["default"].get("timeoutSec", _DEFAULT_SECONDS)
    return _DEFAULT_SECONDS


_PICKER_FILTER = "picker"
_PROCESSING = {
    "request_header_mode": "SEND",
    "response_header_mode": "SEND",
    "request_body_mode": "FULL_DUPLEX_STREAMED",
    "response_body_mode": "FULL_DUPLEX_STREAMED",
    "request_trailer_mode": "SEND",
    "response_trailer_mode": "SEND",
}
_REQUESTS_ONLY = {
    "request_header_mode": "SEND",
    "response_header_mode": "SKIP",
    "request_body_mode": "FULL_DUPLEX_STREAMED",
    "response_body_mode": "NONE",
    "request_trailer_mode": "SEND",
    "response_trailer_mode": "SKIP",
}


def _grpc(cluster: str) -> dict[str, Any]:
    return {"envoy_grpc": {"cluster_name": cluster}, "timeout": "10s"}


def _picker_name(pool: Object) -> str:
    return f"picker/{pool['metadata']['namespace']}/{pool['spec']['endpointPickerRef']['name']}"


def _picking(pool: Object) -> dict[str, Any]:
    opens = pool["spec"]["endpointPickerRef"].get("failureMode") == "FailOpen"
    overrides = {"grpc_service": _grpc(_picker_name(pool)), "failure_mode_allow": opens}
    return {
        "@type": f"{_TYPE}.extensions.filters.http.ext_proc.v3.ExtProcPerRoute",
        "overrides": overrides,
    }


def _processor(name: str, cluster: str, modes: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": name,
        "typed_config": {
            "@type": f"{_TYPE}.extensions.filters.http.ext_proc.v3.ExternalProcessor",
            "grpc_service": _grpc(cluster),
            "message_timeout": "10s",
            "processing_mode": dict(modes),
            "allow_mode_override": True,
        },
    }


def _listener(objects: Objects, address: str, routes: list[dict[str, Any]]) -> dict[str, Any]:
    filters = [
        _processor(f"extension-{name}", name, _REQUESTS_ONLY)
        for each in objects.extensions
        for name, _ in _extension(each, objects)
    ]
    filters.append({**_processor(_PICKER_FILTER, "none", _PROCESSING), "disabled": True})
    router = {"@type": f"{_TYPE}.extensions.filters.http.router.v3.Router"}
    filters.append({"name": "envoy.filters.http.router", "typed_config": router})
    manager = {
        "@type": f"{_TYPE}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "gateway",
        "route_config": {
            "name": "routes",
            "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}],
            # Envoy reads clusters from another file, maybe later, and does not look again at what it has rejected.
            "validate_clusters": False,
        },
        "http_filters": filters,
    }
    port = objects.gateway["spec"]["listeners"][0]["port"]
    return {
        "@type": f"{_TYPE}.config.listener.v3.Listener",
        "name": "gateway",
        "address": {"socket_address": {"address": address, "port_value": port}},
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }


def _clusters(route: Object, rule: Object, objects: Objects) -> Iterator[tuple[str, dict[str, Any]]]:
    [reference] = rule["backendRefs"][:1]
    name, key = _cluster_name(reference, route), _backend(reference, route)
    if reference.get("kind") != INFERENCE_POOL:
        yield name, _cluster(name, _service_endpoints(key, reference["port"], objects))
        return
    pool = objects.pools[key]
    override = {
        "@type": f"{_TYPE}.extensions.load_balancing_policies.override_host.v3.OverrideHost",
        "override_host_sources": [{"header": _PICKED}],
        "fallback_policy": _policy("round_robin", {"@type": _ROUND_ROBIN}),
    }
    yield (
        name,
        {
            **_cluster(name, _pool_endpoints(pool, objects)),
            "load_balancing_policy": _policy("override_host", override),
        },
    )
    picker = (key[0], pool["spec"]["endpointPickerRef"]["name"])
    port = pool["spec"]["endpointPickerRef"]["port"]["number"]
    yield _picker_name(pool), _grpc_cluster(_picker_name(pool), _service_endpoints(picker, port, objects))


_ROUND_ROBIN = f"{_TYPE}.extensions.load_balancing_policies.round_robin.v3.RoundRobin"


def _policy(name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    extension = {"name": f"envoy.load_balancing_policies.{name}", "typed_config": dict(config)}
    return {"policies": [{"typed_extension_config": extension}]}


def _extension(extension: Object, objects: Objects) -> Iterator[tuple[str, dict[str, Any]]]:
    """The program that a GCPRoutingExtension has requests pass through."""
    namespace = extension["metadata"]["namespace"]
    for chain in extension["spec"]["extensionChains"]:
        for each in chain["extensions"]:
            backend = each["backendRef"]
            name = f"extension/{namespace}/{backend['name']}"
            ends = _service_endpoints((namespace, backend["name"]), backend["port"], objects)
            yield name, _grpc_cluster(name, ends)


def _cluster(name: str, endpoints: Iterable[tuple[str, int]]) -> dict[str, Any]:
    ends = [
        {"endpoint": {"address": {"socket_address": {"address": host, "port_value": port}}}}
        for host, port in sorted(endpoints)
    ]
    return {
        "@type": f"{_TYPE}.config.cluster.v3.Cluster",
        "name": name,
        "type": "EDS",
        "connect_timeout": "5s",
        "load_assignment": {
            "@type": f"{_TYPE}.config.endpoint.v3.ClusterLoadAssignment",
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": ends}],
        },
    }


def _grpc_cluster(name: str, endpoints: Iterable[tuple[str, int]]) -> dict[str, Any]:
    """Over HTTP/2 and TLS, whose certificate nobody checks: Google's load balancer does not either."""
    protocol = f"{_TYPE}.extensions.upstreams.http.v3.HttpProtocolOptions"
    options: Object = {"@type": protocol, "explicit_http_config": {"http2_protocol_options": {}}}
    tls = {"@type": f"{_TYPE}.extensions.transport_sockets.tls.v3.UpstreamTlsContext"}
    return {
        **_cluster(name, endpoints),
        "typed_extension_protocol_options": {protocol.rpartition("/")[2]: options},
        "transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": tls},
    }


def _service_endpoints(key: tuple[str, str], port: int, objects: Objects) -> Iterator[tuple[str, int]]:
    """The ready endpoints of a Service's port."""
    service: Object = objects.services.get(key, {"spec": {}})
    names = {each.get("name") for each in service["spec"].get("ports", []) if each["port"] == port}
    for found in objects.slices:
        metadata = found["metadata"]
        owner = metadata.get("labels", {}).get("kubernetes.io/service-name")
        if (metadata["namespace"], owner) != key:
            continue
        given: list[Object] = found.get("ports") or []
        ports = [each["port"] for each in given if (each.get("name") or None) in names]
        endpoints: list[Object] = found.get("endpoints") or []
        for endpoint in endpoints:
            if endpoint.get("conditions", {}).get("ready", True):
                yield from ((endpoint["addresses"][0], each) for each in ports)


def _pool_endpoints(pool: Object, objects: Objects) -> Iterator[tuple[str, int]]:
    """The ready pods that a pool selects."""
    wanted = pool["spec"]["selector"]["matchLabels"].items()
    for pod in objects.pods:
        labels = pod["metadata"].get("labels", {})
        mine = pod["metadata"]["namespace"] == pool["metadata"]["namespace"] and wanted <= labels.items()
        conditions = pod.get("status", {}).get("conditions", [])
        if mine and any((each["type"], each["status"]) == ("Ready", "True") for each in conditions):
            yield pod["status"]["podIP"], pool["spec"]["targetPorts"][0]["number"]
