"""What Argo CD says of its Applications."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

API_VERSION = "argoproj.io/v1alpha1"
KIND = "Application"
_WAVE = "argocd.argoproj.io/sync-wave"


class ObjectReference(NamedTuple):
    """One object of an Application."""

    api_version: str
    kind: str
    namespace: str
    name: str


@dataclass(frozen=True)
class ApplicationState:
    """One Application as Argo CD sees it.

    Attributes:
        name: Its name.
        wave: Its sync wave.
        sync: `Synced`, `OutOfSync` or `Unknown`; empty before the first look.
        health: `Healthy`, `Progressing`, `Degraded` and so on; empty before the first look.
        phase: Of its last operation: `Running`, `Succeeded`, `Failed`, `Error`; empty if there was none.
        revision: The commit that it was compared with.
        finished: When its last operation ended; empty while it runs.
        messages: What it says about its last operation, each object in it that failed, and its own conditions.
        objects: All its objects that are there, or should be.
        path: The folder of the repository that it reads; empty if it reads a chart.
    """

    name: str
    wave: int
    sync: str
    health: str
    phase: str
    revision: str
    finished: str
    messages: tuple[str, ...]
    objects: tuple[ObjectReference, ...]
    path: str = ""

    @classmethod
    def of(cls, application: Mapping[str, Any]) -> Self:
        """Read it out of the Application object."""
        metadata, status = application["metadata"], application.get("status", {})
        operation, sync = status.get("operationState", {}), status.get("sync", {})
        return cls(
            name=metadata["name"],
            wave=int(metadata.get("annotations", {}).get(_WAVE, "0")),
            path=application.get("spec", {}).get("source", {}).get("path", ""),
            sync=sync.get("status", ""),
            health=status.get("health", {}).get("status", ""),
            phase=operation.get("phase", ""),
            revision=sync.get("revision", ""),
            finished=operation.get("finishedAt", ""),
            messages=tuple(_messages(status, operation)),
            objects=tuple(map(_reference, status.get("resources", []))),
        )

    @property
    def settled(self) -> bool:
        """Whether it is Synced and Healthy, and nothing is under way; without objects there never was an operation."""
        return (self.sync, self.health) == ("Synced", "Healthy") and self.phase in {"Succeeded", ""}

    def reads(self, path: str) -> bool:
        """Whether a file of the repository is in its folder."""
        return path.startswith(f"{self.path}/")

    def __str__(self) -> str:
        state = f"{self.name}: {self.sync or '-'}, {self.health or '-'}, {self.phase or 'no operation'}"
        return "; ".join((state, *self.messages)) if not self.settled else state


def _reference(resource: Mapping[str, Any]) -> ObjectReference:
    group, version = resource.get("group", ""), resource["version"]
    api_version = f"{group}/{version}" if group else version
    return ObjectReference(api_version, resource["kind"], resource.get("namespace", ""), resource["name"])


def _messages(status: Mapping[str, Any], operation: Mapping[str, Any]) -> list[str]:
    results = operation.get("syncResult", {}).get("resources", [])
    failed = [
        f"{each['kind']} {each['name']}: {each.get('message', '')}"
        for each in results
        if each.get("status") == "SyncFailed" or each.get("hookPhase") in {"Failed", "Error"}
    ]
    conditions = [f"{each['type']}: {each['message']}" for each in status.get("conditions", [])]
    said = [operation["message"]] if "message" in operation else []
    return [*said, *failed, *conditions]
