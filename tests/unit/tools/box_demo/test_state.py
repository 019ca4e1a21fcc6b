"""What a demo waits for, and what it shows."""

import io
from typing import Any

import pytest
from rich.console import Console

from llmd_tools.argocd import ApplicationState
from llmd_tools.box.demo_state import PodState, State
from llmd_tools.box.demo_view import lines, tables


def application(name: str = "web", sync: str = "Synced", health: str = "Healthy") -> ApplicationState:
    """An application that has been synced."""
    return ApplicationState(name, 1, sync, health, "Succeeded", "", "", (), ())


def pod(state: dict[str, Any], *, ready: bool = False, **metadata: str) -> dict[str, Any]:
    """A pod with one container in a state."""
    status = {"name": "main", "ready": ready, "restartCount": 2, "state": state}
    return {
        "metadata": {"name": "web-0", "namespace": "shop", **metadata},
        "spec": {"containers": [{"name": "main"}]},
        "status": {"phase": "Running", "containerStatuses": [status]},
    }


READY = pod({"running": {}}, ready=True)


def test_nothing_is_waited_for_when_all_runs() -> None:
    """Applications, pods and gateway are as they should be."""
    assert State.of([application()], [READY], "10.97.0.1").waits_for(["web"]) == []


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State.of([], [READY], "a"), "application web is not there"),
        (State.of([application(health="Degraded")], [READY], "a"), "application web: Synced, Degraded"),
        (State.of([application()], [pod({"running": {}})], "a"), "pod shop/web-0 is Running, 0/1 ready"),
        (State.of([application()], [READY], ""), "the gateway has no address"),
    ],
)
def test_what_is_missing_is_named(state: State, expected: str) -> None:
    """A demo that does not come up says why."""
    [line] = state.waits_for(["web"])
    assert line.startswith(expected)


@pytest.mark.parametrize(
    ("manifest", "word"),
    [
        (pod({"waiting": {"reason": "CrashLoopBackOff"}}), "CrashLoopBackOff"),
        (pod({"waiting": {"reason": "PodInitializing"}}), "Running"),
        (pod({"terminated": {"exitCode": 1, "reason": "Error"}}), "Error"),
        (pod({"running": {}}, deletionTimestamp="now"), "Terminating"),
        (READY, "Running"),
    ],
)
def test_a_pod_is_described_as_kubectl_does(manifest: dict[str, Any], word: str) -> None:
    """What keeps it from running comes before its phase."""
    assert PodState.of(manifest).status == word


def test_a_sidecar_counts() -> None:
    """It is a container like the others; one of the initialisation is none that could be ready."""
    manifest = pod({"running": {}}, ready=True)
    manifest["status"]["initContainerStatuses"] = [
        {"name": "beside", "ready": False, "restartCount": 0},
        {"name": "first", "ready": True, "restartCount": 0},
    ]
    manifest["spec"]["initContainers"] = [{"name": "beside", "restartPolicy": "Always"}, {"name": "first"}]
    assert PodState.of(manifest).ready == "1/2"


def test_every_thing_has_a_line() -> None:
    """Logs tell what changed by comparing these."""
    assert lines(State.of([application()], [READY], "10.97.0.1")) == {
        "application web": "Synced, Healthy",
        "pod shop/web-0": "1/1 Running",
        "gateway": "10.97.0.1",
    }


def test_the_tables_are_short() -> None:
    """All applications are seen, of the pods only those that are not ready, and how many are."""
    waiting = pod({"waiting": {"reason": "CrashLoopBackOff"}})
    waiting["metadata"]["name"] = "late-0"
    console = Console(width=120, file=io.StringIO(), record=True)
    console.print(tables(State.of([application()], [READY, waiting], "")))
    text = console.export_text()
    shown = ("Synced", "Healthy", "1 of 2 pods are ready", "late-0", "CrashLoopBackOff", "no address yet")
    assert [word for word in shown if word not in text] == []
    assert "web-0" not in text
