"""GKE's gateway: Google's load balancer, which is told everything by policies."""

import re
from collections import Counter
from collections.abc import Iterator

from llmd_constructs.environment import brings_inference_pool
from llmd_constructs.rules.model import Offence, rule
from llmd_constructs.rules.pods import Engine
from llmd_constructs.rules.reading import entries, mapping, text, texts
from llmd_constructs.rules.resources import Resource
from llmd_constructs.rules.routing import (
    Backend,
    backend_engines,
    backends,
    class_of,
    gateways,
    gke_routes,
    is_behind_gke,
    kserve_workload,
    writes_own_route,
)
from llmd_constructs.rules.view import View, asked_once, makes_pool

SHORTEST_TIMEOUT = 180
"""Seconds. The first request after a start may compile for two minutes (seed 002)."""
HEALTH_PATHS = ("/health", "/v1/models", "/ping")
"""Paths that vLLM answers with 200 once it serves."""
_HASHED = re.compile(r"-ips?-[0-9a-f]{8}$")
_POLICIES = ("HealthCheckPolicy", "GCPBackendPolicy")
_MOST_PREFIX = 26

GATEWAY_CLASSES = "https://docs.cloud.google.com/kubernetes-engine/docs/how-to/gatewayclass-capabilities"
GATEWAY_RESOURCES = "https://docs.cloud.google.com/kubernetes-engine/docs/how-to/configure-gateway-resources"
INFERENCE_GATEWAY = "https://docs.cloud.google.com/kubernetes-engine/docs/how-to/deploy-gke-inference-gateway"


@rule(
    "GKE-01",
    "Only a regional gateway class leads to an InferencePool",
    symptom="The Gateway gets an address, its backends never become healthy, and the route is rejected.",
    cause="GKE's global and multi-cluster load balancers do not know InferencePools.",
    instead="use gke-l7-regional-external-managed, or gke-l7-rilb inside the network",
    source=("F-01", GATEWAY_CLASSES),
)
def pool_class(view: View) -> Iterator[Offence]:
    """Every Gateway that a pool is reached through."""
    owners = [route for route in view.of("HTTPRoute") if any(backend.is_pool for backend in backends(route))]
    owners += [service for service in view.services if makes_pool(service)]
    for owner in owners:
        for gateway in gateways(view, owner):
            known = class_of(gateway)
            if known and not known.inference_pools:
                message = f"is {known.id}, and {owner.title} leads to an InferencePool"
                yield Offence(gateway.at("spec", "gatewayClassName"), message)


@rule(
    "GKE-02",
    "No route on GKE has timeouts",
    symptom='The route is not accepted: "GWCER104: Timeouts are not supported".',
    cause="GKE's gateway refuses the whole route for the field, and KServe's own route has it in every release.",
    instead="leave `timeouts` out, let KServe use a route of yours with `router.route.http.refs`, "
    "and set the timeout in a GCPBackendPolicy",
    source=("F-02", "F-95", "https://github.com/kserve/kserve/issues/5311"),
)
def route_timeouts(view: View) -> Iterator[Offence]:
    """Routes of ours, routes written inline, and routes that KServe writes by itself."""
    for route in gke_routes(view):
        for index, item in enumerate(entries(route.manifest, "spec", "rules")):
            if "timeouts" in item:
                yield Offence(
                    route.at("spec", "rules", index, "timeouts"), "is set, and GKE refuses the route for it"
                )
    for service in view.services:
        if not is_behind_gke(view, service) or not writes_own_route(service):
            continue
        rules = entries(service.manifest, "spec", "router", "route", "http", "spec", "rules")
        if not rules:
            message = "lets KServe write the route, which has `timeouts`, and GKE refuses it"
            yield Offence(service.at("spec", "router", "route"), message)
        for index, item in enumerate(rules):
            if "timeouts" in item:
                path = ("spec", "router", "route", "http", "spec", "rules", index, "timeouts")
                yield Offence(service.at(*path), "is set, and GKE refuses the route for it")


@rule(
    "GKE-03",
    "Every backend has a GCPBackendPolicy with a timeout as long as a request",
    symptom="Long answers, and the first request after a start, end with 504 after 30 seconds.",
    cause="Without a policy Google's backend service cuts a request after 30 seconds.",
    instead=f"add a GCPBackendPolicy for it with `timeoutSec` of {SHORTEST_TIMEOUT} or more",
    source=("F-03", "F-35c", "F-95", GATEWAY_RESOURCES),
)
def backend_timeout(view: View) -> Iterator[Offence]:
    """Backends of every route on GKE."""
    for backend in _gke_backends(view):
        policies = _policies(view, "GCPBackendPolicy", backend)
        if not policies:
            yield Offence(backend.at(), f"leads to {_name(backend)}, which has no GCPBackendPolicy")
        for policy in policies:
            seconds = policy.number("spec", "default", "timeoutSec")
            if seconds is None or seconds < SHORTEST_TIMEOUT:
                said = "is missing" if seconds is None else f"is {seconds}"
                message = f"{said}; {_name(backend)} answers for longer than that"
                yield Offence(
                    policy.at("spec", "default", "timeoutSec"), message, f"write {SHORTEST_TIMEOUT} or more"
                )


@rule(
    "GKE-04",
    "Every backend has a HealthCheckPolicy that asks what the server answers",
    symptom='All backends are UNHEALTHY, and the gateway says "no healthy upstream", while the pods are Ready.',
    cause="GKE does not read readiness probes: it asks for `/`, which vLLM answers with 404.",
    instead="add a HealthCheckPolicy for it: type HTTP, requestPath /health, port of the container",
    source=("F-04", "F-05", "F-06", GATEWAY_RESOURCES),
)
def health_check(view: View) -> Iterator[Offence]:
    """Backends of every route on GKE, against the servers behind them."""
    for backend in _gke_backends(view):
        policies = _policies(view, "HealthCheckPolicy", backend)
        if not policies:
            yield Offence(backend.at(), f"leads to {_name(backend)}, which has no HealthCheckPolicy")
        for policy in policies:
            for engine in backend_engines(view, backend):
                yield from _health_check_of(policy, engine)
    for policy in view.of("HealthCheckPolicy"):
        kind, namespace, _, name = _target(policy)
        service = view.find("Service", namespace, name) if kind else None
        for pod in view.service_pods(service) if service else ():
            port = policy.number("spec", "default", "config", "grpcHealthCheck", "port")
            if port is not None and pod.ports and port not in pod.ports:
                where = policy.at("spec", "default", "config", "grpcHealthCheck", "port")
                yield Offence(
                    where, f"is {port}, where {pod.owner.title} does not listen", "write the container's port"
                )


def _health_check_of(policy: Resource, engine: Engine) -> Iterator[Offence]:
    config = ("spec", "default", "config")
    kind = str(policy.get(*config, "type"))
    if engine.tls:
        return  # no check is right then, and GKE-09 says why
    if kind != engine.scheme:
        yield Offence(
            policy.at(*config, "type"), f"is {kind}, and the server speaks {engine.scheme}", "write HTTP"
        )
        return
    body = (*config, "httpHealthCheck" if kind == "HTTP" else "httpsHealthCheck")
    path, port = policy.get(*body, "requestPath"), policy.number(*body, "port")
    if path not in HEALTH_PATHS:
        message = f"is {path}, which vLLM answers with 404"
        yield Offence(policy.at(*body, "requestPath"), message, "write /health")
    if port is not None and port not in engine.pod.ports:
        message = f"is {port}, and the server listens on {engine.port}"
        yield Offence(policy.at(*body, "port"), message, f"write {engine.port}")


@rule(
    "GKE-05",
    "A policy targets the backend that the route names",
    symptom="The policy is not attached; its status says GatewayNotFound, and the load balancer keeps its defaults.",
    cause="The target is not there, or it is the Service with a hashed name that GKE derives from the pool.",
    instead="target the InferencePool itself (group inference.networking.k8s.io), or the Service that the route names",
    source=("F-07", GATEWAY_RESOURCES),
)
def policy_target(view: View) -> Iterator[Offence]:
    """Every policy of Google's."""
    named = {(item.namespace, item.kind, item.name): item for item in _gke_backends(view)}
    for policy in view.of(*_POLICIES):
        target = mapping(policy.manifest, "spec", "targetRef")
        kind, name = text(target, "kind"), text(target, "name")
        where = policy.at("spec", "targetRef")
        backend = named.get((policy.namespace, kind, name))
        if _HASHED.search(name):
            yield Offence(where, f"is {kind} {name}, which GKE makes and renames")
        elif backend is None and not _is_reached_otherwise(view, policy.namespace, kind, name):
            yield Offence(where, f"is {kind} {name}, which no route in namespace {policy.namespace} leads to")
        elif backend is not None and text(target, "group") != backend.group:
            said = text(target, "group") or "the core group"
            yield Offence(where, f"is in {said}, and the route leads to {backend.group or 'the core group'}")


def _is_reached_otherwise(view: View, namespace: str, kind: str, name: str) -> bool:
    """Whether an endpoint picker or a router that is told to the load balancer stands behind the name."""
    if kind != "Service":
        return False
    extensions = view.of("GCPRoutingExtension", "GCPTrafficExtension")
    reached = {text(item, "backendRef", "name") for each in extensions for item in _extensions(each)}
    return name in reached and view.find("Service", namespace, name) is not None


def _extensions(resource: Resource) -> Iterator[dict[str, object]]:
    for chain in entries(resource.manifest, "spec", "extensionChains"):
        yield from entries(chain, "extensions")


@rule(
    "GKE-06",
    "A backend has one policy of a kind",
    symptom="A setting has no effect, and the policy's status says that it conflicts.",
    cause="Of two policies for one target the older one wins, and the other stays unattached.",
    instead="keep one of them",
    source=("F-08", GATEWAY_RESOURCES),
)
def one_policy(view: View) -> Iterator[Offence]:
    """Policies by kind and target."""
    policies = list(view.of(*_POLICIES))
    counts = Counter(_target(policy) for policy in policies)
    for policy in policies:
        if counts[_target(policy)] > 1:
            kind, name = policy.get("spec", "targetRef", "kind"), policy.get("spec", "targetRef", "name")
            message = f"is one of {counts[_target(policy)]} {policy.kind} objects for {kind} {name}"
            yield Offence(policy.at("spec", "targetRef"), message)


@rule(
    "GKE-07",
    "A health check's numbers are those that Google accepts",
    symptom="The policy is rejected, and backends are checked at `/` as if it were not there.",
    cause="Google takes a timeout of at most the interval, and thresholds from 1 to 10.",
    instead="write checkIntervalSec 15, timeoutSec 15, healthyThreshold 1, unhealthyThreshold 2",
    source=("F-09", "https://docs.cloud.google.com/load-balancing/docs/health-check-concepts"),
)
def health_check_numbers(view: View) -> Iterator[Offence]:
    """Every HealthCheckPolicy."""
    for policy in view.of("HealthCheckPolicy"):
        default = ("spec", "default")
        interval = policy.number(*default, "checkIntervalSec") or 5
        timeout = policy.number(*default, "timeoutSec") or 5
        if timeout > interval:
            yield Offence(
                policy.at(*default, "timeoutSec"), f"is {timeout}, and checkIntervalSec is {interval}"
            )
        for field in ("healthyThreshold", "unhealthyThreshold"):
            value = policy.get(*default, field)
            if value is not None and not (isinstance(value, int) and 1 <= value <= 10):
                yield Offence(policy.at(*default, field), f"is {value}", "write a number from 1 to 10")


@rule(
    "GKE-08",
    "No route on GKE leads to KServe's workload Service of a plain-HTTP server",
    symptom="/health and /v1/models answer 502, and the log says WRONG_VERSION_NUMBER.",
    cause="KServe writes `appProtocol: https` into that Service and reconciles it back, so that GKE speaks TLS.",
    instead="lead the route to a Service of yours with the same selector and without appProtocol",
    source=("F-11", "https://github.com/kserve/kserve/issues/5531", "seed 000, accepted limitation"),
)
def workload_service(view: View) -> Iterator[Offence]:
    """Backends of every route on GKE that KServe makes."""
    release = view.context.kserve
    for route in gke_routes(view):
        for backend in backends(route):
            if (
                kserve_workload(view, backend)
                and release
                and release.workload_service_app_protocol == "https"
            ):
                yield Offence(backend.at(), f"leads to {backend.name}, whose appProtocol is https")


@rule(
    "GKE-09",
    "A server behind a pool on GKE speaks plain HTTP",
    symptom="Every backend is unhealthy, and requests fail with 502.",
    cause="An InferencePool on GKE speaks HTTP or h2c to its servers, never TLS.",
    instead="leave --ssl-certfile and --ssl-keyfile out, and give the probes the scheme HTTP",
    source=("F-12", "https://gateway-api-inference-extension.sigs.k8s.io/"),
)
def plain_http(view: View) -> Iterator[Offence]:
    """Servers of every pool that a route on GKE leads to."""
    for backend in _gke_backends(view):
        for engine in backend_engines(view, backend) if backend.is_pool else ():
            if engine.tls:
                message = f"serves TLS, and {backend.route.title} reaches it through an InferencePool"
                yield Offence(engine.at_flag("ssl-certfile"), message)


@rule(
    "GKE-10",
    "The proxy-only subnet is large enough, and apart from the control plane",
    symptom='Gateway Programmed=False: "active proxy-only subnetwork required", because the subnet cannot be made.',
    cause="Google wants /26 or larger, and subnets of one network do not overlap.",
    instead="use a range of its own such as 192.168.0.0/23",
    source=("F-13", "https://docs.cloud.google.com/load-balancing/docs/proxy-only-subnets"),
)
def proxy_subnet(view: View) -> Iterator[Offence]:
    """The range that the environment states."""
    subnet = view.environment.cluster.network.proxy_only_subnet
    where = view.setting("cluster", "network", "proxyOnlySubnet")
    if subnet and subnet.prefixlen > _MOST_PREFIX:
        yield Offence(where, f"is {subnet}, smaller than /{_MOST_PREFIX}")
    control_plane = view.environment.cluster.network.control_plane
    if subnet and control_plane and subnet.overlaps(control_plane):
        yield Offence(where, f"is {subnet}, and overlaps controlPlane {control_plane}")


@rule(
    "GKE-11",
    "Nothing installs CRDs that GKE installs",
    symptom='The sync fails: "denied by ValidatingAdmissionPolicy", or two controllers rewrite one CRD for ever.',
    cause="GKE brings Gateway API, and from 1.34.0-gke.1626000 InferencePool v1, and guards both.",
    instead="leave them to GKE; switch Gateway API on with --gateway-api=standard",
    source=("F-14h", INFERENCE_GATEWAY),
)
def gke_crds(view: View) -> Iterator[Offence]:
    """CRDs in git."""
    brings_pool = brings_inference_pool(view.environment.cluster.kubernetes)
    for crd in view.of("CustomResourceDefinition"):
        group, kind = crd.get("spec", "group"), crd.get("spec", "names", "kind")
        if group == "gateway.networking.k8s.io" or (
            (group, kind) == ("inference.networking.k8s.io", "InferencePool") and brings_pool
        ):
            yield Offence(crd.at("spec", "group"), f"defines {kind} of {group}, which GKE brings")


@rule(
    "GKE-12",
    "Load tests speak HTTP/1.1",
    symptom="Every request of the load test ends with 426 Upgrade Required.",
    cause="ApacheBench (`ab`) speaks HTTP/1.0, which Google's load balancer refuses.",
    instead="use a client that speaks HTTP/1.1, such as curl, hey or vllm bench serve",
    source=("F-14g", "https://httpd.apache.org/docs/current/programs/ab.html"),
)
def load_test(view: View) -> Iterator[Offence]:
    """Command lines of every container."""
    if not view.on_gke:
        return
    for pod in view.pods:
        for container in pod.all_containers:
            programs = {word.rpartition("/")[2] for word in container.words[:3]}
            if "ab" in programs or any(
                re.search(r"(^|[;&|]\s*)ab\s", word) for word in texts(container.manifest, "args")
            ):
                yield Offence(container.at("command"), "runs ab, which speaks HTTP/1.0")


@asked_once
def _gke_backends(view: View) -> list[Backend]:
    """Every backend of routes on GKE, each once."""
    found: dict[tuple[str, str, str], Backend] = {}
    for route in gke_routes(view):
        for backend in backends(route):
            found.setdefault((backend.namespace, backend.kind, backend.name), backend)
    return list(found.values())


def _policies(view: View, kind: str, backend: Backend) -> list[Resource]:
    return _by_target(view, kind).get((backend.namespace, backend.kind, backend.name), [])


@asked_once
def _by_target(view: View, kind: str) -> dict[tuple[str, str, str], list[Resource]]:
    found: dict[tuple[str, str, str], list[Resource]] = {}
    for policy in view.of(kind):
        found.setdefault(_target(policy)[1:], []).append(policy)
    return found


def _target(policy: Resource) -> tuple[str, str, str, str]:
    target = mapping(policy.manifest, "spec", "targetRef")
    return policy.kind, policy.namespace, text(target, "kind") or "Service", text(target, "name")


def _name(backend: Backend) -> str:
    return f"{backend.kind} {backend.namespace}/{backend.name}"


RULES = (
    pool_class,
    route_timeouts,
    backend_timeout,
    health_check,
    policy_target,
    one_policy,
    health_check_numbers,
    workload_service,
    plain_http,
    proxy_subnet,
    gke_crds,
    load_test,
)
