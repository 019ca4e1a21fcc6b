"""Pods and objects in general: names, labels, selectors, security, images."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from llmd_constructs.rules.capacity import scaled
from llmd_constructs.rules.engine import model_of
from llmd_constructs.rules.fields import fields
from llmd_constructs.rules.flags import runs_shell
from llmd_constructs.rules.model import Offence, rule
from llmd_constructs.rules.pods import TEMPLATES, Container, Pod
from llmd_constructs.rules.reading import dig, entries, labels, mapping, number, selects, text, texts
from llmd_constructs.rules.resources import Resource
from llmd_constructs.rules.view import View

LONGEST_LABEL = 63
FLOATING = ("latest", "main", "master", "nightly", "dev", "stable")
_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
_KEY = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_DNS_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_NAMES_WITH_COLONS = ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
_SELECTING = {"PodDisruptionBudget": ("spec", "selector"), "PodMonitoring": ("spec", "selector")}
_HOST_FIELDS = ("hostNetwork", "hostPID", "hostIPC")
SECURITY = "https://kubernetes.io/docs/concepts/security/pod-security-standards/"
LABELS = "https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/"


@rule(
    "POD-01",
    "No pod takes more of its node than its accelerator",
    symptom="The pod is refused by Pod Security; or it works, and a broken container owns the node.",
    cause="Guides for bare TPU machines mount devices from the host; GKE's device plugin does that by itself.",
    instead="leave privileged, hostPath and hostNetwork out",
    source=("F-35j", "F-88", "seed 001", SECURITY),
    waivable=True,
)
def no_host(view: View) -> Iterator[Offence]:
    """Host access of every pod."""
    for pod in view.pods:
        for field in _HOST_FIELDS:
            if pod.spec.get(field) is True:
                yield Offence(pod.at(field), "is true")
        for index, volume in enumerate(entries(pod.spec, "volumes")):
            if "hostPath" in volume:
                yield Offence(
                    pod.at("volumes", index), f"mounts {text(volume, 'hostPath', 'path')} of the node"
                )
        for container in pod.all_containers:
            if dig(container.manifest, "securityContext", "privileged") is True:
                yield Offence(container.at("securityContext", "privileged"), "is true")


@rule(
    "POD-02",
    "An image that runs as root is allowed to",
    symptom='CreateContainerConfigError: "container has runAsNonRoot and image will run as root".',
    cause="KServe's presets say runAsNonRoot, and some vLLM images run as root.",
    instead="write securityContext {runAsNonRoot: false}, or runAsUser with a number the image can live with",
    source=("F-35k", "kserve config-llm-template.yaml", SECURITY),
)
def root_image(view: View) -> Iterator[Offence]:
    """Engines whose image is known to run as root."""
    for engine in view.engines:
        if not engine.known or engine.known.user != 0:
            continue
        own, pod = (
            mapping(engine.container.manifest, "securityContext"),
            mapping(engine.pod.spec, "securityContext"),
        )
        user = own.get("runAsUser", pod.get("runAsUser"))
        said = own.get("runAsNonRoot", pod.get("runAsNonRoot"))
        preset = engine.pod.made_by_kserve and said is None
        if user is None and (said is True or preset):
            where = engine.at("securityContext", "runAsNonRoot")
            reason = "is left to KServe's preset, which says true" if preset else "is true"
            yield Offence(where, f"{reason}, and {engine.known.image} runs as root")


@rule(
    "POD-03",
    "Names and labels are ones that Kubernetes takes",
    symptom='The sync fails: "a valid label must be an empty string or consist of alphanumeric characters".',
    cause="A model's id has a slash, and labels take none; values have 63 characters at most.",
    instead="write letters, digits, -, _ and . only, 63 at most; the id itself may stand in a header or annotation",
    source=("F-79", LABELS),
)
def valid_labels(view: View) -> Iterator[Offence]:
    """Labels of every object and pod, and names of every object."""
    for resource in view.resources:
        if not _valid_name(resource):
            yield Offence(
                resource.at("metadata", "name"), f"is {resource.name}", "write lower case, digits, - and ."
            )
        for path, found in _labels_of(resource):
            for key, value in found.items():
                if not isinstance(value, str) or not _is_label(key, value):
                    yield Offence(resource.at(*path, key), f"is {value!r}")


@lru_cache(maxsize=4096)  # labels come again and again
def _is_label(key: str, value: str) -> bool:
    return bool(_KEY.fullmatch(key) and _VALUE.fullmatch(value)) and len(value) <= LONGEST_LABEL


def _valid_name(resource: Resource) -> bool:
    if resource.kind in _NAMES_WITH_COLONS:
        return True
    longest = LONGEST_LABEL if resource.kind in ("Service", "Namespace", "Gateway") else 253
    return bool(_DNS_NAME.fullmatch(resource.name)) and len(resource.name) <= longest


def _labels_of(resource: Resource) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    yield ("metadata", "labels"), mapping(resource.manifest, "metadata", "labels")
    template = tuple(str(part) for part in TEMPLATES.get(resource.kind, ()))
    if template:
        path = (*template, "metadata", "labels")
        yield path, mapping(resource.manifest, *path)


@rule(
    "POD-04",
    "A selector picks pods that exist",
    symptom="Nothing happens: the Service has no endpoints, the budget guards nothing, nothing is scraped.",
    cause="The selector's labels are not those of the pods.",
    instead="use the labels of the pod template, or those that KServe gives its pods",
    source=("F-82", "F-37", "F-80", LABELS),
)
def selectors(view: View) -> Iterator[Offence]:
    """Selectors of workloads, Services, budgets and monitors."""
    for resource in view.resources:
        template = TEMPLATES.get(resource.kind)
        chosen = mapping(resource.manifest, "spec", "selector")
        if template and resource.kind not in ("Job", "CronJob"):
            own = labels(resource.manifest, *template, "metadata", "labels")
            if not chosen or not selects(chosen, own):
                yield Offence(resource.at("spec", "selector"), "does not pick the pods of its own template")
        elif resource.kind == "Service" and chosen and not view.service_pods(resource):
            if _is_gateway_selector(chosen):
                continue
            yield Offence(resource.at("spec", "selector"), f"picks no pod: {_said(chosen)}")
        for index, item in enumerate(
            entries(resource.manifest, *(template or ()), "spec", "topologySpreadConstraints")
        ):
            own = labels(resource.manifest, *(template or ()), "metadata", "labels")
            if template and not selects(mapping(item, "labelSelector"), own):
                where = resource.at(*template, "spec", "topologySpreadConstraints", index, "labelSelector")
                yield Offence(where, "does not pick the pods of its own template")
        if resource.kind in _SELECTING and not view.pods_behind(resource.namespace, chosen):
            yield Offence(
                resource.at("spec", "selector"), f"picks no pod: {_said(labels(chosen, 'matchLabels'))}"
            )


def _is_gateway_selector(selector: dict[str, Any]) -> bool:
    return any("gateway" in key or "istio" in key for key in selector)


def _said(selector: dict[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in selector.items()) or "it is empty"


@rule(
    "POD-05",
    "Every image has a tag that stays",
    symptom="After a restart the same manifest runs other software: flags are unknown, metrics have new names.",
    cause="latest, and tags like it, move.",
    instead="write a version, or a digest",
    source=("F-48", "F-47", "seed 000", "https://kubernetes.io/docs/concepts/containers/images/"),
)
def pinned_images(view: View) -> Iterator[Offence]:
    """Images of every container."""
    for pod in view.pods:
        for container in pod.all_containers:
            image = container.image
            if not image or "@sha256:" in image:
                continue
            tag = image.rpartition("/")[2].partition(":")[2]
            if not tag or floats(tag):
                yield Offence(
                    container.at("image"), f"is {image}, which moves" if tag else f"is {image}, without a tag"
                )


def floats(tag: str) -> bool:
    """Whether a tag moves."""
    return tag in FLOATING or tag.endswith(tuple(f"-{word}" for word in FLOATING))


@rule(
    "POD-06",
    "A disruption budget lets one pod go",
    symptom="A node upgrade hangs: the pod cannot be evicted.",
    cause="minAvailable is as high as the number of replicas, or maxUnavailable is 0.",
    instead="write maxUnavailable: 1, or no budget for a single replica",
    source=("F-92", "https://kubernetes.io/docs/tasks/run-application/configure-pdb/"),
)
def budget(view: View) -> Iterator[Offence]:
    """Every PodDisruptionBudget against the replicas that it guards."""
    for resource in view.of("PodDisruptionBudget"):
        pods = view.pods_behind(resource.namespace, mapping(resource.manifest, "spec", "selector"))
        replicas = sum(_fewest(view, pod) * pod.nodes for pod in pods)
        least, most = resource.get("spec", "minAvailable"), resource.get("spec", "maxUnavailable")
        if most in (0, "0", "0%"):
            yield Offence(resource.at("spec", "maxUnavailable"), f"is {most}, and no pod may ever go")
        elif least is not None and pods and (least == "100%" or (number({"n": least}, "n") or 0) >= replicas):
            yield Offence(resource.at("spec", "minAvailable"), f"is {least}, and there are {replicas} pods")


def _fewest(view: View, pod: Pod) -> int:
    bounds = scaled(view, pod)
    return bounds.fewest if bounds else pod.replicas


@rule(
    "POD-07",
    "Either an autoscaler or the manifest says how many replicas run",
    symptom="Argo CD and the autoscaler set replicas in turns, and pods come and go.",
    cause="Both write spec.replicas.",
    instead="leave spec.replicas out where an autoscaler decides",
    source=("F-91", "F-93", "https://argo-cd.readthedocs.io/en/stable/user-guide/best_practices/"),
)
def one_scaler(view: View) -> Iterator[Offence]:
    """Targets of every autoscaler."""
    for scaler in view.of("HorizontalPodAutoscaler", "ScaledObject"):
        target = mapping(scaler.manifest, "spec", "scaleTargetRef")
        kind, name = text(target, "kind") or "Deployment", text(target, "name")
        places = {
            (*pod.path[:-1], "replicas") if pod.made_by_kserve else ("spec", "replicas"): pod.owner
            for pod in view.pods
            if pod.namespace == scaler.namespace and pod.workload == (kind, name)
        }
        for path, owner in places.items():
            if owner.get(*path) is not None:
                yield Offence(owner.at(*path), f"is set, and {scaler.title} sets it too")


@rule(
    "POD-08",
    "What a pod mounts and runs as is there",
    symptom="ContainerCreating for ever: configmap not found; or: serviceaccount not found.",
    cause="The name of a ConfigMap or ServiceAccount is not one that this environment renders.",
    instead="name one that is rendered in the same namespace",
    source=("F-90", "F-67", "https://kubernetes.io/docs/concepts/storage/volumes/"),
)
def references(view: View) -> Iterator[Offence]:
    """ConfigMaps and ServiceAccounts of every pod."""
    for pod in view.pods:
        account = text(pod.spec, "serviceAccountName")
        if account not in ("", "default") and not view.find("ServiceAccount", pod.namespace, account):
            yield Offence(
                pod.at("serviceAccountName"), f"is {account}, which namespace {pod.namespace} does not have"
            )
        for index, volume in enumerate(entries(pod.spec, "volumes")):
            name = text(volume, "configMap", "name")
            if name and not _has_config_map(view, pod, name):
                yield Offence(
                    pod.at("volumes", index), f"is ConfigMap {name}, which {pod.namespace} does not have"
                )
        for container in pod.all_containers:
            yield from _mounts(pod, container)


def _has_config_map(view: View, pod: Pod, name: str) -> bool:
    bundles = {bundle.name for bundle in view.of("Bundle")}
    return view.find("ConfigMap", pod.namespace, name) is not None or name in bundles


def _mounts(pod: Pod, container: Container) -> Iterator[Offence]:
    if pod.made_by_kserve:
        return  # the presets bring volumes of their own
    volumes = {text(volume, "name") for volume in entries(pod.spec, "volumes")}
    for index, mount in enumerate(entries(container.manifest, "volumeMounts")):
        if text(mount, "name") not in volumes:
            yield Offence(
                container.at("volumeMounts", index), f"mounts {text(mount, 'name')}, which is no volume"
            )


@rule(
    "POD-09",
    "A script for a shell is one text, and flags for a program are a list",
    symptom='The container stops at once: "bash: --model=...: invalid option".',
    cause="`bash -c` takes one script; what follows are its own options and arguments.",
    instead="write command [vllm, serve] and one flag per item of args",
    source=("F-21", "seed 002", "kserve config-llm-template.yaml"),
)
def shell_script(view: View) -> Iterator[Offence]:
    """Command lines of every container."""
    for pod in view.pods:
        for container in pod.all_containers:
            script = [*texts(container.manifest, "command"), *texts(container.manifest, "args")][2:3]
            if runs_shell(container.manifest) and script and script[0].startswith("--"):
                yield Offence(container.at("args"), f"begins with {script[0]}, and the command is a shell")


@rule(
    "POD-10",
    "Pods that one selector picks serve one model",
    symptom="Half of the requests end with 404: the model does not exist.",
    cause="Two workloads carry the labels that the pool or Service selects by.",
    instead="give every model labels of its own",
    source=("F-76", "seed: unified pools"),
)
def one_model(view: View) -> Iterator[Offence]:
    """Pods behind every InferencePool and Service."""
    behind = [
        (pool.owner, view.pods_behind(pool.namespace, pool.selector)) for pool in view.pools if pool.selector
    ]
    behind += [(service, view.service_pods(service)) for service in view.of("Service")]
    for owner, pods in behind:
        models = {model.id for pod in pods if pod.engine and (model := model_of(pod.engine))}
        if len(models) > 1:
            yield Offence(owner.at("spec", "selector"), f"picks servers of {' and '.join(sorted(models))}")


@rule(
    "POD-11",
    "Every field of a pod is one that Kubernetes has",
    symptom="The sync fails with a strict decoding error; or the field is dropped, and the pod runs without it.",
    cause="The field stands one level too deep, as in template.spec.tolerations of an LLMInferenceService.",
    instead="put it where the pod's specification has it; on KServe, template is the specification itself",
    source=(
        "F-20b",
        "INFRA docs: deploying",
        "https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/",
    ),
)
def known_fields(view: View) -> Iterator[Offence]:
    """Fields of every pod and container."""
    for pod in view.pods:
        for name in pod.spec.keys() - fields("PodSpec"):
            yield Offence(pod.at(name), "is not a field of a pod")
        for container in pod.all_containers:
            for name in container.manifest.keys() - fields("Container"):
                yield Offence(container.at(name), "is not a field of a container")
            for index, variable in enumerate(entries(container.manifest, "env")):
                if "value" in variable and not isinstance(variable["value"], str):
                    yield Offence(
                        container.at("env", index, "value"),
                        f"is {variable['value']}, and no text",
                        "put it in quotes",
                    )


@rule(
    "POD-12",
    "Services and probes lead to ports that containers listen on",
    symptom="Connection refused: the pod is never Ready, or its Service answers nothing.",
    cause="A port was changed in one place and not in the other.",
    instead="write the port of the container",
    source=("F-82", "https://kubernetes.io/docs/concepts/services-networking/service/"),
)
def open_ports(view: View) -> Iterator[Offence]:
    """Services and HTTP probes of pods that serve no model; VLLM-03 and VLLM-08 hold for the others."""
    for service in view.of("Service"):
        pods = [pod for pod in view.service_pods(service) if not pod.engine and pod.ports]
        for index, port in enumerate(entries(service.manifest, "spec", "ports")):
            target = number({"port": port.get("targetPort", port.get("port"))}, "port")
            for pod in pods:
                if target is not None and target not in pod.ports and not pod.made_by_kserve:
                    message = f"leads to {target}, and {pod.owner.title} listens on {_numbers(pod.ports)}"
                    yield Offence(service.at("spec", "ports", index, "targetPort"), message)
    for pod in view.pods:
        for container in pod.containers if not pod.engine else ():
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                port = number(container.manifest, probe, "httpGet", "port")
                if port is not None and container.ports and port not in container.ports:
                    message = f"is {port}, and the container listens on {_numbers(container.ports)}"
                    yield Offence(container.at(probe, "httpGet", "port"), message)


def _numbers(ports: frozenset[int]) -> str:
    return " and ".join(str(port) for port in sorted(ports))


RULES = (
    no_host,
    root_image,
    valid_labels,
    selectors,
    pinned_images,
    budget,
    one_scaler,
    references,
    shell_script,
    one_model,
    known_fields,
    open_ports,
)
