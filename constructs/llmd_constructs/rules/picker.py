"""The endpoint picker: one per pool, with flags and plugins that its release knows."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import yaml

from llmd_constructs import catalogue
from llmd_constructs.catalogue import PickerRelease
from llmd_constructs.catalogue.releases.picker import picker_releases
from llmd_constructs.config.errors import closest
from llmd_constructs.labels import GATEWAY_NAME
from llmd_constructs.manifest import JsonObject
from llmd_constructs.rules.model import Offence, Where, rule
from llmd_constructs.rules.pods import Container, Engine, Pod
from llmd_constructs.rules.reading import entries, labels, leaves, mapping, number, text, texts
from llmd_constructs.rules.resources import Resource
from llmd_constructs.rules.routing import pool_engines
from llmd_constructs.rules.view import Pool, View
from llmd_constructs.serving.kserve_names import KServeNames

KV_FLAG = "kv-cache-usage-percentage-metric"
KV_METRIC = "vllm:kv_cache_usage_perc"
HTTP2 = ("kubernetes.io/h2c", "HTTP2", "grpc", "kubernetes.io/grpc")
_LARGEST = 100_000
_IN_CLUSTER = re.compile(
    r"https?://(?P<name>[-a-z0-9]+)\.(?P<namespace>[-a-z0-9]+)\.svc[.a-z]*(:(?P<port>\d+))?"
)
_GIE = "https://gateway-api-inference-extension.sigs.k8s.io/guides/epp-configuration/config-text/"
_ROUTER = "https://github.com/llm-d/llm-d-router"
_PREFIX_SCORERS = ("prefix-cache-scorer", "precise-prefix-cache-scorer")
_LABEL_MANAGED = "inference.networking.k8s.io/bbr-managed"


@dataclass(frozen=True, eq=False)
class Config:
    """The configuration of one picker, and where it is written."""

    where: Where
    value: JsonObject
    release: PickerRelease


def release_of(view: View, pod: Pod, container: Container | None) -> PickerRelease | None:
    """The release of a picker: of its image, or of the software that starts it."""
    known = {release.image: release for release in picker_releases().values()}
    if container and container.image in known:
        return known[container.image]
    if pod.made_by_kserve:
        return catalogue.picker_release(view.context.kserve.picker) if view.context.kserve else None
    return view.context.picker


def configs(view: View) -> Iterator[Config]:
    """The configuration of every picker."""
    for pod, container in view.pickers:
        release = release_of(view, pod, container)
        found = _config_of(view, pod, container)
        if release and found:
            where, value = found
            parsed = parse(value)
            if parsed is not None:
                yield Config(where, parsed, release)
    for service in view.services:
        inline = mapping(service.manifest, "spec", "router", "scheduler", "config", "inline")
        if inline and view.context.kserve:
            release = catalogue.picker_release(view.context.kserve.picker)
            yield Config(service.at("spec", "router", "scheduler", "config", "inline"), inline, release)


def _config_of(view: View, pod: Pod, container: Container) -> tuple[Where, str] | None:
    if "config-text" in container.flags:
        return container.at_flag("config-text"), container.flags["config-text"]
    file = container.flags.get("config-file", "").rpartition("/")[2]
    for volume in entries(pod.spec, "volumes"):
        found = view.find("ConfigMap", pod.namespace, text(volume, "configMap", "name"))
        if found and file in mapping(found.manifest, "data"):
            return found.at("data", file), text(found.manifest, "data", file)
    return None


@cache
def parse(value: str) -> JsonObject | None:
    """The mapping in a YAML text, or nothing. Rule after rule asks for the same few texts."""
    if len(value) > _LARGEST or "&" in value:
        return None
    try:
        parsed: Any = yaml.load(value, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return cast("JsonObject", parsed) if isinstance(parsed, dict) else None


@rule(
    "EPP-01",
    "The picker reads metrics by the scheme that the servers speak",
    symptom="All replicas look alike: load-aware scoring is blind, and the log repeats failed metric requests.",
    cause="KServe's preset scrapes https, and a server behind GKE's gateway speaks http.",
    instead="write --model-server-metrics-scheme as the server's scheme",
    source=("F-74", "kserve config-llm-scheduler.yaml"),
)
def metrics_scheme(view: View) -> Iterator[Offence]:
    """Pickers against the servers of their pool."""
    for pool, pod, container in _served(view):
        engines = [engine for engine in pool_engines(view, pool) if engine.explicit]
        schemes = {engine.scheme.lower() for engine in engines}
        said = (
            container.flags.get("model-server-metrics-scheme", "http") if container else _preset_scheme(view)
        )
        if schemes and said and schemes != {said}:
            where = container.at_flag("model-server-metrics-scheme") if container else pod.at()
            speaks = " and ".join(sorted(schemes))
            yield Offence(where, f"is {said}, and the servers speak {speaks}", f"write {speaks}")


def _preset_scheme(view: View) -> str:
    release = view.context.kserve
    return "https" if release and release.engine_tls_default else ""


@rule(
    "EPP-02",
    "The picker asks for the KV cache metric that vLLM has",
    severity="warning",
    symptom="The KV cache scorer gives every replica the same score.",
    cause="Pickers up to v0.4 ask for gpu_cache_usage_perc by default, and vLLM renamed it in 0.10.",
    instead=f"write --{KV_FLAG}={KV_METRIC}",
    source=("F-34b", "https://github.com/kubernetes-sigs/gateway-api-inference-extension/issues/1905"),
)
def cache_metric(view: View) -> Iterator[Offence]:
    """Pickers of releases whose default is the old name."""
    for pod, container in view.pickers:
        release = release_of(view, pod, container)
        if release and release.kv_cache_flag and release.kv_cache_flag not in container.flags:
            yield Offence(
                container.at("args"), f"lacks --{release.kv_cache_flag}, and {release.id} has the old name"
            )


@rule(
    "EPP-03",
    "The picker knows every flag that it is given",
    symptom='CrashLoopBackOff: "unknown flag".',
    cause="Flags differ from release to release, and some are known only to be refused.",
    instead="leave the flag out, or use its new name",
    source=("F-48", "F-73", _ROUTER),
)
def known_flags(view: View) -> Iterator[Offence]:
    """Flags of every picker."""
    for pod, container in view.pickers:
        release = release_of(view, pod, container)
        for flag in container.flags if release else ():
            if release and (flag not in release.flags or flag in release.refused_flags):
                near = closest(flag, release.flags)
                instead = f"did you mean --{near}?" if near and near != flag else ""
                yield Offence(container.at_flag(flag), f"is --{flag}, which {release.id} refuses", instead)


@rule(
    "EPP-04",
    "The picker's configuration names plugins and parameters of its release",
    symptom="The picker stops at start: plugin type not found, unknown field, or cannot unmarshal number.",
    cause="Plugins and their parameters are renamed between releases, and unknown keys are refused.",
    instead="take names from `catalogue/releases/picker.yaml`",
    source=("F-73", "F-83", "C-10", _GIE),
)
def plugins(view: View) -> Iterator[Offence]:
    """The configuration of every picker."""
    for config in configs(view):
        for message, instead in _config_faults(config.value, config.release):
            yield Offence(config.where, message, instead)
    for pod, container in view.pickers:
        found = _config_of(view, pod, container)
        wants = {"config-text", "config-file"} & container.flags.keys()
        if wants and (found is None or parse(found[1]) is None):
            yield Offence(found[0] if found else container.at("args"), "is no configuration that can be read")


def _config_faults(config: JsonObject, release: PickerRelease) -> Iterator[tuple[str, str]]:
    version = text(config, "apiVersion")
    if version not in release.accepted_config_api_versions:
        yield (
            f"has apiVersion {version}, which {release.id} does not read",
            f"write {release.config_api_version}",
        )
    unknown = config.keys() - {"apiVersion", "kind", *release.config_fields}
    if unknown:
        yield f"has {', '.join(sorted(unknown))}, which {release.id} does not know", "take it out"
    declared: set[str] = set()
    for plugin in entries(config, "plugins"):
        kind = text(plugin, "type")
        declared.add(text(plugin, "name") or kind)
        if kind not in release.plugins:
            near = closest(kind, release.plugins)
            yield (
                f"names the plugin {kind}, which {release.id} does not have",
                f"did you mean {near}?" if near else "",
            )
            continue
        for parameter in mapping(plugin, "parameters").keys() - set(release.plugins[kind]):
            yield f"gives {kind} the parameter {parameter}, which {release.id} refuses", "take it out"
    for profile in entries(config, "schedulingProfiles"):
        for reference in entries(profile, "plugins"):
            yield from _reference_faults(reference, declared, release)


def _reference_faults(
    reference: JsonObject, declared: set[str], release: PickerRelease
) -> Iterator[tuple[str, str]]:
    name, weight = text(reference, "pluginRef"), reference.get("weight")
    if name not in declared:
        yield f"refers to {name}, which is not among its plugins", "declare it under plugins"
    if weight is None:
        return
    if isinstance(weight, bool) or not isinstance(weight, int | float) or weight < 0:
        yield f"weighs {name} with {weight}", "write a number"
    elif release.weight_type == "int" and not isinstance(weight, int):
        yield f"weighs {name} with {weight}, and {release.id} takes whole numbers", f"write {round(weight)}"


@rule(
    "EPP-05",
    "Every pool has a picker of its own",
    symptom='One of two models answers; the other says "no healthy upstream", or a wrong model answers.',
    cause="A picker watches one pool, the one in --pool-name, whoever else points to it.",
    instead="render one picker per pool, with --pool-name and --pool-namespace of that pool",
    source=("F-75", "C-28", "seed: pattern2-bbr-gpu"),
)
def own_picker(view: View) -> Iterator[Offence]:
    """Pools by picker, and pickers by pool."""
    counts = Counter((pool.namespace, pool.picker) for pool in view.pools)
    for pool in view.pools:
        if counts[pool.namespace, pool.picker] > 1:
            where = pool.owner.at("spec", "endpointPickerRef", "name")
            yield Offence(where, f"is {pool.picker}, which {counts[pool.namespace, pool.picker]} pools share")
        service = view.find("Service", pool.namespace, pool.picker)
        pods = view.service_pods(service) if service and pool.owner.kind == "InferencePool" else ()
        if pods and not any(pod.picker for pod in pods):
            where = pool.owner.at("spec", "endpointPickerRef", "name")
            yield Offence(where, f"is {pool.picker}, whose pods are given no --pool-name")
    for pool, _, container in _served(view):
        if container is None:
            continue
        name = container.flags.get("pool-name", "")
        namespace = container.flags.get("pool-namespace", pool.namespace)
        if (namespace, name) != (pool.namespace, pool.name):
            message = f"is {namespace}/{name}, and the picker is that of {pool.namespace}/{pool.name}"
            yield Offence(container.at_flag("pool-name"), message, f"write {pool.name}")
        group = container.flags.get("pool-group")
        if group and pool.groups and group not in pool.groups:
            message = f"is {group}, and the pool is in {' and '.join(pool.groups)}"
            yield Offence(container.at_flag("pool-group"), message, f"write {pool.groups[0]}")


@rule(
    "EPP-06",
    "A pool picks model servers, and nothing else",
    symptom='"no healthy upstream", or every other request ends with 404 because it went to the picker.',
    cause="The pool's selector is not a part of the pods' labels, or it is so wide that it picks other pods too.",
    instead="select by the labels of the pod template",
    source=("F-82", "F-38", "https://gateway-api-inference-extension.sigs.k8s.io/api-types/inferencepool/"),
)
def pool_selector(view: View) -> Iterator[Offence]:
    """Selectors of every rendered pool."""
    for pool in view.pools:
        pods = view.pods_behind(pool.namespace, pool.selector) if pool.selector else ()
        where = pool.owner.at("spec", "selector")
        if not any(pod.engine for pod in pods):
            yield Offence(where, "picks no model server")
        others = [pod for pod in pods if not pod.engine and not pod.made_by_kserve]
        if others:
            yield Offence(where, f"also picks {others[0].owner.title}, which serves no model")


@rule(
    "EPP-07",
    "A body-based router knows every base model by the name that routes match",
    symptom="Requests for a model end with 404, or fault filter abort.",
    cause="The router maps the model in the body to a base model from ConfigMaps, and routes match that in a header.",
    instead="add a ConfigMap with baseModel equal to the served name and to the header's value",
    source=(
        "F-77",
        "seed: bbr-helm-deployment",
        "https://gateway-api-inference-extension.sigs.k8s.io/guides/serving-multiple-inference-pools-latest/",
    ),
)
def base_models(view: View) -> Iterator[Offence]:
    """Header matches of routes against ConfigMaps and served names."""
    known = {
        text(item.manifest, "data", "baseModel")
        for item in view.of("ConfigMap")
        if _LABEL_MANAGED in labels(item.manifest, "metadata", "labels")
    }
    served = {engine.flags.get("served-model-name") for engine in view.engines}
    for route in view.of("HTTPRoute"):
        for index, item in enumerate(entries(route.manifest, "spec", "rules")):
            for match in entries(item, "matches"):
                for header in entries(match, "headers"):
                    value = text(header, "value")
                    if text(header, "name").lower() != "x-gateway-base-model-name":
                        continue
                    where = route.at("spec", "rules", index, "matches")
                    if value not in known:
                        yield Offence(where, f"matches {value}, which no ConfigMap of the router names")
                    elif value not in served:
                        yield Offence(where, f"matches {value}, which no server serves")


@rule(
    "EPP-08",
    "Services that the gateway asks over gRPC say HTTP/2",
    symptom="Requests hang or end with 500: the gateway speaks HTTP/1.1 to an ext_proc server.",
    cause="ext_proc is gRPC, and the load balancer takes the protocol from appProtocol.",
    instead="write appProtocol: kubernetes.io/h2c",
    source=("F-78", "gateway-api-inference-extension charts"),
)
def http2(view: View) -> Iterator[Offence]:
    """Services of pickers and of body-based routers."""
    for service, port in _ext_proc_services(view):
        for index, item in enumerate(entries(service.manifest, "spec", "ports")):
            if number(item, "port") == port and text(item, "appProtocol") not in HTTP2:
                said = text(item, "appProtocol") or "missing"
                yield Offence(service.at("spec", "ports", index, "appProtocol"), f"is {said}")


def _ext_proc_services(view: View) -> Iterator[tuple[Resource, int | None]]:
    for pool in view.pools:
        service = view.find("Service", pool.namespace, pool.picker)
        if service:
            yield service, pool.picker_port
    for extension in view.of("GCPRoutingExtension"):
        for chain in entries(extension.manifest, "spec", "extensionChains"):
            for item in entries(chain, "extensions"):
                service = view.find("Service", extension.namespace, text(item, "backendRef", "name"))
                if service:
                    yield service, number(item, "backendRef", "port")


@rule(
    "EPP-09",
    "The pool's picker listens where the pool says",
    symptom="FailOpen: requests are spread at random. FailClose: every request ends with 503.",
    cause="The picker's Service is not there, or pool, Service and --grpc-port name different ports.",
    instead="use one Service and one port, 9002, in all three",
    source=("F-82", "F-90", _GIE),
)
def picker_port(view: View) -> Iterator[Offence]:
    """Picker references of every rendered pool, through the Service to the container."""
    for pool in view.pools:
        if pool.owner.kind != "InferencePool":
            continue
        where = pool.owner.at("spec", "endpointPickerRef")
        service = view.find("Service", pool.namespace, pool.picker)
        if service is None:
            yield Offence(where, f"is Service {pool.namespace}/{pool.picker}, which is not there")
            continue
        port = next(
            (p for p in entries(service.manifest, "spec", "ports") if number(p, "port") == pool.picker_port),
            None,
        )
        if port is None:
            yield Offence(where, f"is port {pool.picker_port} of {service.title}, which does not have it")
            continue
        target = number({"t": port.get("targetPort", port.get("port"))}, "t")
        for pod in view.service_pods(service):
            listens = pod.picker.flags.get("grpc-port", "9002") if pod.picker else ""
            if listens and target is not None and listens != str(target):
                message = f"leads to {target}, and the picker listens on {listens}"
                yield Offence(service.at("spec", "ports"), message, f"write {listens}")


@rule(
    "EPP-10",
    "A pool says what happens while its picker is away, and can stand it",
    severity="warning",
    symptom="Every request fails while the only picker restarts.",
    cause="FailClose refuses requests without a picker, and one picker has no stand-in.",
    instead="run two pickers with leader election, or write FailOpen",
    source=("F-85", "https://gateway-api-inference-extension.sigs.k8s.io/api-types/inferencepool/"),
)
def failure_mode(view: View) -> Iterator[Offence]:
    """Pools with FailClose or without a word."""
    for pool in view.pools:
        if pool.owner.kind != "InferencePool":
            continue
        spec = mapping(pool.owner.manifest, "spec")
        reference = "endpointPickerRef" if "endpointPickerRef" in spec else "extensionRef"
        mode = text(spec, reference, "failureMode")
        service = view.find("Service", pool.namespace, pool.picker)
        replicas = sum(pod.replicas for pod in view.service_pods(service)) if service else 1
        if mode != "FailOpen" and replicas < 2:
            said = mode or "missing, which means FailClose"
            yield Offence(pool.owner.at("spec", reference, "failureMode"), f"is {said}, with one picker")


@rule(
    "EPP-11",
    "Prefix scoring finds prefixes that the engines keep, in blocks of the same size",
    symptom="Requests with one prefix are spread over all replicas; the cache hit rate stays at zero.",
    cause="The engines keep no prefix cache, or cut prompts into blocks of another size than the picker.",
    instead="leave prefix caching on, and write one block size in both",
    source=("F-83", "domain section 5", "https://docs.vllm.ai/en/stable/features/automatic_prefix_caching/"),
)
def prefix_cache(view: View) -> Iterator[Offence]:
    """Pickers with a prefix scorer against the servers of their pool."""
    for pool, pod, container in _served(view):
        config = _config(view, pod, container, pool)
        plugins_ = entries(config, "plugins") if config else []
        scorers = [item for item in plugins_ if text(item, "type") in _PREFIX_SCORERS]
        sizes = {size for item in plugins_ if (size := number(item, "parameters", "blockSizeTokens"))}
        for engine in pool_engines(view, pool) if scorers else ():
            if "no-enable-prefix-caching" in engine.flags:
                where = engine.at_flag("no-enable-prefix-caching")
                yield Offence(where, "switches the cache off that the picker scores by")
            own = engine.count("block-size", 0)
            if own and sizes and sizes != {own}:
                where = engine.at_flag("block-size")
                yield Offence(
                    where, f"is {own}, and the picker counts in {min(sizes)} tokens", f"write {min(sizes)}"
                )


@rule(
    "EPP-12",
    "Precise prefix routing has everything that makes hashes equal",
    symptom="The index never matches: every request counts as a miss.",
    cause="Engine and picker hash blocks with different seeds or sizes, or no KV events are published.",
    instead="set --kv-events-config and --block-size, and PYTHONHASHSEED where the picker has a hashSeed; run one picker",
    source=("F-84", "https://github.com/llm-d/llm-d/tree/main/guides/precise-prefix-cache-routing"),
)
def precise_prefix(view: View) -> Iterator[Offence]:
    """Pickers whose configuration indexes KV events."""
    for pool, pod, container in _served(view):
        config = _config(view, pod, container, pool)
        kinds = {text(item, "type") for item in entries(config, "plugins")} if config else set[str]()
        if not any(kind.startswith("precise-prefix-cache") for kind in kinds):
            continue
        if pod.replicas > 1:
            yield Offence(
                pod.owner.at("spec", "replicas"),
                f"is {pod.replicas}, and each picker has an index of its own",
            )
        told = {str(path[-1]): str(value) for path, value in leaves(config)}
        for engine in pool_engines(view, pool):
            yield from _hashes(engine, told)


def _hashes(engine: Engine, told: dict[str, str]) -> Iterator[Offence]:
    """Flags and variables that make an engine's block hashes those of the picker."""
    seed, size = told.get("hashSeed"), told.get("blockSizeTokens", told.get("blockSize"))
    own = engine.container.environment.get("PYTHONHASHSEED")
    if seed and own != seed:
        message = f"sets PYTHONHASHSEED to {own or 'nothing'}, and the picker's hashSeed is {seed}"
        yield Offence(engine.at("env"), message, f"write {seed}")
    if "kv-events-config" not in engine.flags:
        yield Offence(engine.at("args"), "lacks --kv-events-config")
    if size and engine.flags.get("block-size") != size:
        message = f"is {engine.flags.get('block-size', 'missing')}, and the picker counts in blocks of {size}"
        yield Offence(engine.at_flag("block-size"), message, f"write {size}")


@rule(
    "EPP-13",
    "An EnvoyFilter names a gateway and routes that exist",
    symptom='POST requests arrive without a body: "prompt is required".',
    cause="Envoy's routes are named <namespace>.<route>.<rule>, and the filter names another.",
    instead="write the names of the route that leads to the pool",
    source=("F-71", "IK3 docs/troubleshooting.md", "seed 004"),
)
def envoy_routes(view: View) -> Iterator[Offence]:
    """Route names in every EnvoyFilter."""
    prefixes = {f"{route.namespace}.{route.name}" for route in view.of("HTTPRoute")}
    prefixes |= {f"{service.namespace}.{KServeNames(service.name).route}" for service in view.services}
    names = {gateway.name for gateway in view.of("Gateway")}
    for item in view.of("EnvoyFilter"):
        gateway = text(item.manifest, "spec", "workloadSelector", "labels", GATEWAY_NAME)
        if gateway and gateway not in names:
            where = item.at("spec", "workloadSelector", "labels")
            yield Offence(where, f"selects the pods of Gateway {gateway}, which is not there")
        for index, patch in enumerate(entries(item.manifest, "spec", "configPatches")):
            path = ("match", "routeConfiguration", "vhost", "route", "name")
            name = text(patch, *path)
            if name and name.rpartition(".")[0] not in prefixes:
                yield Offence(
                    item.at("spec", "configPatches", index, *path), f"is {name}, which no HTTPRoute makes"
                )


@rule(
    "EPP-14",
    "The picker may read what it watches",
    symptom="The picker never becomes ready: pods is forbidden, inferencepools is forbidden.",
    cause="Its ServiceAccount lacks a Role, or the Role lacks a group that the release reads.",
    instead="bind a Role with get, list and watch on pods, inferencepools and the release's objectives",
    source=("F-68", "F-56", "gateway-api-inference-extension charts: rbac.yaml"),
)
def permissions(view: View) -> Iterator[Offence]:
    """Roles bound to the account of every rendered picker."""
    for pod, container in view.pickers:
        release = release_of(view, pod, container)
        if pod.made_by_kserve or release is None:
            continue
        account = text(pod.spec, "serviceAccountName") or "default"
        granted = _granted(view, pod.namespace, account)
        for needed in release.rbac:
            for resource in needed.resources:
                missing = [
                    verb for verb in ("get", "list", "watch") if (needed.group, resource, verb) not in granted
                ]
                if missing:
                    what = f"{resource}.{needed.group}" if needed.group else resource
                    yield Offence(
                        pod.at("serviceAccountName"), f"is {account}, which may not {missing[0]} {what}"
                    )


def _granted(view: View, namespace: str, account: str) -> set[tuple[str, str, str]]:
    granted: set[tuple[str, str, str]] = set()
    for binding in view.of("RoleBinding", "ClusterRoleBinding"):
        if binding.namespace not in ("", namespace):
            continue
        subjects = {
            (text(item, "kind"), text(item, "name"), text(item, "namespace") or binding.namespace)
            for item in entries(binding.manifest, "subjects")
        }
        if ("ServiceAccount", account, namespace) not in subjects:
            continue
        kind, name = text(binding.manifest, "roleRef", "kind"), text(binding.manifest, "roleRef", "name")
        role = view.find(kind, namespace if kind == "Role" else "", name)
        for item in entries(role.manifest, "rules") if role else []:
            granted |= {
                (group, resource, verb)
                for group in texts(item, "apiGroups")
                for resource in texts(item, "resources")
                for verb in texts(item, "verbs")
            }
    return granted


@rule(
    "EPP-17",
    "Addresses in the picker's configuration lead to Services that are there",
    symptom="The picker starts, and every prompt counts as unknown: its renderer cannot be reached.",
    cause="A Service was renamed, or its port changed, and the configuration still has the old address.",
    instead="write http://<service>.<namespace>.svc:<port> of a Service of this environment",
    source=("F-90", "F-84", "https://github.com/llm-d/llm-d/tree/main/guides/precise-prefix-cache-routing"),
)
def addresses(view: View) -> Iterator[Offence]:
    """URLs inside the cluster in every picker's configuration."""
    for config in configs(view):
        for _, value in leaves(config.value):
            found = _IN_CLUSTER.match(value) if isinstance(value, str) else None
            service = view.find("Service", found["namespace"], found["name"]) if found else None
            ports = (
                [str(port.get("port")) for port in entries(service.manifest, "spec", "ports")]
                if service
                else []
            )
            if found and (found["port"] or "80") not in ports:
                yield Offence(config.where, f"leads to {value}, which no Service of this environment answers")


def _served(view: View) -> Iterator[tuple[Pool, Pod, Container | None]]:
    """Every pool with its picker's pods; the container where its flags are in git."""
    for pool in view.pools:
        service = view.find("Service", pool.namespace, pool.picker)
        if service:
            pods = [pod for pod in view.service_pods(service) if pod.picker]
        else:
            pods = view.kserve_pickers(pool)
        for pod in pods:
            yield pool, pod, pod.picker


def _config(view: View, pod: Pod, container: Container | None, pool: Pool) -> JsonObject | None:
    if container is None:
        return mapping(pool.owner.manifest, "spec", "router", "scheduler", "config", "inline") or None
    found = _config_of(view, pod, container)
    return parse(found[1]) if found else None


@rule(
    "EPP-15",
    "The picker is asked for its health where it answers",
    symptom="The picker is restarted for ever, or never becomes ready.",
    cause="A gRPC probe asks another port than --grpc-health-port.",
    instead="use one port, 9003, in both",
    source=("F-35b", "gateway-api-inference-extension charts"),
)
def health_port(view: View) -> Iterator[Offence]:
    """GRPC probes of every picker."""
    for _, container in view.pickers:
        listens = container.flags.get("grpc-health-port", "9003")
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            port = mapping(container.manifest, probe, "grpc").get("port")
            if port is not None and str(port) != listens:
                message = f"is {port}, and the picker answers on {listens}"
                yield Offence(container.at(probe, "grpc", "port"), message, f"write {listens}")


@rule(
    "EPP-16",
    "Several pickers of one pool elect a leader",
    symptom="The gateway asks pickers in turns, each knows half of the requests, and prefixes are scattered.",
    cause="Replicas of a picker do not share what they know; only an elected leader may answer.",
    instead="write --ha-enable-leader-election, or one replica",
    source=("F-85", "F-84", _GIE),
)
def leader(view: View) -> Iterator[Offence]:
    """Replicas of every rendered picker."""
    for pod, container in view.pickers:
        elects = container.flags.get("ha-enable-leader-election", "false").lower() != "false"
        if pod.replicas > 1 and not pod.made_by_kserve and not elects:
            yield Offence(pod.owner.at("spec", "replicas"), f"is {pod.replicas}, without an election")


RULES = (
    metrics_scheme,
    cache_metric,
    known_flags,
    plugins,
    own_picker,
    pool_selector,
    base_models,
    http2,
    picker_port,
    failure_mode,
    prefix_cache,
    precise_prefix,
    envoy_routes,
    permissions,
    health_port,
    leader,
    addresses,
)
