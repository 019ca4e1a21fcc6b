"""Gateways and routes: every route has a parent that lets it in and a backend that is there."""

import json
from collections.abc import Iterator

from llmd_constructs.labels import NAMESPACE_NAME
from llmd_constructs.manifest import JsonObject
from llmd_constructs.rules.model import Offence, Where, rule
from llmd_constructs.rules.reading import entries, labels, mapping, selects, text, texts
from llmd_constructs.rules.resources import Resource
from llmd_constructs.rules.routing import (
    POOL_GROUPS,
    Backend,
    Parent,
    backends,
    class_of,
    gateways,
    kserve_workload,
    parents,
    provider_of,
)
from llmd_constructs.rules.view import View

MOST_RULES = 16
LOAD_BALANCER = "networking.gke.io/load-balancer-type"
"""Annotation of a Service of GKE's; Istio hands a Gateway's infrastructure annotations on to its Service."""
_HTTP_ROUTE = "https://gateway-api.sigs.k8s.io/reference/spec/#httproute"
_CROSS = "https://gateway-api.sigs.k8s.io/guides/multiple-ns/"


@rule(
    "GWY-01",
    "Every route has a Gateway that lets it in",
    symptom="The route stays Accepted=False, or nothing ever comes: fault filter abort.",
    cause="The parent is in another namespace than the route says, or its listener takes no routes from there.",
    instead="name gateway and namespace as rendered, and let the listener take routes of this namespace",
    source=("F-14e", "F-14", _CROSS),
)
def parent(view: View) -> Iterator[Offence]:
    """Parents of routes, and gateways of every LLMInferenceService."""
    for owner in (*view.of("HTTPRoute"), *view.services):
        found = list(parents(view, owner))
        if owner.kind == "HTTPRoute" and not found:
            yield Offence(owner.at("spec", "parentRefs"), "names no Gateway")
        for item in found:
            yield from _let_in(view, item)


def _let_in(view: View, item: Parent) -> Iterator[Offence]:
    gateway = view.find("Gateway", item.namespace, item.name)
    if gateway is None:
        yield Offence(item.where, f"is Gateway {item.namespace}/{item.name}, which is not there")
        return
    listeners = [
        listener
        for listener in entries(gateway.manifest, "spec", "listeners")
        if not item.section or text(listener, "name") == item.section
    ]
    if not any(_takes(view, gateway, listener, item.owner) for listener in listeners):
        message = (
            f"takes no {item.owner.kind} from namespace {item.owner.namespace}, where {item.owner.name} is"
        )
        yield Offence(gateway.at("spec", "listeners"), message)


def _takes(view: View, gateway: Resource, listener: JsonObject, route: Resource) -> bool:
    if text(listener, "protocol") not in ("HTTP", "HTTPS") or not _hosts_meet(listener, route):
        return False
    allowed = mapping(listener, "allowedRoutes", "namespaces")
    match text(allowed, "from") or "Same":
        case "All":
            return True
        case "Selector":
            namespace = view.find("Namespace", "", route.namespace)
            own = labels(namespace.manifest, "metadata", "labels") if namespace else {}
            return selects(mapping(allowed, "selector"), {**own, NAMESPACE_NAME: route.namespace})
        case "Same":
            return gateway.namespace == route.namespace
        case _:
            return False


def _hosts_meet(listener: JsonObject, route: Resource) -> bool:
    host = text(listener, "hostname")
    wanted = texts(route.manifest, "spec", "hostnames") if route.kind == "HTTPRoute" else []
    if not host or not wanted:
        return True
    return any(_host_matches(host, name) or _host_matches(name, host) for name in wanted)


def _host_matches(pattern: str, name: str) -> bool:
    return name == pattern or (pattern.startswith("*.") and name.endswith(pattern[1:]))


@rule(
    "GWY-02",
    "A route names an InferencePool without a port",
    symptom="The route works on one gateway and not on another, or is rejected.",
    cause="The pool knows its own port; 54321 is GKE's internal one, which guides copied from the console.",
    instead="leave `port` out",
    source=("F-14f", "C-3", "https://gateway-api-inference-extension.sigs.k8s.io/"),
)
def pool_port(view: View) -> Iterator[Offence]:
    """Backends that are pools."""
    for route in view.of("HTTPRoute"):
        for backend in backends(route):
            if backend.is_pool and "port" in backend.reference:
                yield Offence(backend.at("port"), f"is {backend.reference['port']}")


@rule(
    "GWY-03",
    "Something attaches to every Gateway",
    severity="warning",
    symptom="Every request ends with fault filter abort (GKE) or 404 (Istio), and the load balancer costs money.",
    cause="No route and no LLMInferenceService names this Gateway.",
    instead="take the Gateway away, or attach a route",
    source=("F-14",),
)
def attached(view: View) -> Iterator[Offence]:
    """Every Gateway."""
    used = {
        (item.namespace, item.name)
        for owner in (*view.of("HTTPRoute"), *view.services)
        for item in parents(view, owner)
    }
    for gateway in view.of("Gateway"):
        if (gateway.namespace, gateway.name) not in used:
            yield Offence(gateway.at("spec", "listeners"), "has no route")


@rule(
    "GWY-04",
    "Every backend of a route is there",
    symptom="The route stays ResolvedRefs=False, and requests end with 500.",
    cause="The name is typed by hand: guides write N-pool or N-predictor, and KServe makes N-inference-pool.",
    instead="name a Service or InferencePool of this environment, as rendered or as KServe names it",
    source=("F-90", "F-82", "seeds 001 and 002", _HTTP_ROUTE),
)
def backend_there(view: View) -> Iterator[Offence]:
    """Backends of routes, and routes that an LLMInferenceService names."""
    for route in view.of("HTTPRoute"):
        for backend in backends(route):
            problem = _lost(view, backend)
            if problem:
                yield Offence(backend.at(), problem)
    for service in view.services:
        for index, reference in enumerate(
            entries(service.manifest, "spec", "router", "route", "http", "refs")
        ):
            name = text(reference, "name")
            if not view.find("HTTPRoute", service.namespace, name):
                where = service.at("spec", "router", "route", "http", "refs", index)
                yield Offence(where, f"is HTTPRoute {service.namespace}/{name}, which is not there")


def _lost(view: View, backend: Backend) -> str:
    name = f"{backend.kind} {backend.namespace}/{backend.name}"
    if backend.kind not in ("Service", "InferencePool"):
        return ""
    if backend.is_pool:
        pool = view.pool(backend.namespace, backend.name)
        if pool is None:
            return f"leads to {name}, which is not there"
        if backend.group not in pool.groups:
            return f"leads to {name} of group {backend.group or 'core'}, and it is in {' and '.join(pool.groups)}"
        return ""
    service = view.find("Service", backend.namespace, backend.name)
    if service is None:
        return "" if kserve_workload(view, backend) else f"leads to {name}, which is not there"
    ports = [port.get("port") for port in entries(service.manifest, "spec", "ports")]
    port = backend.reference.get("port")
    return "" if port in ports else f"leads to port {port} of {name}, which has {', '.join(map(str, ports))}"


@rule(
    "GWY-05",
    "A route has the form that Gateway API takes",
    symptom='The sync fails: "spec.rules: Too many", or "exactly one PathPrefix match" for a rewrite. A route without '
    "rules answers 404.",
    cause=f"A route takes 1 to {MOST_RULES} rules, and a prefix rewrite stands beside exactly one prefix match.",
    instead="split the route, or write one rule per prefix",
    source=("domain section 6", _HTTP_ROUTE),
)
def route_form(view: View) -> Iterator[Offence]:
    """Rules of every route."""
    for route in view.of("HTTPRoute"):
        rules = entries(route.manifest, "spec", "rules")
        if not rules:
            yield Offence(route.at("spec", "rules"), "is empty, and nothing is routed", "write a rule")
        if len(rules) > MOST_RULES:
            yield Offence(route.at("spec", "rules"), f"has {len(rules)} rules")
        for index, item in enumerate(rules):
            rewrites = [each for each in entries(item, "filters") if _replaces_prefix(each)]
            prefixes = [text(match, "path", "type") or "PathPrefix" for match in entries(item, "matches")]
            if rewrites and prefixes != ["PathPrefix"]:
                yield Offence(route.at("spec", "rules", index, "matches"), "has no single prefix to rewrite")


def _replaces_prefix(item: JsonObject) -> bool:
    return any(
        text(item, each, "path", "type") == "ReplacePrefixMatch" for each in ("urlRewrite", "requestRedirect")
    )


@rule(
    "GWY-06",
    "Only kinds of the environment's own gateway are rendered",
    symptom='The sync fails: no matches for kind "GCPBackendPolicy", or the object is there and does nothing.',
    cause="networking.gke.io is read by GKE's gateway alone, networking.istio.io by Istio alone.",
    instead="take the object out, or write the other provider's counterpart",
    source=("F-94", "F-86"),
)
def own_kinds(view: View) -> Iterator[Offence]:
    """Objects of both providers' API groups."""
    providers = {provider_of(gateway) for gateway in view.of("Gateway")} - {""}
    groups = {"networking.gke.io": "gke", "networking.istio.io": "istio"}
    for resource in view.resources:
        owner = groups.get(resource.group)
        if owner and providers and owner not in providers:
            other = " and ".join(sorted(providers))
            yield Offence(
                resource.at("apiVersion"), f"is {resource.api_version}, and the gateway is {other}'s"
            )


@rule(
    "GWY-07",
    "Requests without a model name have a way too",
    severity="warning",
    symptom="GET /v1/models and /health end with 404, while completions work.",
    cause="All routes of the Gateway match a header that a router sets from the request's body; a GET has none.",
    instead="add a route without header match for /v1/models, or one path per model",
    source=("F-81", "seed: httproutes-bbr"),
)
def default_way(view: View) -> Iterator[Offence]:
    """Gateways all of whose routes match headers."""
    for gateway in view.of("Gateway"):
        routes = [
            route for route in view.of("HTTPRoute") if any(item is gateway for item in gateways(view, route))
        ]
        plain = [match for route in routes for match in _matches(route) if not match.get("headers")]
        if routes and not plain:
            yield Offence(
                routes[0].at("spec", "rules"), "matches headers only, as do all routes of its Gateway"
            )


def _matches(route: Resource) -> Iterator[JsonObject]:
    for item in entries(route.manifest, "spec", "rules"):
        yield from entries(item, "matches") or [{}]


@rule(
    "GWY-08",
    "No two routes of a Gateway match the same requests",
    symptom="One model never gets a request; the other one answers for it.",
    cause="Of two routes with one match the older one wins, without a word in any status.",
    instead="give each deployment a path, a host name or a header of its own",
    source=("F-76", "F-86", _HTTP_ROUTE),
)
def unique_matches(view: View) -> Iterator[Offence]:
    """Matches of all rules of all routes, by gateway and host name."""
    seen: dict[str, Where] = {}
    for route in view.of("HTTPRoute"):
        attached_to = sorted((item.namespace, item.name, item.section) for item in parents(view, route))
        hosts = sorted(texts(route.manifest, "spec", "hostnames"))
        for index, item in enumerate(entries(route.manifest, "spec", "rules")):
            for match in entries(item, "matches") or [{}]:
                key = json.dumps([attached_to, hosts, _normal(match)], sort_keys=True, default=str)
                where = route.at("spec", "rules", index, "matches")
                first = seen.setdefault(key, where)
                if first != where:
                    yield Offence(where, f"matches what {first.object} matches at {first.field}")


def _normal(match: JsonObject) -> JsonObject:
    path = {"type": "PathPrefix", "value": "/", **mapping(match, "path")}
    return {**match, "path": path}


@rule(
    "GWY-09",
    "Routes to pools name a group that the gateway reads",
    symptom="The route stays ResolvedRefs=False: InferencePool not found, although it is there.",
    cause="InferencePool moved from inference.networking.x-k8s.io to inference.networking.k8s.io, and each gateway "
    "reads one of them.",
    instead="GKE and Istio from 1.27 read inference.networking.k8s.io, Istio 1.26 the older group",
    source=("F-61", "C-2", "seeds 001 and 002"),
)
def pool_api(view: View) -> Iterator[Offence]:
    """Backends that are pools."""
    for route in view.of("HTTPRoute"):
        for backend in backends(route):
            for gateway in gateways(view, route) if backend.is_pool else ():
                reads = _reads(view, gateway)
                if reads and backend.group != reads:
                    yield Offence(backend.at("group"), f"is {backend.group}, and the gateway reads {reads}")


def _reads(view: View, gateway: Resource) -> str:
    provider = provider_of(gateway)
    if provider == "gke":
        return POOL_GROUPS[0]
    istio = view.context.istio
    return istio.inference_pool_api.rpartition("/")[0] if provider == "istio" and istio else ""


@rule(
    "GWY-10",
    "A Gateway has a class that somebody runs",
    symptom="The Gateway stays Unknown, without an address.",
    cause="No controller of the cluster has this class.",
    instead="write a class of GKE's, or istio with platform.istio",
    source=("F-14b", "https://docs.cloud.google.com/kubernetes-engine/docs/how-to/gatewayclass-capabilities"),
)
def known_class(view: View) -> Iterator[Offence]:
    """Classes of every Gateway."""
    for gateway in view.of("Gateway"):
        known = class_of(gateway)
        name = gateway.get("spec", "gatewayClassName")
        if known is None:
            yield Offence(
                gateway.at("spec", "gatewayClassName"), f"is {name}, which neither GKE nor Istio brings"
            )
        elif known.provider != "gke" and view.context.istio is None:
            yield Offence(gateway.at("spec", "gatewayClassName"), f"is {name}, and platform.istio is not set")


@rule(
    "GWY-11",
    "An extension of the load balancer hangs on a Gateway and leads to a Service",
    symptom="Requests are routed as if the router were not there: the wrong model answers, or 404.",
    cause="targetRefs or backendRef of the extension name something that is not there.",
    instead="name the Gateway and the router's Service in the extension's own namespace",
    source=(
        "F-77",
        "F-90",
        "https://docs.cloud.google.com/kubernetes-engine/docs/how-to/configure-gke-service-extensions",
    ),
)
def extensions(view: View) -> Iterator[Offence]:
    """Every extension of Google's load balancer."""
    for extension in view.of("GCPRoutingExtension", "GCPTrafficExtension"):
        for index, target in enumerate(entries(extension.manifest, "spec", "targetRefs")):
            if not view.find("Gateway", extension.namespace, text(target, "name")):
                where = extension.at("spec", "targetRefs", index)
                yield Offence(
                    where, f"is Gateway {extension.namespace}/{text(target, 'name')}, which is not there"
                )
        for number, chain in enumerate(entries(extension.manifest, "spec", "extensionChains")):
            for index, item in enumerate(entries(chain, "extensions")):
                service = view.find("Service", extension.namespace, text(item, "backendRef", "name"))
                ports = (
                    [port.get("port") for port in entries(service.manifest, "spec", "ports")]
                    if service
                    else []
                )
                if mapping(item, "backendRef").get("port") not in ports:
                    where = extension.at("spec", "extensionChains", number, "extensions", index, "backendRef")
                    yield Offence(where, "is no port of a Service that is there")


@rule(
    "GWY-12",
    "It is known who can reach the models",
    severity="note",
    symptom="A bill for answers to strangers, and prompts that travel in the clear.",
    cause="The gateway has an address on the internet and asks nobody who they are; vLLM does neither.",
    instead="write gateway.className gke-l7-rilb for clients inside the network; or gateway.tls, and under extras what "
    "asks: Identity-Aware Proxy or Cloud Armor in the GCPBackendPolicy, RequestAuthentication and AuthorizationPolicy on "
    "Istio",
    source=("https://docs.cloud.google.com/kubernetes-engine/docs/how-to/configure-gateway-resources",),
)
def exposed(view: View) -> Iterator[Offence]:
    """Gateways with an address that everybody reaches."""
    for gateway in view.of("Gateway"):
        known = class_of(gateway)
        if known and known.external and not _inside(gateway):
            plain = any(
                text(each, "protocol") == "HTTP" for each in entries(gateway.manifest, "spec", "listeners")
            )
            yield Offence(
                gateway.at("spec", "gatewayClassName"),
                f"is {known.id}: anybody on the internet may ask the models{', without encryption' if plain else ''}",
            )


def _inside(gateway: Resource) -> bool:
    """Whether the annotation is there that keeps an Istio gateway's load balancer inside the network."""
    return labels(gateway.manifest, "spec", "infrastructure", "annotations").get(LOAD_BALANCER) == "Internal"


RULES = (
    parent,
    pool_port,
    attached,
    backend_there,
    route_form,
    own_kinds,
    default_way,
    unique_matches,
    pool_api,
    known_class,
    extensions,
    exposed,
)
