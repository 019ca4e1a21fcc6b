"""The pods of an environment: those of rendered workloads, and those that KServe will make."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from llmd_constructs import catalogue
from llmd_constructs.catalogue import Accelerator, EngineImage, accelerators
from llmd_constructs.config.errors import ValuePath
from llmd_constructs.manifest import DEPLOYMENT, LEADER_WORKER_SET, JsonObject
from llmd_constructs.rules.flags import flag_place, flags, words
from llmd_constructs.rules.model import Where
from llmd_constructs.rules.reading import dig, entries, labels, mapping, number, text
from llmd_constructs.rules.resources import Resource
from llmd_constructs.serving.engine import MODEL_SERVER_PORT
from llmd_constructs.serving.kserve_names import COMPONENT_LABEL, PART_OF, KServeNames

TEMPLATES: dict[str, ValuePath] = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
"""Where each kind of workload keeps its pod template."""
CHIP_RESOURCES = frozenset(accelerator.resource for accelerator in accelerators().values())
ROLE_LABEL = "llm-d.ai/role"
KSERVE_CONTAINER = "main"
"""Name of the container that KServe's presets merge with."""


@dataclass(frozen=True, eq=False)
class Container:
    """One container of a pod, and where it is written."""

    owner: Resource
    path: ValuePath
    manifest: JsonObject

    @property
    def name(self) -> str:
        """Its name."""
        return text(self.manifest, "name")

    @property
    def image(self) -> str:
        """Its image; empty where KServe's preset brings it."""
        return text(self.manifest, "image")

    @cached_property
    def flags(self) -> dict[str, str]:
        """Its flags, without dashes."""
        return flags(self.manifest)

    @cached_property
    def words(self) -> list[str]:
        """Its command line."""
        return words(self.manifest)

    @property
    def environment(self) -> dict[str, str]:
        """Its variables that have a plain value."""
        pairs = entries(self.manifest, "env")
        return {text(pair, "name"): str(pair["value"]) for pair in pairs if "value" in pair}

    @property
    def ports(self) -> frozenset[int]:
        """The port that its flags name, or else those that it declares."""
        told = self.flags.get("port", "")
        if told.isdecimal() and len(told) < 9:
            return frozenset({int(told)})
        found = (number(item, "containerPort") for item in entries(self.manifest, "ports"))
        return frozenset(port for port in found if port)

    def chips(self, resource: str) -> tuple[int | None, int | None]:
        """Accelerators it requests, and its limit."""
        requested = number(self.manifest, "resources", "requests", resource)
        return requested, number(self.manifest, "resources", "limits", resource)

    def at(self, *path: str | int) -> Where:
        """The place of a value in the container."""
        return self.owner.at(*self.path, *path)

    def at_flag(self, name: str) -> Where:
        """The place of a flag."""
        return self.at(*flag_place(self.manifest, name))


@dataclass(frozen=True, eq=False)
class Pod:
    """The pods of one workload."""

    owner: Resource
    path: ValuePath
    """Of the pod's spec in the owner."""
    spec: JsonObject
    labels: dict[str, str]
    """As the pods will carry them."""
    namespace: str
    replicas: int
    nodes: int = 1
    """Nodes of one replica."""
    made_by_kserve: bool = False
    service: "Resource | None" = None
    """The LLMInferenceService that it serves, if any."""

    @property
    def annotations(self) -> dict[str, str]:
        """As its template has them; KServe takes those of a workload."""
        place = ("annotations",) if self.made_by_kserve else ("metadata", "annotations")
        return labels(self.owner.manifest, *self.path[:-1], *place)

    @cached_property
    def containers(self) -> tuple[Container, ...]:
        """Its containers, without those that only run at start."""
        found = entries(self.spec, "containers")
        return tuple(
            Container(self.owner, (*self.path, "containers", index), item) for index, item in enumerate(found)
        )

    @cached_property
    def all_containers(self) -> tuple[Container, ...]:
        """Its containers, with those that run at start."""
        found = entries(self.spec, "initContainers")
        start = [
            Container(self.owner, (*self.path, "initContainers", index), item)
            for index, item in enumerate(found)
        ]
        return (*start, *self.containers)

    @cached_property
    def resource(self) -> str:
        """The accelerator resource that it asks for; empty on CPU pods."""
        asked = {
            name
            for container in self.all_containers
            for side in ("requests", "limits")
            for name in mapping(container.manifest, "resources", side)
        }
        return next(iter(sorted(asked & CHIP_RESOURCES)), "")

    @cached_property
    def chips(self) -> int:
        """Accelerators of one pod."""
        counts = [container.chips(self.resource) for container in self.containers]
        return sum(limit or requested or 0 for requested, limit in counts)

    @property
    def workload(self) -> tuple[str, str]:
        """Kind and name of the object whose replicas it is one of; on KServe one that is not in git."""
        if not self.made_by_kserve:
            return self.owner.kind, self.owner.name
        names = KServeNames(self.owner.name)
        if "router" in self.path:
            return DEPLOYMENT.kind, names.picker
        if dig(self.owner.manifest, *self.path[:-1], "worker"):
            return LEADER_WORKER_SET.kind, names.workload_group
        return DEPLOYMENT.kind, names.prefill if "prefill" in self.path else names.workload

    @cached_property
    def node_selector(self) -> dict[str, str]:
        """Labels that its nodes must have."""
        return labels(self.spec, "nodeSelector")

    @cached_property
    def accelerator(self) -> Accelerator | None:
        """The accelerator that its node selector names, if the catalogue holds it."""
        wanted = self.node_selector
        return next(
            (
                item
                for item in accelerators().values()
                if wanted.get(item.node_label_key) == item.node_label_value
            ),
            None,
        )

    @cached_property
    def engine(self) -> "Engine | None":
        """Its vLLM container, if it has one."""
        found = next((item for item in self.containers if _is_engine(self, item)), None)
        return Engine(self, found) if found else None

    @cached_property
    def ports(self) -> frozenset[int]:
        """Ports that something in the pod listens on: the engine's own, and those that other containers declare."""
        engine = self.engine
        own = {engine.port} if engine and engine.port else set[int]()
        declared = {
            port
            for container in self.all_containers
            if engine is None or container.path != engine.container.path
            for port in container.ports
        }
        # KServe's preset for decoding puts a routing proxy in front of the engine.
        proxy = (
            {MODEL_SERVER_PORT}
            if self.made_by_kserve and self.labels.get(ROLE_LABEL) == "decode"
            else set[int]()
        )
        return frozenset(own | declared | proxy)

    @cached_property
    def picker(self) -> Container | None:
        """Its endpoint picker container, if it has one."""
        if "pool-name" in (flag for container in self.containers for flag in container.flags):
            return next(container for container in self.containers if "pool-name" in container.flags)
        return None

    def at(self, *path: str | int) -> Where:
        """The place of a value in the pod's spec."""
        return self.owner.at(*self.path, *path)


@dataclass(frozen=True, eq=False)
class Engine:
    """One vLLM server."""

    pod: Pod
    container: Container

    @property
    def flags(self) -> dict[str, str]:
        """Its flags, without dashes."""
        return self.container.flags

    @property
    def explicit(self) -> bool:
        """Whether its command line is in git, and not in one of KServe's presets."""
        return bool(self.container.words)

    @property
    def tls(self) -> bool:
        """Whether it serves TLS."""
        return "ssl-certfile" in self.flags or "ssl-keyfile" in self.flags

    @property
    def scheme(self) -> str:
        """`HTTP` or `HTTPS`."""
        return "HTTPS" if self.tls else "HTTP"

    @property
    def port(self) -> int | None:
        """The port it listens on; `None` where the flag holds no number."""
        value = self.flags.get("port", str(MODEL_SERVER_PORT))
        return int(value) if value.isdecimal() else None

    @cached_property
    def known(self) -> EngineImage | None:
        """What the catalogue holds about its image."""
        images = catalogue.ids("engine_image")
        return catalogue.engine_image(self.container.image) if self.container.image in images else None

    @property
    def model(self) -> str:
        """The model that it serves: `--model`, or the first argument of `vllm serve`; else its served name."""
        source = self.flags.get("model", "")
        if not source:
            line = self.container.words
            after = line.index("serve") + 1 if "serve" in line else len(line)
            source = line[after] if after < len(line) and not line[after].startswith("-") else ""
        return self.flags.get("served-model-name", "") if source.startswith("/") or not source else source

    def count(self, flag: str, default: int = 1) -> int:
        """The number that a flag holds."""
        value = self.flags.get(flag, "")
        return int(value) if value.isdecimal() and len(value) < 9 else default

    def at(self, *path: str | int) -> Where:
        """The place of a value in its container."""
        return self.container.at(*path)

    def at_flag(self, name: str) -> Where:
        """The place of a flag."""
        return self.container.at_flag(name)


def pods_of(resource: Resource) -> Iterator[Pod]:
    """The pods of one object."""
    if resource.kind == "LLMInferenceService":
        yield from _kserve_pods(resource)
    elif resource.kind == "LeaderWorkerSet":
        yield from _group_pods(resource)
    elif resource.kind == "Pod":
        yield _plain(resource, (), 1)
    elif resource.kind in TEMPLATES:
        yield _plain(resource, TEMPLATES[resource.kind], resource.number("spec", "replicas"))


def _plain(resource: Resource, path: ValuePath, replicas: int | None, nodes: int = 1) -> Pod:
    template = mapping(resource.manifest, *path)
    return Pod(
        owner=resource,
        path=(*path, "spec"),
        spec=mapping(template, "spec"),
        labels=labels(template, "metadata", "labels"),
        namespace=resource.namespace,
        replicas=1 if replicas is None else replicas,
        nodes=nodes,
    )


def _group_pods(resource: Resource) -> Iterator[Pod]:
    group: ValuePath = ("spec", "leaderWorkerTemplate")
    replicas, size = resource.number("spec", "replicas"), resource.number(*group, "size") or 1
    if resource.get(*group, "leaderTemplate"):
        yield _plain(resource, (*group, "leaderTemplate"), replicas)
        size -= 1
    yield _plain(resource, (*group, "workerTemplate"), replicas, max(size, 1))


def _kserve_pods(resource: Resource) -> Iterator[Pod]:
    names = KServeNames(resource.name)
    spec = mapping(resource.manifest, "spec")
    prefill = mapping(spec, "prefill")
    role = "decode" if prefill else "both"
    yield from _kserve_workload(resource, names, ("spec",), role, "")
    if prefill:
        yield from _kserve_workload(resource, names, ("spec", "prefill"), "prefill", "-prefill")
    if isinstance(dig(spec, "router", "scheduler"), dict) and not dig(
        spec, "router", "scheduler", "pool", "ref"
    ):
        path: ValuePath = ("spec", "router", "scheduler", "template")
        yield _kserve_pod(resource, path, names.picker_selector, resource.number(*path[:-1], "replicas") or 1)


def _kserve_workload(
    resource: Resource, names: KServeNames, path: ValuePath, role: str, suffix: str
) -> Iterator[Pod]:
    workload = mapping(resource.manifest, *path)
    replicas = number(workload, "replicas")
    count = 1 if replicas is None else replicas
    base = {**names.model_server_selector, ROLE_LABEL: role}
    component = "app.kubernetes.io/component"
    if not dig(workload, "worker"):
        single = {**base, component: f"llminferenceservice-workload{suffix}"}
        yield _kserve_pod(resource, (*path, "template"), single, count)
        return
    leader = {**base, component: f"llminferenceservice-workload-leader{suffix}"}
    size = _group_size(workload)
    yield _kserve_pod(resource, (*path, "template"), leader, count)
    worker = {key: value for key, value in base.items() if key != COMPONENT_LABEL}
    worker[component] = f"llminferenceservice-workload-worker{suffix}"
    yield _kserve_pod(resource, (*path, "worker"), worker, count, max(size - 1, 1))


def _group_size(workload: JsonObject) -> int:
    """Nodes of one replica, as KServe's `parallelism.GetSize` counts them."""
    data, local = number(workload, "parallelism", "data"), number(workload, "parallelism", "dataLocal")
    if data and local:
        return max(data // local, 1)
    return number(workload, "parallelism", "pipeline") or 1


def _kserve_pod(
    resource: Resource, path: ValuePath, pod_labels: dict[str, str], replicas: int, nodes: int = 1
) -> Pod:
    return Pod(
        owner=resource,
        path=path,
        spec=mapping(resource.manifest, *path),
        labels={**pod_labels, "app.kubernetes.io/part-of": PART_OF},
        namespace=resource.namespace,
        replicas=replicas,
        nodes=nodes,
        made_by_kserve=True,
        service=resource,
    )


def _is_engine(pod: Pod, container: Container) -> bool:
    if pod.made_by_kserve:
        return container.name == KSERVE_CONTAINER and "scheduler" not in pod.path
    if "launch" in container.words[:3]:
        return False  # renders templates and tokenizes; serves no model
    if container.words:
        return any(word == "vllm" or word.startswith("vllm.entrypoints") for word in container.words)
    return "vllm" in container.image.rpartition("/")[2]
