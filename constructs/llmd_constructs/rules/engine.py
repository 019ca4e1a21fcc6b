"""vLLM: flags that it knows, probes that wait for it, names that clients use."""

from collections.abc import Iterator
from typing import Any

from llmd_constructs import catalogue
from llmd_constructs.catalogue import Model
from llmd_constructs.catalogue.releases.engine import engine_images
from llmd_constructs.rules.model import Offence, rule
from llmd_constructs.rules.pods import Engine
from llmd_constructs.rules.reading import entries, mapping, number, text
from llmd_constructs.rules.view import View

TPU_START_SECONDS = 1800
"""Download, TPU initialisation and compilation take 4 to 15 minutes; large models take more (seed 002)."""
GPU_START_SECONDS = 600
TOKEN_VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
_NEVER = {"prefix-cache-block-size": "--block-size"}
_GIB = {
    "Ki": 2**-20,
    "Mi": 2**-10,
    "Gi": 1,
    "Ti": 2**10,
    "K": 1e3 / 2**30,
    "M": 1e6 / 2**30,
    "G": 1e9 / 2**30,
}
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - the container's own
SERVE_ARGS = "https://docs.vllm.ai/en/stable/cli/serve/"


@rule(
    "VLLM-01",
    "No flag is one that the engine's version of vLLM is known to refuse",
    symptom='CrashLoopBackOff: "unrecognized arguments".',
    cause="Flags come and go with vLLM's versions, and some that guides name never existed. The catalogue has those "
    "that differ between its images, and not all that a version knows.",
    instead="leave the flag out",
    source=("F-33", "F-34", "seed issue 12", SERVE_ARGS),
)
def known_flags(view: View) -> Iterator[Offence]:
    """Flags that the image's version removed or does not have yet."""
    for engine in view.engines:
        known = engine.known
        refused = {flag.removeprefix("--") for flag in known.removed_flags} if known else set[str]()
        for flag in engine.flags:
            if flag in _NEVER:
                yield Offence(
                    engine.at_flag(flag), f"is --{flag}, which vLLM never had", f"write {_NEVER[flag]}"
                )
            elif flag in refused:
                version = known.version if known else ""
                yield Offence(engine.at_flag(flag), f"is --{flag}, which vLLM {version} refuses")


@rule(
    "VLLM-02",
    "Nothing kills the engine while it starts",
    symptom="The container is restarted over and over, minutes after it started, without an error of its own.",
    cause="The liveness probe gives up before weights are loaded and graphs compiled.",
    instead="add a startupProbe of {periodSeconds: 30, failureThreshold: 120} on TPUs, 60 on GPUs",
    source=("F-35", "seed 002", "seed issue 8"),
)
def start_budget(view: View) -> Iterator[Offence]:
    """Startup and liveness probes of every engine."""
    for engine in view.engines:
        container = engine.container.manifest
        wanted = TPU_START_SECONDS if engine.pod.resource == "google.com/tpu" else GPU_START_SECONDS
        startup = mapping(container, "startupProbe")
        liveness = mapping(container, "livenessProbe")
        if startup:
            budget = (number(startup, "periodSeconds") or 10) * (number(startup, "failureThreshold") or 3)
            where = engine.at("startupProbe")
        elif liveness:
            failures = (number(liveness, "periodSeconds") or 10) * (number(liveness, "failureThreshold") or 3)
            budget = (number(liveness, "initialDelaySeconds") or 0) + failures
            where = engine.at("livenessProbe")
        else:
            continue
        if budget < wanted:
            yield Offence(where, f"gives up after {budget} seconds, and a start may take {wanted}")


@rule(
    "VLLM-03",
    "Probes speak the scheme and the port of the server",
    symptom='Never Ready; the log says "WARNING: Invalid HTTP request received".',
    cause="A probe speaks HTTP to a server with --ssl-certfile or HTTPS to one without, or asks another port.",
    instead="give every probe the server's scheme and port",
    source=("F-35b", "seed 000", "issues of the Istio seed"),
)
def probe_scheme(view: View) -> Iterator[Offence]:
    """HTTP probes of every engine whose flags are in git."""
    for engine in view.engines:
        if not engine.explicit:
            continue
        for probe in PROBES:
            get = mapping(engine.container.manifest, probe, "httpGet")
            if not get:
                continue
            scheme = text(get, "scheme") or "HTTP"
            if scheme != engine.scheme:
                where = engine.at(probe, "httpGet", "scheme")
                yield Offence(
                    where, f"is {scheme}, and the server speaks {engine.scheme}", f"write {engine.scheme}"
                )
            port = _port(engine, get.get("port"))
            if port != engine.port:
                where = engine.at(probe, "httpGet", "port")
                yield Offence(
                    where, f"is {get.get('port')}, and the server listens on {engine.port}", "write its port"
                )


def _port(engine: Engine, value: Any) -> int | None:
    named = {
        text(port, "name"): number(port, "containerPort")
        for port in entries(engine.container.manifest, "ports")
    }
    return (
        named.get(value)
        if isinstance(value, str) and not value.isdecimal()
        else number({"port": value}, "port")
    )


@rule(
    "VLLM-04",
    "Clients and server call the model by one name",
    symptom='Every request ends with 404: "The model does not exist".',
    cause="Without --served-model-name vLLM answers to the folder it reads from, /mnt/models.",
    instead="write --served-model-name with spec.model.name",
    source=("F-35d", "seeds 000 and 004", SERVE_ARGS),
)
def served_name(view: View) -> Iterator[Offence]:
    """Served names of every engine against the names that the LLMInferenceService gives."""
    for engine in view.engines:
        if not engine.explicit:
            continue
        served = engine.flags.get("served-model-name", "")
        named = text(engine.pod.service.manifest, "spec", "model", "name") if engine.pod.service else ""
        if not served and engine.flags.get("model", "").startswith("/"):
            message = f"leaves the name to the folder {engine.flags['model']}"
            yield Offence(engine.at("args"), message, f"write --served-model-name={named}" if named else "")
        elif named and served and served != named:
            message = f"serves {served}, and spec.model.name is {named}"
            yield Offence(engine.at_flag("served-model-name"), message, f"write {named}")


@rule(
    "VLLM-05",
    "A gated model comes with a token",
    symptom="The download ends with 401 or 403, and the pod never starts.",
    cause="Hugging Face gives gated weights to accounts that accepted the licence. KServe's storage initialiser takes "
    "the token from the ServiceAccount's secrets, and ignores variables of the main container.",
    instead="wire the token's Secret: `secrets` of the ServiceAccount on KServe, HF_TOKEN from a Secret elsewhere",
    source=("F-35e", "seed 003", "https://huggingface.co/docs/hub/models-gated"),
)
def gated(view: View) -> Iterator[Offence]:
    """Every engine whose model the catalogue knows to be gated."""
    for engine in view.engines:
        model = model_of(engine)
        if not model or not model.gated:
            continue
        if engine.pod.service:
            account = text(engine.pod.spec, "serviceAccountName")
            found = view.find("ServiceAccount", engine.pod.namespace, account)
            if not found or not entries(found.manifest, "secrets"):
                where = found.at("secrets") if found else engine.pod.at("serviceAccountName")
                yield Offence(where, f"brings no secret, and {model.id} is gated")
        elif not any(_is_token(item) for item in entries(engine.container.manifest, "env")):
            yield Offence(engine.at("env"), f"brings no token, and {model.id} is gated")


def _is_token(variable: dict[str, Any]) -> bool:
    return text(variable, "name") in TOKEN_VARIABLES and bool(mapping(variable, "valueFrom", "secretKeyRef"))


def model_of(engine: Engine) -> Model | None:
    """What the catalogue holds about the model of an engine."""
    names = [engine.model]
    if engine.pod.service:
        spec = mapping(engine.pod.service.manifest, "spec", "model")
        names += [text(spec, "uri").removeprefix("hf://"), text(spec, "name")]
    known = set(catalogue.ids("model"))
    return next((catalogue.model(name) for name in names if name in known), None)


@rule(
    "VLLM-06",
    "There is disk for the weights",
    symptom="The pod is evicted during the download: ephemeral local storage usage exceeds the total limit.",
    cause="Weights land on the node's disk, and the scheduler was not told how much that takes.",
    instead="request 1.2 times the weights as ephemeral-storage",
    source=("F-35h", "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/"),
    waivable=True,
)
def disk(view: View) -> Iterator[Offence]:
    """Requests of every engine that downloads a known model to an emptyDir."""
    for engine in view.engines:
        model = model_of(engine)
        if not model or _reads_volume(engine):
            continue
        resources = ("resources", "requests", "ephemeral-storage")
        asked = _gib(engine.container.manifest, *resources)
        if asked is not None and asked < model.weight_gib:
            message = f"is {asked:g} GiB, and the weights of {model.id} are {model.weight_gib:g} GiB"
            yield Offence(engine.at(*resources), message, f"write {int(model.weight_gib * 1.2) + 2}Gi")
        elif asked is None and engine.pod.resource:
            yield Offence(
                engine.at("resources", "requests"),
                f"asks for no disk, and {model.id} is {model.weight_gib:g} GiB",
            )


def _reads_volume(engine: Engine) -> bool:
    uri = text(engine.pod.service.manifest, "spec", "model", "uri") if engine.pod.service else ""
    claims = any("persistentVolumeClaim" in volume for volume in entries(engine.pod.spec, "volumes"))
    return uri.startswith(("pvc://", "oci")) or claims


def _gib(value: Any, *path: str) -> float | None:
    found = mapping(value, *path[:-1]).get(path[-1])
    if found is None:
        return None
    quantity = str(found)
    unit = next((unit for unit in _GIB if quantity.endswith(unit)), "")
    amount = quantity.removesuffix(unit)
    plain = amount.replace(".", "", 1).isdecimal() and amount.isascii() and len(amount) < 20
    return float(amount) * (_GIB[unit] if unit else 1 / 2**30) if plain else None


@rule(
    "VLLM-07",
    "Workers of one engine have shared memory",
    symptom="vLLM stops at start with a bus error, or NCCL reports no space left on /dev/shm.",
    cause="A container's own /dev/shm has 64 MiB, and tensor parallel workers talk through it. KServe mounts more.",
    instead=f"mount an emptyDir with medium Memory at {_SHARED_MEMORY}",
    source=("F-35i", "https://docs.vllm.ai/en/stable/deployment/docker/"),
)
def shared_memory(view: View) -> Iterator[Offence]:
    """Engines of our own pods that split the model."""
    for engine in view.engines:
        parts = engine.count("tensor-parallel-size") * engine.count("data-parallel-size")
        if engine.pod.made_by_kserve or parts == 1:
            continue
        memory = {text(item, "name") for item in entries(engine.pod.spec, "volumes") if _in_memory(item)}
        mounts = entries(engine.container.manifest, "volumeMounts")
        if not any(
            text(mount, "mountPath") == _SHARED_MEMORY and text(mount, "name") in memory for mount in mounts
        ):
            yield Offence(engine.at("volumeMounts"), f"has no {_SHARED_MEMORY}, and {parts} workers share it")


def _in_memory(volume: dict[str, Any]) -> bool:
    return text(volume, "emptyDir", "medium") == "Memory"


@rule(
    "VLLM-08",
    "Everything that leads to the engine leads to a port that listens",
    symptom="Connection refused behind the gateway: 502 and 503, while the pods are Ready.",
    cause="Pool, Service and --port name different ports.",
    instead="use one port, 8000, everywhere",
    source=("F-04", "F-82", "https://gateway-api-inference-extension.sigs.k8s.io/"),
)
def ports(view: View) -> Iterator[Offence]:
    """Ports of pools and of Services in front of engines."""
    for pool in view.pools:
        for pod in view.pods_behind(pool.namespace, pool.selector) if pool.selector else ():
            if pod.engine and pod.engine.explicit and pool.port not in pod.ports:
                where = _pool_port(pool.owner.kind)
                message = f"is {pool.port}, and the server listens on {pod.engine.port}"
                at = pool.owner.at(*where) if where else pod.engine.at_flag("port")
                yield Offence(at, message, "use 8000 for both")
    for service in view.of("Service"):
        for pod in view.service_pods(service):
            engine = pod.engine
            for index, port in enumerate(entries(service.manifest, "spec", "ports") if engine else []):
                target = port.get("targetPort", port.get("port"))
                number_ = number({"port": target}, "port")
                if number_ is not None and number_ not in pod.ports and engine and engine.explicit:
                    message = f"leads to {number_}, and the server listens on {engine.port}"
                    yield Offence(
                        service.at("spec", "ports", index, "targetPort"), message, f"write {engine.port}"
                    )


def _pool_port(kind: str) -> tuple[str | int, ...]:
    return ("spec", "targetPorts", 0, "number") if kind == "InferencePool" else ()


@rule(
    "VLLM-09",
    "The picker can read the metrics that the engine has",
    severity="warning",
    symptom="All replicas look equally loaded, and requests pile up on one of them.",
    cause="vLLM renamed its KV cache metric, and an old engine still has the old name.",
    instead="use a newer engine image, or name the metric to the picker",
    source=("F-34b", "https://github.com/kubernetes-sigs/gateway-api-inference-extension/issues/1905"),
)
def old_metrics(view: View) -> Iterator[Offence]:
    """Engines whose image has the metric names of vLLM before 0.10."""
    newest = next(image.metrics["kv_cache"] for image in engine_images().values() if image.default)
    for engine in view.engines:
        known = engine.known
        told = any(
            container.flags.get("kv-cache-usage-percentage-metric") == known.metrics.get("kv_cache")
            for _, container in view.pickers
            if known
        )
        if known and known.metrics.get("kv_cache") not in (None, newest) and not told:
            message = f"is {known.image}, whose KV cache metric is {known.metrics['kv_cache']}"
            yield Offence(engine.at("image"), message)


@rule(
    "VLLM-10",
    "A routing proxy leads to the engine beside it",
    symptom="Every request to a decoding replica ends with 502.",
    cause="--vllm-port of the proxy is not --port of the engine.",
    instead="write one port in both",
    source=("F-04", "https://github.com/llm-d/llm-d-router"),
)
def proxy_port(view: View) -> Iterator[Offence]:
    """Proxies in front of engines, in one pod."""
    for engine in view.engines:
        for container in engine.pod.all_containers:
            port = container.flags.get("vllm-port")
            if port is not None and engine.explicit and port != str(engine.port):
                message = f"is {port}, and the engine listens on {engine.port}"
                yield Offence(container.at_flag("vllm-port"), message, f"write {engine.port}")


RULES = (
    known_flags,
    start_budget,
    probe_scheme,
    served_name,
    gated,
    disk,
    shared_memory,
    ports,
    old_metrics,
    proxy_port,
)
