"""Every change at one place of a rendered environment that would matter on a cluster."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Literal

from llmd_constructs.config.errors import ValuePath, dotted
from llmd_constructs.plan.model import EnvironmentPlan, ManifestFile, RenderedSource
from llmd_constructs.rules.reading import leaves

Kind = Literal["label", "port", "name", "version", "topology", "replicas"]
KINDS: tuple[Kind, ...] = ("label", "port", "name", "version", "topology", "replicas")
_PORTS = {"port", "number", "containerPort", "targetPort"}
_PORT_FLAGS = ("--port=", "--grpc-port=", "--vllm-port=")
_COUNTS = {"replicas", "size"}
_UNNAMED = {
    *("NetworkPolicy", "GCPBackendPolicy", "HealthCheckPolicy", "PodDisruptionBudget", "DestinationRule"),
    *("EnvoyFilter", "Deployment", "RoleBinding", "Certificate", "LeaderWorkerSet", "GCPRoutingExtension"),
}
"""Kinds that no other object refers to: under another name they do the same."""
_RECOMMENDED = tuple(f"app.kubernetes.io/{word}" for word in ("name", "component", "part-of", "managed-by"))
"""Labels for people, where no selector names them."""
_ACCELERATOR = (
    "cloud.google.com/gke-tpu-topology",
    "cloud.google.com/gke-tpu-accelerator",
    "cloud.google.com/gke-accelerator",
)


@dataclass(frozen=True)
class Mutation:
    """One place, and what stands there instead."""

    kind: Kind
    file: str
    path: ValuePath
    before: Any
    after: Any

    def __str__(self) -> str:
        return f"{self.file}: {dotted(self.path)}: {self.before} -> {self.after}"


def mutations(plan: EnvironmentPlan) -> Iterator[Mutation]:
    """All of them, in the order of files and fields."""
    for file in plan.files:
        for path, value in leaves(file.manifest):
            found = _mutation(path, value)
            if found and not _changes_nothing(file, path, found[0], plan):
                yield Mutation(found[0], file.path, path, value, found[1])


def _changes_nothing(file: ManifestFile, path: ValuePath, kind: Kind, plan: EnvironmentPlan) -> bool:
    """Whether the cluster would do the same."""
    owner, last = file.manifest["kind"], str(path[-1])
    if path == ("metadata", "name"):
        return owner in _UNNAMED or (
            owner == "HTTPRoute" and not _is_named(plan, file.manifest["metadata"]["name"])
        )
    if kind == "port":
        # What a container declares is for people, and a Gateway serves on any port.
        return last == "containerPort" or owner == "Gateway"
    if kind == "label" and {"template", "leaderTemplate", "workerTemplate"} & set(path):
        return last in _RECOMMENDED and not _is_selected(plan, last)
    if kind == "replicas" and not _is_scarce(file):
        return True  # ordinary nodes are many
    optional = kind == "name" and "secretKeyRef" in path
    return optional and _at(file.manifest, path[:-1]).get("optional") is True


def _is_scarce(file: ManifestFile) -> bool:
    """Whether replicas take accelerators, or are pickers, of which one may answer."""
    return any(
        str(path[-1]) in ("google.com/tpu", "nvidia.com/gpu") or str(value).startswith("--pool-name")
        for path, value in leaves(file.manifest)
    )


def _is_named(plan: EnvironmentPlan, name: str) -> bool:
    """Whether an LLMInferenceService or an EnvoyFilter names the route."""
    kinds = ("LLMInferenceService", "EnvoyFilter")
    values = (
        value for file in plan.files if file.manifest["kind"] in kinds for _, value in leaves(file.manifest)
    )
    return any(isinstance(value, str) and name in value for value in values)


def _is_selected(plan: EnvironmentPlan, label: str) -> bool:
    """Whether a selector of the environment names the label."""
    return any(
        "matchLabels" in path and path[-1] == label
        for file in plan.files
        for path, _ in leaves(file.manifest)
    )


def _at(value: Any, path: ValuePath) -> Any:
    for part in path:
        value = value[part]
    return value


def _mutation(path: ValuePath, value: Any) -> tuple[Kind, Any] | None:
    keys = [str(part) for part in path]
    if keys[0] == "metadata" and keys[-1] not in {"name", "namespace"}:
        return None  # labels of an object itself are for people
    return _of_number(keys, value) if isinstance(value, int) else _of_text(keys, str(value))


def _of_number(keys: list[str], value: int) -> tuple[Kind, Any] | None:
    if keys[-1] in _COUNTS and "privateKey" not in keys:
        return "replicas", value + 50
    return ("port", value + 1) if keys[-1] in _PORTS and not isinstance(value, bool) else None


def _of_text(keys: list[str], value: str) -> tuple[Kind, Any] | None:
    last = keys[-1]
    if last in _ACCELERATOR:
        return "topology", "4x4" if last.endswith("topology") else "tpu-v4-podslice"
    if "matchLabels" in keys or keys[-2:-1] in (["selector"], ["labels"]):
        return "label", f"{value}x"
    if value.startswith(_PORT_FLAGS):
        return "port", f"{value}1"
    if last == "apiVersion" or (last == "image" and ":" in value) or last == "version":
        return "version", f"{value}1" if last == "apiVersion" else _moving(value)
    return ("name", f"{value}x") if _is_reference(keys) else None


def _moving(value: str) -> str:
    return f"{value.rpartition(':')[0]}:latest" if ":" in value else f"{value}-latest"


def _is_reference(keys: list[str]) -> bool:
    """Whether a name is one that another object or a controller goes by."""
    if keys in (["metadata", "name"], ["metadata", "namespace"]):
        return True
    if keys[-1] in ("serviceAccountName", "secretName"):
        return True
    owner = next((key for key in reversed(keys[:-1]) if not key.isdigit()), "")
    return keys[-1] == "name" and owner in {
        *(
            "backendRefs",
            "parentRefs",
            "targetRef",
            "targetRefs",
            "refs",
            "endpointPickerRef",
            "roleRef",
            "subjects",
        ),
        *(
            "configMap",
            "secretKeyRef",
            "secrets",
            "imagePullSecrets",
            "issuerRef",
            "parametersRef",
            "backendRef",
        ),
        *("volumeMounts", "secretStoreRef"),
    }


def mutated(plan: EnvironmentPlan, mutation: Mutation) -> EnvironmentPlan:
    """The plan with one place changed."""
    applications = [
        replace(
            application,
            source=RenderedSource(application.source.folder, _files(application.source, mutation)),
        )
        if isinstance(application.source, RenderedSource)
        and any(file.path == mutation.file for file in application.files)
        else application
        for application in plan.applications
    ]
    return replace(plan, applications=tuple(applications))


def _files(source: RenderedSource, mutation: Mutation) -> tuple[ManifestFile, ...]:
    return tuple(
        ManifestFile(file.path, _changed(file.manifest, mutation)) if file.path == mutation.file else file
        for file in source.files
    )


def _changed(manifest: Any, mutation: Mutation) -> Any:
    result = deepcopy(manifest)
    place = result
    for part in mutation.path[:-1]:
        place = place[part]
    place[mutation.path[-1]] = mutation.after
    return result
