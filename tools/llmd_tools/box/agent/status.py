"""The status of a pod, from what its containers do."""

from collections.abc import Mapping, Sequence
from typing import Any

from llmd_tools.box.agent.states import Record, Terminated, now
from llmd_tools.box.network import NODE_ADDRESS


def pod_status(
    pod: Mapping[str, Any], records: Sequence[Record], address: str, before: Mapping[str, Any]
) -> dict[str, Any]:
    """The status as a kubelet writes it.

    Args:
        pod: The pod.
        records: Its containers, those of initialisation first.
        address: Its address; empty before it has one.
        before: The status written last, whose times stay where nothing has changed.
    """
    initial = [record for record in records if record.initial]
    main = [record for record in records if not record.initial]
    phase = _phase(pod, initial, main)
    addresses = {"podIP": address, "podIPs": [{"ip": address}]} if address else {}
    return {
        "phase": phase,
        "hostIP": NODE_ADDRESS,
        "hostIPs": [{"ip": NODE_ADDRESS}],
        **addresses,
        "startTime": before.get("startTime") or now(),
        "observedGeneration": pod["metadata"].get("generation", 0),
        "conditions": _conditions(phase, initial, main, address, before.get("conditions", [])),
        "initContainerStatuses": [record.manifest() for record in initial],
        "containerStatuses": [record.manifest() for record in main],
    }


def initialized(initial: Sequence[Record]) -> bool:
    """Whether the containers after those of initialisation may start."""
    return all(record.started if record.sidecar else record.done for record in initial)


def _phase(pod: Mapping[str, Any], initial: Sequence[Record], main: Sequence[Record]) -> str:
    restart = pod["spec"].get("restartPolicy", "Always")
    failed = any(
        isinstance(each.state, Terminated) and each.state.code for each in initial if not each.sidecar
    )
    if restart == "Never" and failed:
        return "Failed"
    if not all(isinstance(each.state, Terminated) for each in main) or restart == "Always":
        return "Running" if any(each.running or each.last for each in main) else "Pending"
    if any(each.running for each in initial if each.sidecar):
        return "Running"
    if all(each.done for each in main):
        return "Succeeded"
    return "Failed" if restart == "Never" else "Running"


def _conditions(
    phase: str,
    initial: Sequence[Record],
    main: Sequence[Record],
    address: str,
    before: Sequence[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    everyone = [*(each for each in initial if each.sidecar), *main]
    unready = [each.name for each in everyone if not each.ready]
    incomplete = [each.name for each in initial if not initialized([each])]
    completed = phase == "Succeeded"
    why = {"reason": "PodCompleted"} if completed else _named("ContainersNotReady", "unready", unready)
    found: list[dict[str, Any]] = [
        {"type": "PodReadyToStartContainers", "status": _word(bool(address))},
        {"type": "Initialized", "status": _word(not incomplete)}
        | _named("ContainersNotInitialized", "incomplete", incomplete),
        {"type": "ContainersReady", "status": _word(not unready and not completed)} | why,
        {"type": "Ready", "status": _word(not unready and not completed)} | why,
    ]
    return [{**each, "lastTransitionTime": _since(each, before)} for each in found]


def _named(reason: str, what: str, names: Sequence[str]) -> dict[str, Any]:
    if not names:
        return {"reason": None, "message": None}  # which takes an earlier one away
    return {"reason": reason, "message": f"containers with {what} status: [{' '.join(names)}]"}


def _since(condition: Mapping[str, Any], before: Sequence[Mapping[str, Any]]) -> str:
    for each in before:
        if (each["type"], each["status"]) == (condition["type"], condition["status"]):
            return str(each["lastTransitionTime"])
    return now()


def _word(value: bool) -> str:
    return "True" if value else "False"
