"""What a scenario has in its hands: a running environment, its gateway, and words for what it expects."""

import json
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from llmd_tools.box.client import Client
from llmd_tools.cluster import ControlPlane
from llmd_tools.errors import ToolError

_SECONDS = 120
_PAUSE_SECONDS = 0.2


class ScenarioError(ToolError):
    """What happened is not what should have; the message says both."""


def expect(holds: bool, what: str, seen: object) -> None:
    """Go on if something holds.

    Args:
        holds: Whether it does.
        what: What should be, as a sentence.
        seen: What is.

    Raises:
        ScenarioError: If it does not.
    """
    if not holds:
        raise ScenarioError(f"{what}; seen: {seen}")


@dataclass(frozen=True)
class World:
    """A running environment.

    Attributes:
        cluster: Its control plane.
        gateway: A client of its gateway.
        reach: A URL on this machine for an address and port in the cluster.
        crash: Kills the program of a container: namespace, pod, container.
        log: What a container has said so far, earlier runs of it included: namespace, pod, container.
    """

    cluster: ControlPlane
    gateway: Client
    reach: Callable[[str, int], str]
    crash: Callable[[str, str, str], None]
    log: Callable[[str, str, str], str]

    def until(self, what: str, done: Callable[[], bool]) -> None:
        """Wait for something, two minutes at most.

        Raises:
            ScenarioError: If it does not come true.
        """
        end = time.monotonic() + _SECONDS
        while not done():
            self.cluster.programs.check()
            if time.monotonic() > end:
                raise ScenarioError(f"waited {_SECONDS} s in vain: {what}")
            time.sleep(_PAUSE_SECONDS)

    def pods(self, namespace: str, labels: Mapping[str, str]) -> list[dict[str, Any]]:
        """The pods with these labels that are not being deleted."""
        selector = ",".join(f"{name}={value}" for name, value in labels.items())
        found = self.cluster.server.list("v1", "Pod", namespace, labels=selector)
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def all_pods(self, namespace: str, owner: str) -> list[dict[str, Any]]:
        """The pods of a Deployment, those that end included."""
        return [
            pod
            for pod in self.cluster.server.list("v1", "Pod", namespace)
            if name_of(pod).startswith(f"{owner}-")
        ]

    def pods_of(self, namespace: str, deployment: str) -> list[dict[str, Any]]:
        """The pods of a Deployment that are not being deleted."""
        found = self.cluster.server.get("apps/v1", "Deployment", deployment, namespace)
        if found is None:
            raise ScenarioError(f"there is no Deployment {namespace}/{deployment}")
        return self.pods(namespace, found["spec"]["selector"]["matchLabels"])

    def ready(self, namespace: str, deployment: str) -> set[str]:
        """The names of a Deployment's pods that are ready."""
        return {name_of(pod) for pod in self.pods_of(namespace, deployment) if is_ready(pod)}

    def scale(self, namespace: str, deployment: str, replicas: int) -> set[str]:
        """Set the number of replicas, wait until just so many are ready, and return their names."""
        self.cluster.kubectl("-n", namespace, "scale", f"deployment/{deployment}", f"--replicas={replicas}")
        self.until(
            f"{deployment} has {replicas} ready replicas",
            lambda: (
                len(self.ready(namespace, deployment)) == len(self.pods_of(namespace, deployment)) == replicas
            ),
        )
        return self.ready(namespace, deployment)

    def restart(self, namespace: str, deployment: str) -> None:
        """Delete a Deployment's pods at once; others take their place."""
        for pod in self.pods_of(namespace, deployment):
            self.cluster.kubectl("-n", namespace, "delete", "pod", name_of(pod), "--wait=false")

    def metrics(self, pod: Mapping[str, Any], port: int) -> list[tuple[str, float]]:
        """A pod's Prometheus metrics: each series with its labels, and its value."""
        with Client(self.reach(pod["status"]["podIP"], port)) as client:
            answer = client.get("/metrics")
        lines = [line for line in answer.text.splitlines() if line and not line.startswith("#")]
        return [(series, float(value)) for series, _, value in (line.rpartition(" ") for line in lines)]

    @contextmanager
    def patched(self, namespace: str, kind: str, name: str, patch: Mapping[str, Any]) -> Generator[None]:
        """An object with a merge patch, for as long as the block lasts."""
        found = json.loads(self.cluster.kubectl("-n", namespace, "get", kind, name, "-o", "json"))
        self._patch(namespace, kind, name, patch)
        try:
            yield
        finally:
            self._patch(namespace, kind, name, _undo(patch, found))

    def _patch(self, namespace: str, kind: str, name: str, patch: Mapping[str, Any]) -> None:
        self.cluster.kubectl(
            "-n", namespace, "patch", kind, name, "--type=merge", "--patch", json.dumps(patch)
        )

    @contextmanager
    def without(self, namespace: str, api_version: str, kind: str, name: str) -> Generator[None]:
        """The cluster without an object, for as long as the block lasts."""
        found = self.cluster.server.get(api_version, kind, name, namespace)
        if found is None:
            raise ScenarioError(f"there is no {kind} {namespace}/{name}")
        self.cluster.server.delete(api_version, kind, name, namespace)
        own = {"name": name, "namespace": namespace, "labels": found["metadata"].get("labels", {})}
        rest = {key: value for key, value in found.items() if key not in {"metadata", "status"}}
        try:
            yield
        finally:
            self.cluster.apply([{**rest, "apiVersion": api_version, "kind": kind, "metadata": own}])


def name_of(thing: Mapping[str, Any]) -> str:
    """An object's name."""
    return thing["metadata"]["name"]


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Whether a pod is ready."""
    conditions = pod.get("status", {}).get("conditions", [])
    return any((each["type"], each["status"]) == ("Ready", "True") for each in conditions)


def _undo(patch: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """The merge patch that takes a merge patch back."""
    return {key: _before(value, found.get(key)) for key, value in patch.items()}


def _before(patched: Any, found: Any) -> Any:
    """What a field was; None, which removes it, if it was not there."""
    if isinstance(patched, dict) and isinstance(found, dict):
        return _undo(cast("dict[str, Any]", patched), cast("dict[str, Any]", found))
    return found
