"""Who routes to what: questions about gateways, routes and backends that several topics ask."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from llmd_constructs import catalogue
from llmd_constructs.catalogue import GatewayClass
from llmd_constructs.config.errors import ValuePath
from llmd_constructs.manifest import JsonObject
from llmd_constructs.rules.model import Where
from llmd_constructs.rules.pods import Engine, Pod
from llmd_constructs.rules.reading import entries, text
from llmd_constructs.rules.resources import Resource
from llmd_constructs.rules.view import Pool, View, asked_once
from llmd_constructs.serving.kserve_names import KServeNames

GATEWAY_GROUP = "gateway.networking.k8s.io"
POOL_GROUPS = ("inference.networking.k8s.io", "inference.networking.x-k8s.io")


@dataclass(frozen=True, eq=False)
class Backend:
    """One `backendRefs` entry of a route."""

    route: Resource
    path: ValuePath
    reference: JsonObject

    @property
    def kind(self) -> str:
        """`Service` unless it says otherwise."""
        return text(self.reference, "kind") or "Service"

    @property
    def group(self) -> str:
        """API group; empty for Services."""
        return text(self.reference, "group")

    @property
    def name(self) -> str:
        """Name of the backend."""
        return text(self.reference, "name")

    @property
    def namespace(self) -> str:
        """Namespace of the backend: the route's, unless it says otherwise."""
        return text(self.reference, "namespace") or self.route.namespace

    @property
    def is_pool(self) -> bool:
        """Whether it is an InferencePool."""
        return self.kind == "InferencePool"

    def at(self, *path: str | int) -> Where:
        """The place of a value in the reference."""
        return self.route.at(*self.path, *path)


@dataclass(frozen=True, eq=False)
class Parent:
    """One `parentRefs` entry of a route, or one gateway reference of an LLMInferenceService."""

    owner: Resource
    path: ValuePath
    namespace: str
    name: str
    section: str = ""

    @property
    def where(self) -> Where:
        """Its place."""
        return self.owner.place(self.path)


def backends(route: Resource) -> Iterator[Backend]:
    """Every backend of an HTTPRoute."""
    for rule_index, item in enumerate(entries(route.manifest, "spec", "rules")):
        for index, reference in enumerate(entries(item, "backendRefs")):
            yield Backend(route, ("spec", "rules", rule_index, "backendRefs", index), reference)


@asked_once
def parents(view: View, owner: Resource) -> tuple[Parent, ...]:
    """The gateways that an HTTPRoute or an LLMInferenceService attaches to."""
    return tuple(_parents(view, owner))


def _parents(view: View, owner: Resource) -> Iterator[Parent]:
    is_route = owner.kind == "HTTPRoute"
    path: ValuePath = ("spec", "parentRefs") if is_route else ("spec", "router", "gateway", "refs")
    for index, reference in enumerate(entries(owner.manifest, *path)):
        if is_route and text(reference, "kind") not in ("", "Gateway"):
            continue
        namespace = text(reference, "namespace") or owner.namespace
        yield Parent(
            owner, (*path, index), namespace, text(reference, "name"), text(reference, "sectionName")
        )
    release = view.context.kserve
    managed = not is_route and writes_own_route(owner) and not entries(owner.manifest, *path)
    if managed and release and release.default_gateway:
        namespace, _, name = release.default_gateway.partition("/")
        yield Parent(owner, ("spec", "router", "gateway"), namespace, name)


@asked_once
def gateways(view: View, owner: Resource) -> tuple[Resource, ...]:
    """The rendered Gateways that it attaches to."""
    found = (view.find("Gateway", parent.namespace, parent.name) for parent in parents(view, owner))
    return tuple(gateway for gateway in found if gateway)


def class_of(gateway: Resource) -> GatewayClass | None:
    """What the catalogue holds about the class of a Gateway."""
    name = str(gateway.get("spec", "gatewayClassName"))
    return catalogue.gateway_class(name) if name in catalogue.ids("gateway_class") else None


def provider_of(gateway: Resource) -> Literal["gke", "istio", ""]:
    """Who runs a Gateway; empty where nobody knows."""
    known = class_of(gateway)
    if known:
        return "gke" if known.provider == "gke" else "istio"
    return "gke" if str(gateway.get("spec", "gatewayClassName")).startswith("gke-") else ""


def is_behind_gke(view: View, owner: Resource) -> bool:
    """Whether Google's load balancer serves this route or service."""
    return any(provider_of(gateway) == "gke" for gateway in gateways(view, owner))


@asked_once
def gke_routes(view: View) -> tuple[Resource, ...]:
    """HTTPRoutes on Google's load balancer."""
    return tuple(route for route in view.of("HTTPRoute") if is_behind_gke(view, route))


def backend_pods(view: View, backend: Backend) -> tuple[Pod, ...]:
    """The pods that a backend leads to; none where it is unknown."""
    if backend.is_pool:
        pool = view.pool(backend.namespace, backend.name)
        return view.pods_behind(pool.namespace, pool.selector) if pool and pool.selector else ()
    service = view.find("Service", backend.namespace, backend.name)
    if service:
        return view.service_pods(service)
    owner = kserve_workload(view, backend)
    names = KServeNames(owner.name) if owner else None
    selector: JsonObject = {"matchLabels": names.model_server_selector} if names else {}
    return view.pods_behind(backend.namespace, selector) if names else ()


def backend_engines(view: View, backend: Backend) -> tuple[Engine, ...]:
    """The model servers that a backend leads to."""
    return tuple(pod.engine for pod in backend_pods(view, backend) if pod.engine)


def kserve_workload(view: View, backend: Backend) -> Resource | None:
    """The LLMInferenceService whose workload Service, made by KServe, a backend names."""
    if backend.kind != "Service":
        return None
    return next(
        (
            service
            for service in view.services
            if service.namespace == backend.namespace
            and KServeNames(service.name).workload_service == backend.name
        ),
        None,
    )


def pool_engines(view: View, pool: Pool) -> tuple[Engine, ...]:
    """The model servers of a pool."""
    pods = view.pods_behind(pool.namespace, pool.selector) if pool.selector else ()
    return tuple(pod.engine for pod in pods if pod.engine)


def writes_own_route(service: Resource) -> bool:
    """Whether KServe writes the HTTPRoute of an LLMInferenceService."""
    route = service.get("spec", "router", "route")
    return isinstance(route, dict) and not service.get("spec", "router", "route", "http", "refs")
