"""One environment as rules see it: its settings, its objects, its pods, and what KServe will add."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from llmd_constructs import catalogue
from llmd_constructs.catalogue import Accelerator, Taint
from llmd_constructs.config.cluster import NodePool
from llmd_constructs.config.environment import Environment
from llmd_constructs.config.errors import dotted
from llmd_constructs.config.source import Source
from llmd_constructs.context import Context
from llmd_constructs.manifest import JsonObject
from llmd_constructs.plan.model import EnvironmentPlan
from llmd_constructs.rules.model import Where
from llmd_constructs.rules.pods import Container, Engine, Pod, pods_of
from llmd_constructs.rules.reading import dig, labels, mapping, number, selects, text
from llmd_constructs.rules.resources import Resource
from llmd_constructs.serving.engine import MODEL_SERVER_PORT
from llmd_constructs.serving.kserve_names import KServeNames
from llmd_constructs.serving.placement import GKE_NODE_POOL, Placement, place

Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")


@dataclass(frozen=True, eq=False)
class Pool:
    """An InferencePool, rendered or made by KServe."""

    owner: Resource
    """The InferencePool, or the LLMInferenceService that it is made for."""
    name: str
    groups: tuple[str, ...]
    """API groups in which it exists."""
    selector: JsonObject
    """A label selector."""
    port: int | None
    picker: str
    """Name of the picker's Service."""
    picker_port: int | None

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return self.owner.namespace


@dataclass(frozen=True, eq=False)
class Nodes:
    """The nodes of one node pool."""

    pool: NodePool
    index: int
    placement: Placement | None
    """Set where the nodes have an accelerator."""

    @cached_property
    def labels(self) -> dict[str, str]:
        """Labels that GKE puts on them, as far as pods select by them."""
        return {GKE_NODE_POOL: self.pool.name, **(self.placement.node_selector if self.placement else {})}

    @property
    def taint(self) -> Taint | None:
        """The taint that keeps other pods away."""
        return self.placement.accelerator.taint if self.placement else None


@dataclass(frozen=True, eq=False)
class View:
    """Everything a rule may ask about one environment."""

    plan: EnvironmentPlan
    source: Source
    answers: dict[object, Any] = field(default_factory=dict[object, Any], init=False, repr=False)
    """What `asked_once` remembers."""

    @property
    def environment(self) -> Environment:
        """The settings."""
        return self.plan.environment

    @cached_property
    def context(self) -> Context:
        """The settings with the releases they name."""
        return Context(self.plan.name, self.environment)

    @cached_property
    def resources(self) -> tuple[Resource, ...]:
        """Every rendered object of the environment."""
        return tuple(
            Resource(file.path, application.name, file.manifest, file.own)
            for application in self.plan.applications
            for file in application.files
        )

    @cached_property
    def argocd(self) -> tuple[Resource, ...]:
        """Project and applications."""
        return tuple(Resource(file.path, "", file.manifest) for file in self.plan.argocd)

    def of(self, *kinds: str) -> Iterator[Resource]:
        """Rendered objects of these kinds."""
        return (resource for kind in kinds for resource in self._by_kind.get(kind, ()))

    @cached_property
    def _by_kind(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for resource in self.resources:
            found.setdefault(resource.kind, []).append(resource)
        return found

    @cached_property
    def _by_name(self) -> dict[tuple[str, str, str], Resource]:
        return {(item.kind, item.namespace, item.name): item for item in reversed(self.resources)}

    def find(self, kind: str, namespace: str, name: str) -> Resource | None:
        """A rendered object by name."""
        return self._by_name.get((kind, namespace, name))

    def setting(self, *path: str | int) -> Where:
        """The place of a value in the environment file or its bases."""
        position = self.source.position(path)
        return Where(position.file, position.line, "", dotted(path))

    @property
    def on_gke(self) -> bool:
        """Whether Google's load balancer is the gateway."""
        return self.environment.platform.gateway.provider == "gke"

    @cached_property
    def pods(self) -> tuple[Pod, ...]:
        """Pods of every workload, whoever makes them."""
        return tuple(pod for resource in self.resources for pod in pods_of(resource))

    @cached_property
    def engines(self) -> tuple[Engine, ...]:
        """Every vLLM server."""
        return tuple(pod.engine for pod in self.pods if pod.engine)

    @cached_property
    def pickers(self) -> tuple[tuple[Pod, Container], ...]:
        """Every endpoint picker whose flags are in git."""
        return tuple((pod, pod.picker) for pod in self.pods if pod.picker)

    @cached_property
    def services(self) -> tuple[Resource, ...]:
        """Every LLMInferenceService."""
        return tuple(self.of("LLMInferenceService"))

    @cached_property
    def pools(self) -> tuple[Pool, ...]:
        """Every InferencePool."""
        rendered = [_rendered_pool(resource) for resource in self.of("InferencePool")]
        groups = (
            tuple(api.rpartition("/")[0] for api in self.context.kserve.pool_apis)
            if self.context.kserve
            else ()
        )
        made = [_kserve_pool(service, groups) for service in self.services if makes_pool(service)]
        return (*rendered, *made)

    def pool(self, namespace: str, name: str) -> Pool | None:
        """An InferencePool by name."""
        return self._pools_by_name.get((namespace, name))

    @cached_property
    def _pools_by_name(self) -> dict[tuple[str, str], Pool]:
        return {(pool.namespace, pool.name): pool for pool in reversed(self.pools)}

    def pods_behind(self, namespace: str, selector: JsonObject) -> tuple[Pod, ...]:
        """Pods of a namespace that a label selector picks."""
        return tuple(pod for pod in self._pods_in.get(namespace, ()) if selects(selector, pod.labels))

    @cached_property
    def _pods_in(self) -> dict[str, list[Pod]]:
        found: dict[str, list[Pod]] = {}
        for pod in self.pods:
            found.setdefault(pod.namespace, []).append(pod)
        return found

    def kserve_pickers(self, pool: Pool) -> list[Pod]:
        """The pods of the picker that KServe makes for a pool."""
        return self._schedulers.get(pool.owner, [])

    @cached_property
    def _schedulers(self) -> dict[Resource, list[Pod]]:
        found: dict[Resource, list[Pod]] = {}
        for pod in self.pods:
            if pod.service and "scheduler" in pod.path:
                found.setdefault(pod.service, []).append(pod)
        return found

    def service_pods(self, service: Resource) -> tuple[Pod, ...]:
        """Pods behind a Service; none where it has no selector."""
        return _service_pods(self, service)

    @cached_property
    def nodes(self) -> tuple[Nodes, ...]:
        """Every node pool."""
        return tuple(
            Nodes(pool, index, _placement(pool))
            for index, pool in enumerate(self.environment.cluster.node_pools)
        )

    def nodes_for(self, pod: Pod) -> tuple[Nodes, ...]:
        """Node pools that have the labels a pod asks for."""
        return _nodes_for(self, pod)


def asked_once(
    question: Callable[Concatenate[View, Parameters], Answer],
) -> Callable[Concatenate[View, Parameters], Answer]:
    """Keep the answers of a question about a view: many rules ask it, and nothing changes while they do."""

    @wraps(question)
    def ask(view: View, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Answer:
        asked = (question, args, *kwargs.items())
        if asked not in view.answers:
            view.answers[asked] = question(view, *args, **kwargs)
        return view.answers[asked]

    return ask


def makes_pool(service: Resource) -> bool:
    """Whether KServe makes an InferencePool for this service."""
    scheduler = service.get("spec", "router", "scheduler")
    return isinstance(scheduler, dict) and not dig(scheduler, "pool", "ref")


@asked_once
def _nodes_for(view: View, pod: Pod) -> tuple[Nodes, ...]:
    known = {key for nodes in view.nodes for key in nodes.labels} | _accelerator_labels()
    wanted = {key: value for key, value in pod.node_selector.items() if key in known}
    return tuple(nodes for nodes in view.nodes if wanted.items() <= nodes.labels.items())


@asked_once
def _service_pods(view: View, service: Resource) -> tuple[Pod, ...]:
    selector = labels(service.manifest, "spec", "selector")
    return view.pods_behind(service.namespace, {"matchLabels": selector}) if selector else ()


def _rendered_pool(resource: Resource) -> Pool:
    spec = mapping(resource.manifest, "spec")
    selector = mapping(spec, "selector")
    reference = mapping(spec, "endpointPickerRef") or mapping(spec, "extensionRef")
    return Pool(
        owner=resource,
        name=resource.name,
        groups=(resource.group,),
        selector=selector if "matchLabels" in selector or not selector else {"matchLabels": selector},
        port=number(spec, "targetPorts", 0, "number") or number(spec, "targetPortNumber"),
        picker=text(reference, "name"),
        picker_port=number(reference, "port", "number") or number(reference, "portNumber"),
    )


def _kserve_pool(service: Resource, groups: tuple[str, ...]) -> Pool:
    names = KServeNames(service.name)
    return Pool(
        owner=service,
        name=names.pool,
        groups=groups,
        selector={"matchLabels": names.model_server_selector},
        port=MODEL_SERVER_PORT,
        picker=names.picker_service,
        picker_port=None,
    )


def _placement(pool: NodePool) -> Placement | None:
    try:
        return place(pool)
    except ValueError:
        return None


@cache
def _accelerator_labels() -> frozenset[str]:
    keys = {item.node_label_key for item in _accelerators()}
    return frozenset(keys | {item.topology_label_key for item in _accelerators() if item.topology_label_key})


def _accelerators() -> list[Accelerator]:
    return [catalogue.accelerator(name) for name in catalogue.ids("accelerator")]
