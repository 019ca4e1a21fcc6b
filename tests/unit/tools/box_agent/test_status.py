"""The status of a pod, from what its containers do."""

from typing import Any

import pytest

from llmd_tools.box.agent.states import Record, Running, State, Terminated, Waiting
from llmd_tools.box.agent.status import pod_status

WAITING, RUNNING = Waiting("ContainerCreating"), Running("2026-01-01T00:00:00Z")
DONE, FAILED = Terminated(0, "2026-01-01T00:00:00Z"), Terminated(3, "2026-01-01T00:00:00Z")


def pod(restart: str = "Always") -> dict[str, Any]:
    """A pod with this restart policy."""
    return {"metadata": {"name": "web-0", "generation": 4}, "spec": {"restartPolicy": restart}}


def record(state: State, *, ready: bool = False, initial: bool = False, sidecar: bool = False) -> Record:
    """A container in this state."""
    return Record("main", "image", state, sidecar=sidecar, initial=initial, started=ready, ready=ready)


def conditions(status: dict[str, Any]) -> dict[str, str]:
    """Status of each condition by its type."""
    return {each["type"]: each["status"] for each in status["conditions"]}


@pytest.mark.parametrize(
    ("restart", "states", "phase"),
    [
        ("Always", [WAITING], "Pending"),
        ("Always", [RUNNING, WAITING], "Running"),
        ("Always", [FAILED], "Pending"),
        ("Never", [DONE, RUNNING], "Running"),
        ("Never", [DONE, DONE], "Succeeded"),
        ("Never", [DONE, FAILED], "Failed"),
        ("OnFailure", [DONE], "Succeeded"),
        ("OnFailure", [FAILED], "Running"),
    ],
)
def test_the_phase_follows_from_the_containers(restart: str, states: list[State], phase: str) -> None:
    """Only a pod that is not to be restarted can succeed or fail."""
    status = pod_status(pod(restart), [record(state) for state in states], "10.244.1.1", {})
    assert status["phase"] == phase


def test_a_pod_is_ready_when_all_its_containers_are() -> None:
    """A sidecar counts, a container of the initialisation does not."""
    first = record(DONE, initial=True)
    sidecar = record(RUNNING, ready=False, initial=True, sidecar=True)
    main = record(RUNNING, ready=True)
    assert conditions(pod_status(pod(), [first, sidecar, main], "10.244.1.1", {}))["Ready"] == "False"
    sidecar.ready = sidecar.started = True
    found = conditions(pod_status(pod(), [first, sidecar, main], "10.244.1.1", {}))
    assert found == dict.fromkeys(
        ("PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready"), "True"
    )


def test_a_pod_runs_until_its_sidecars_have_ended() -> None:
    """They are stopped when its other containers are done."""
    sidecar = record(RUNNING, initial=True, sidecar=True)
    assert pod_status(pod("Never"), [sidecar, record(DONE)], "10.244.1.1", {})["phase"] == "Running"
    sidecar.state = DONE
    assert pod_status(pod("Never"), [sidecar, record(DONE)], "10.244.1.1", {})["phase"] == "Succeeded"


def test_what_keeps_a_pod_from_being_ready_is_named() -> None:
    """`kubectl describe` shows the containers."""
    status = pod_status(pod(), [record(RUNNING)], "10.244.1.1", {})
    ready = next(each for each in status["conditions"] if each["type"] == "Ready")
    assert (ready["reason"], ready["message"]) == (
        "ContainersNotReady",
        "containers with unready status: [main]",
    )


def test_a_pod_whose_initialisation_fails_for_good_has_failed() -> None:
    """Nothing of it will ever run."""
    status = pod_status(pod("Never"), [record(FAILED, initial=True), record(WAITING)], "10.244.1.1", {})
    assert status["phase"] == "Failed"


def test_times_of_conditions_change_with_them_only() -> None:
    """A rollout counts from when a pod became ready."""
    long_ago = "2020-01-01T00:00:00Z"
    before = {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": long_ago}]}

    def since(*, ready: bool) -> str:
        status = pod_status(pod(), [record(RUNNING, ready=ready)], "10.244.1.1", before)
        return next(each["lastTransitionTime"] for each in status["conditions"] if each["type"] == "Ready")

    assert since(ready=True) == long_ago
    assert since(ready=False) > long_ago


def test_a_container_that_ended_says_how() -> None:
    """The end of its log is the message, and what it was before stays in `lastState`."""
    failed = Terminated(3, "2026-01-01T00:00:00Z", message="no such file")
    crashed = record(Waiting("CrashLoopBackOff", "back-off 10s"))
    crashed.last, crashed.restarts = failed, 2
    shown = pod_status(pod(), [crashed], "10.244.1.1", {})["containerStatuses"][0]
    assert shown["state"] == {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}
    assert shown["restartCount"] == 2
    ended = shown["lastState"]["terminated"]
    assert (ended["exitCode"], ended["reason"], ended["message"]) == (3, "Error", "no such file")
