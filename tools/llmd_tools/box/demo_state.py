"""How an environment in the box stands: its applications, its pods, its gateway."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from llmd_tools.argocd import ApplicationState


@dataclass(frozen=True)
class PodState:
    """One pod, in the words of `kubectl get pods`.

    Attributes:
        namespace: Its namespace.
        name: Its name.
        ready: Containers that are ready, of all.
        status: What it does, or what keeps it from that.
        restarts: How often its containers have been started again.
    """

    namespace: str
    name: str
    ready: str
    status: str
    restarts: int

    @property
    def is_ready(self) -> bool:
        """Whether it takes requests."""
        done, _, wanted = self.ready.partition("/")
        return done == wanted and self.status == "Running"

    @classmethod
    def of(cls, pod: Mapping[str, Any]) -> "PodState":
        """Read it out of a pod."""
        status = pod.get("status", {})
        initial, main = status.get("initContainerStatuses", []), status.get("containerStatuses", [])
        sidecars = {
            each["name"]
            for each in pod["spec"].get("initContainers", [])
            if each.get("restartPolicy") == "Always"
        }
        counted = [*(each for each in initial if each["name"] in sidecars), *main]
        wanted = len(sidecars) + len(pod["spec"]["containers"])
        return cls(
            pod["metadata"]["namespace"],
            pod["metadata"]["name"],
            f"{sum(each['ready'] for each in counted)}/{wanted}",
            _word(pod, [*initial, *main]),
            sum(each["restartCount"] for each in counted),
        )


@dataclass(frozen=True)
class State:
    """Everything at one moment.

    Attributes:
        applications: Argo CD's, by wave and name.
        pods: All pods, by namespace and name.
        gateway: The address that the gateway has in the cluster; empty before it has one.
    """

    applications: tuple[ApplicationState, ...]
    pods: tuple[PodState, ...]
    gateway: str

    @classmethod
    def of(
        cls, applications: Iterable[ApplicationState], pods: Iterable[Mapping[str, Any]], gateway: str
    ) -> "State":
        """Put it together."""
        return cls(
            tuple(sorted(applications, key=lambda each: (each.wave, each.name))),
            tuple(sorted(map(PodState.of, pods), key=lambda each: (each.namespace, each.name))),
            gateway,
        )

    def waits_for(self, applications: Iterable[str]) -> list[str]:
        """What is not as it should be, one line each; nothing if everything runs.

        Args:
            applications: Names of those that have to be there.
        """
        there = {each.name for each in self.applications}
        return [
            *(f"application {name} is not there" for name in sorted(set(applications) - there)),
            *(f"application {each}" for each in self.applications if not each.settled),
            *(
                f"pod {each.namespace}/{each.name} is {each.status}, {each.ready} ready"
                for each in self.pods
                if not each.is_ready
            ),
            *([] if self.gateway else ["the gateway has no address"]),
        ]


def _word(pod: Mapping[str, Any], containers: Iterable[Mapping[str, Any]]) -> str:
    if "deletionTimestamp" in pod["metadata"]:
        return "Terminating"
    for each in containers:
        state = each.get("state", {})
        if "waiting" in state and state["waiting"]["reason"] != "PodInitializing":
            return str(state["waiting"]["reason"])
        if "terminated" in state and state["terminated"]["exitCode"]:
            return str(state["terminated"]["reason"])
    return str(pod.get("status", {}).get("phase", "Pending"))
