"""Every reference in a rendered environment, found by its shape and followed without the help of any rule."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from llmd_constructs import catalogue
from llmd_constructs.plan.model import EnvironmentPlan
from llmd_constructs.rules.pods import Pod, pods_of
from llmd_constructs.rules.reading import dig, leaves, mapping, number, selects, text
from llmd_constructs.rules.resources import Resource
from llmd_constructs.serving.kserve_names import KServeNames

Json = dict[str, Any]
Thing = tuple[str, str, str]
"""Kind, namespace and name of an object; the namespace is empty where the kind has none."""

GATEWAY_LABEL = "gateway.networking.k8s.io/gateway-name"
GKE_NAMESPACES = ("kube-system", "gmp-system")
_SHAPE = re.compile(r"(^n|N|_n)ame$|Ref$|^project$|[nN]amespace$")
_BOUND = re.compile(r"tcp://\*:(\d+)")
"""A socket that a flag tells a server to listen on, such as that of KV events."""
_HOST = re.compile(r"([a-z0-9-]+)\.([a-z0-9-]+)\.svc\.cluster\.local")

NAMES: Mapping[str, str] = {
    "backendRef.name": "Service",
    "backendRefs.[].name": "Service",
    "ca.secretName": "Secret",
    "configMap.name": "ConfigMap",
    "endpointPickerRef.name": "Service",
    "gatewayClassName": "GatewayClass",
    "imagePullSecrets.[].name": "Secret",
    "issuerRef.name": "ClusterIssuer",
    "parametersRef.name": "ConfigMap",
    "parentRefs.[].name": "Gateway",
    "gateway.refs.[].name": "Gateway",
    "http.refs.[].name": "HTTPRoute",
    "roleRef.name": "Role",
    "scaleTargetRef.name": "Deployment",
    "secret.name": "Secret",
    "secretKeyRef.name": "Secret",
    "secretStoreRef.name": "ClusterSecretStore",
    "secrets.[].name": "Secret",
    "certificateRefs.[].name": "Secret",
    "serviceAccountName": "ServiceAccount",
    "subjects.[].name": "ServiceAccount",
    "targetRef.name": "Service",
    "targetRefs.[].name": "Gateway",
    "volumes.[].secret.secretName": "Secret",
    "destination.namespace": "Namespace",
    "spec.namespace": "Namespace",
    "subjects.[].namespace": "Namespace",
    "parentRefs.[].namespace": "Namespace",
    "gateway.refs.[].namespace": "Namespace",
    "leaderElection.namespace": "Namespace",
    "spec.project": "AppProject",
}
"""Where a name stands, by the end of its path, and the kind it means where no `kind` beside it says another."""

MAKES = frozenset({"target.name", "spec.secretName"})
"""Names of what an object makes: an ExternalSecret's target, a Certificate's Secret."""

OWN = frozenset(
    {
        *("containers.[].name", "initContainers.[].name", "env.[].name", "ports.[].name", "volumes.[].name"),
        *("listeners.[].name", "headers.[].name", "model.name", "schedulingProfiles.[].name", "filter.name"),
        *("value.name", "extensionChains.[].name", "extensions.[].name", "helm.releaseName", "info.[].name"),
        *(
            "commonName",
            "kustomize.[].name",
            "metric.name",
            "parameters.[].name",
            "images.[].name",
            "metadata.name",
        ),
        # A project allows more than is there, so that what is switched off can be taken away.
        "destinations.[].namespace",
        # Followed by other means below.
        *("volumeMounts.[].name", "envoy_grpc.cluster_name", "route.name", "plugins.[].pluginRef"),
    }
)
"""Names that an object gives to parts of its own, or that no object has."""


def dangling(plan: EnvironmentPlan) -> Iterator[str]:
    """Every reference that leads nowhere, and every name whose meaning this module does not know."""
    world = _World(plan)
    for file in (*plan.files, *plan.argocd):
        for fault in _faults(file.manifest, world):
            yield f"{file.path}: {fault}"


class _World:
    """What is there once everything is applied: rendered, made by a controller, or given."""

    def __init__(self, plan: EnvironmentPlan) -> None:
        self.plan = plan
        self.manifests = [file.manifest for file in (*plan.files, *plan.argocd)]
        self.pods = [pod for item in self.manifests for pod in pods_of(Resource("", "", item))]
        self.ports: dict[tuple[str, str], set[int]] = {}
        self.preset_ports: frozenset[int] = frozenset()
        self.things = {thing for item in self.manifests for thing in self._made_by(item)} | set(self._given())

    def _made_by(self, manifest: Json) -> Iterator[Thing]:
        kind, name, space = (
            manifest["kind"],
            manifest["metadata"]["name"],
            manifest["metadata"].get("namespace", ""),
        )
        spec = manifest.get("spec", {})
        yield kind, space, name
        if kind == "Service":
            self.ports[space, name] = {port["port"] for port in spec["ports"]}
        elif kind == "ExternalSecret":
            yield "Secret", space, spec["target"]["name"]
        elif kind == "Certificate":
            yield "Secret", space, spec["secretName"]
        elif kind == "Bundle":
            yield from (("ConfigMap", each, name) for each in self._namespaces())
        elif kind == "Application" and "CreateNamespace=true" in spec["syncPolicy"].get("syncOptions", []):
            yield "Namespace", "", spec["destination"]["namespace"]
        elif kind == "LLMInferenceService":
            yield from self._made_by_kserve(KServeNames(name), space)

    def _made_by_kserve(self, names: KServeNames, space: str) -> Iterator[Thing]:
        release = catalogue.kserve_release(self.plan.environment.platform.kserve or "")
        ports = catalogue.picker_release(release.picker).ports
        self.ports[space, names.workload_service] = {8000}
        self.ports[space, names.picker_service] = {ports.grpc, ports.health, ports.metrics}
        self.preset_ports = frozenset({8000, ports.grpc, ports.health, ports.metrics})
        yield "InferencePool", space, names.pool
        yield "Secret", space, names.certificate_secret
        yield "HTTPRoute", space, names.route
        yield from (("Deployment", space, name) for name in (names.workload, names.prefill))
        yield "LeaderWorkerSet", space, names.workload_group
        yield from (("Service", space, name) for name in (names.workload_service, names.picker_service))

    def _namespaces(self) -> Iterator[str]:
        return (item["metadata"]["name"] for item in self.manifests if item["kind"] == "Namespace")

    def _given(self) -> Iterator[Thing]:
        """What somebody else answers for: secrets made by hand, issuers, classes, Argo CD."""
        platform, gitops = self.plan.environment.platform, self.plan.environment.gitops
        yield from (("GatewayClass", "", name) for name in catalogue.ids("gateway_class"))
        yield from (("Namespace", "", name) for name in (gitops.namespace, "default"))
        if platform.gateway.tls:
            yield "ClusterIssuer", "", platform.gateway.tls.issuer
        if platform.secrets.provider == "manual":
            secrets = [platform.secrets.hugging_face_token, platform.secrets.image_pull_secret]
            for space in self._namespaces():
                yield from (("Secret", space, each.name) for each in secrets if each)

    def has(self, kind: str, space: str, name: str) -> bool:
        """Whether an object of that name is there, in the namespace or without one."""
        return bool({(kind, space, name), (kind, "", name)} & self.things)

    def listens(self, pod: Pod, port: int | str) -> bool:
        """Whether a container of the pod listens on a port, by number or by name."""
        if isinstance(port, str):
            declared = [each for item in pod.all_containers for each in item.manifest.get("ports", [])]
            return port in {each.get("name") for each in declared}
        preset = self.preset_ports if pod.made_by_kserve else frozenset[int]()
        bound = {int(each) for item in pod.all_containers for each in _BOUND.findall(str(item.flags))}
        return port in preset | bound or any(port in container.ports for container in pod.all_containers)

    def picked(self, space: str, selector: Json) -> list[Pod]:
        """The pods of a namespace that a selector picks."""
        return [pod for pod in self.pods if pod.namespace == space and selects(selector, pod.labels)]


def _faults(manifest: Json, world: _World) -> Iterator[str]:
    space = manifest["metadata"].get("namespace", "")
    if space and not world.has("Namespace", "", space):
        yield f"there is no namespace {space}"
    yield from _names(manifest, world, space)
    yield from _selected(manifest, world, space)
    yield from _allowed(manifest, world, space)
    yield from _connected(manifest, world, space)
    yield from _inside(manifest)


def _names(manifest: Json, world: _World, space: str) -> Iterator[str]:
    for path, value in leaves(manifest):
        if not isinstance(value, str) or not _SHAPE.search(str(path[-1])) or path[0] == "metadata":
            continue
        where = ".".join("[]" if isinstance(part, int) else part for part in path)
        if not any(where.endswith(each) for each in (*OWN, *MAKES)):
            yield from _name(mapping(manifest, *path[:-1]), value, world, where, space)


def _name(beside: Json, name: str, world: _World, where: str, space: str) -> Iterator[str]:
    kind = next((kind for end, kind in NAMES.items() if where.endswith(end)), None)
    if kind is None:
        yield f"{where}: nobody has said what {name} refers to"
        return
    home = text(beside, "namespace") or space
    kind = kind if kind == "Namespace" else text(beside, "kind") or kind
    of_a_ca = where == "spec.ca.secretName" or where.startswith(
        "spec.sources"
    )  # read where cert-manager runs
    spaces = {thing[1] for thing in world.things} if of_a_ca else {home}
    if beside.get("optional") is not True and not any(world.has(kind, each, name) for each in spaces):
        yield f"{where}: there is no {kind} {home}/{name}"
    port = number(beside, "port") or number(beside, "port", "number")
    if kind == "Service" and port and port not in world.ports.get((home, name), set()):
        yield f"{where}: Service {home}/{name} has no port {port}"


def _selected(manifest: Json, world: _World, space: str) -> Iterator[str]:
    selector = _selector(manifest)
    if selector is not None and not world.picked(space, selector):
        yield f"no pod of {space} is picked by {selector}"


def _selector(manifest: Json) -> Json | None:
    """The label selector of an object that has one for pods of its namespace."""
    spec = manifest.get("spec", {})
    match manifest["kind"]:
        case "Service" if "selector" in spec:
            return {"matchLabels": spec["selector"]}
        case "InferencePool" | "PodDisruptionBudget" | "Deployment":
            return spec["selector"]
        case "NetworkPolicy":
            return spec["podSelector"]
        case _:
            return None


def _allowed(manifest: Json, world: _World, space: str) -> Iterator[str]:
    """Both ends of every connection that a network policy allows."""
    if manifest["kind"] != "NetworkPolicy":
        return
    spec = manifest["spec"]
    own = world.picked(space, spec["podSelector"])
    for rule in spec.get("ingress", []):
        yield from (fault for peer in rule.get("from", []) for fault in _peer(peer, world, space))
        yield from (fault for port in rule.get("ports", []) for fault in _any(world, own, port["port"]))
    for rule in spec.get("egress", []):
        for peer in rule.get("to", []):
            yield from _peer(peer, world, space)
            if peer.keys() == {"podSelector"}:
                pods = world.picked(space, peer["podSelector"])
                yield from (
                    fault for port in rule.get("ports", []) for fault in _any(world, pods, port["port"])
                )


def _peer(peer: Json, world: _World, space: str) -> Iterator[str]:
    labels = peer.get("namespaceSelector", {}).get("matchLabels", {})
    home = labels.get("kubernetes.io/metadata.name", space if peer.keys() == {"podSelector"} else "")
    pods = peer.get("podSelector", {})
    gateway = pods.get("matchLabels", {}).get(GATEWAY_LABEL)
    if home and home not in GKE_NAMESPACES and not world.has("Namespace", "", home):
        yield f"there is no namespace {home}"
    elif gateway and not world.has("Gateway", home, gateway):
        yield f"there is no Gateway {home}/{gateway}"
    elif home and not gateway and home not in GKE_NAMESPACES and not world.picked(home, pods):
        yield f"no pod of {home} is picked by {pods}"


def _any(world: _World, pods: list[Pod], port: int) -> Iterator[str]:
    if pods and not any(world.listens(pod, port) for pod in pods):
        yield f"none of {', '.join(pod.owner.title for pod in pods)} listens on {port}"


def _connected(manifest: Json, world: _World, space: str) -> Iterator[str]:
    """Ports that pods listen on, and Services and gateways that are named by host or label."""
    spec, kind = manifest.get("spec", {}), manifest["kind"]
    if kind == "Service" and "selector" in spec:
        pods = world.picked(space, {"matchLabels": spec["selector"]})
        ports = [port.get("targetPort", port["port"]) for port in spec["ports"]]
        yield from _listening(world, pods, ports)
    if kind == "InferencePool":
        ports = [port["number"] for port in spec["targetPorts"]]
        yield from _listening(world, world.picked(space, spec["selector"]), ports)
    if kind == "HealthCheckPolicy":
        yield from _checked(spec, world, space)
    for pod in pods_of(Resource("", "", manifest)):
        yield from _listening(world, [pod], list(_probed(pod)))
    words = str(spec) if kind in ("DestinationRule", "EnvoyFilter") else ""
    for name, home in _HOST.findall(words):
        if not world.has("Service", home, name):
            yield f"there is no Service {home}/{name}"
    gateway = spec.get("workloadSelector", {}).get("labels", {}).get(GATEWAY_LABEL)
    if gateway and not world.has("Gateway", space, gateway):
        yield f"there is no Gateway {space}/{gateway}"


def _checked(spec: Json, world: _World, space: str) -> Iterator[str]:
    """What a health check asks. Pools that KServe makes are those of the service that the pool is named after."""
    target, check = (
        spec["targetRef"],
        next(iter(v for k, v in spec["default"]["config"].items() if k != "type")),
    )
    named = [
        item
        for item in world.manifests
        if (item["kind"], item["metadata"]["name"]) == (target["kind"], target["name"])
        and item["metadata"].get("namespace") == space
    ]
    pods = [pod for item in named for pod in world.picked(space, _selector(item) or {})]
    pods += [
        pod
        for pod in world.pods
        if pod.made_by_kserve
        and pod.namespace == space
        and KServeNames(pod.owner.name).pool == target["name"]
    ]
    if not pods:
        yield f"no pod answers the checks of {target['name']}"
    yield from _any(world, pods, check["port"])


def _probed(pod: Pod) -> Iterator[int | str]:
    for container in pod.all_containers:
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            port = dig(container.manifest, probe, "httpGet", "port") or dig(
                container.manifest, probe, "grpc", "port"
            )
            yield from [port] if port else ()


def _listening(world: _World, pods: list[Pod], ports: list[int | str]) -> Iterator[str]:
    for pod in pods:
        for port in ports:
            if not world.listens(pod, port):
                yield f"{pod.owner.title}: nothing listens on {port}"


def _inside(manifest: Json) -> Iterator[str]:
    """Volumes that containers mount."""
    for pod in pods_of(Resource("", "", manifest)):
        volumes = {each["name"] for each in pod.spec.get("volumes", [])}
        for container in pod.all_containers:
            mounted = {each["name"] for each in container.manifest.get("volumeMounts", [])}
            if not pod.made_by_kserve and mounted - volumes:
                yield f"{container.name} mounts {sorted(mounted - volumes)}, which the pod has not"
