"""What breaks, and how it shows: each fault is made, looked at, and taken back."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from llmd_tools.box.client import Answer
from llmd_tools.box.scenarios.caching import NAMESPACE, REPLICAS, text
from llmd_tools.box.scenarios.routing import ONE_MODEL, SMALL
from llmd_tools.box.scenarios.world import World, expect, is_ready, name_of

PICKER, CONFIG = "gaie-precise-epp", "default-plugins.yaml"
"""The picker of `caching`'s deployment, with its ConfigMap, and the file in that."""

_POOL = "gaie-precise"
_POOLS = "inferencepools.inference.networking.k8s.io"
_METRICS_PORT, _PLACED = 9090, "llm_d_epp_scheduler_attempts_total"
_CLOSED = {"spec": {"endpointPickerRef": {"failureMode": "FailClose"}}}


def picker_restart(world: World) -> Iterator[str]:
    """While the picker is away, a pool with FailOpen is served without it; afterwards the picker picks again."""
    world.scale(NAMESPACE, PICKER, 0)
    world.until("the picker is gone", lambda: not world.all_pods(NAMESPACE, PICKER))
    # Until the gateway has heard of it, a request still goes to the picker, and is lost with it.
    _until(world, "the gateway knows that it is gone", lambda answer: answer.good)
    answers = [_ask(world, ("picker", number)) for number in range(20)]
    world.scale(NAMESPACE, PICKER, 1)
    failed = [str(each) for each in answers if not each.good]
    expect(not failed, "no request fails while the picker is away", failed)
    yield f"20 requests without a picker: {_counts(answers)}"
    yield f"the new picker, {_works_again(world)}, picks"


def replica_crash(world: World) -> Iterator[str]:
    """A replica whose program dies is passed over until it has been started again."""
    victim = min(world.ready(NAMESPACE, REPLICAS))
    world.crash(NAMESPACE, victim, "vllm")
    answers = [_ask(world, ("crash", number)) for number in range(20)]
    world.until("the container has been restarted", lambda: _restarts(world, REPLICAS, victim) > 0)
    world.until("the replica is ready again", lambda: victim in world.ready(NAMESPACE, REPLICAS))
    lost = [each for each in answers if not each.good]
    expect(len(lost) < len(answers) / 2, "the other replicas answer meanwhile", _counts(answers))
    yield f"20 requests from the crash on: {_counts(answers)}"
    yield f"{victim} was restarted {_restarts(world, REPLICAS, victim)} times and is ready"
    _until(world, "the restarted replica answers", lambda answer: answer.replica == victim)


def wrong_selector(world: World) -> Iterator[str]:
    """A pool whose selector picks no pod has no endpoints: the picker says so with 503."""
    nobody = {"spec": {"selector": {"matchLabels": {"app.kubernetes.io/instance": "nobody"}}}}
    with world.patched(NAMESPACE, _POOLS, _POOL, nobody):
        answer = _until(world, "the pool is empty", lambda answer: answer.status == 503)
        yield str(answer)
    _until(world, "the pool is back", lambda answer: answer.good)


def missing_permission(world: World) -> Iterator[str]:
    """A picker that may not read its pool never gets ready, and its log says what it may not do."""
    with (
        world.patched(NAMESPACE, _POOLS, _POOL, _CLOSED),
        world.without(NAMESPACE, "rbac.authorization.k8s.io/v1", "RoleBinding", PICKER),
    ):
        [before] = world.pods_of(NAMESPACE, PICKER)
        world.restart(NAMESPACE, PICKER)
        line = _said(world, name_of(before), "forbidden")
        yield f"the picker's log: {line}"
        [pod] = world.pods_of(NAMESPACE, PICKER)
        expect(not is_ready(pod), "the picker is not ready", pod["status"])
        yield f"with FailClose: {_until(world, 'requests are refused', lambda answer: answer.status >= 500)}"
    restart_picker(world)


def broken_configuration(world: World) -> Iterator[str]:
    """A picker with a plugin that does not exist ends at once, over and over, and its log names the plugin."""
    config = world.cluster.server.get("v1", "ConfigMap", PICKER, NAMESPACE) or {}
    broken = {"data": {CONFIG: config["data"][CONFIG].replace("type: queue-scorer", "type: queue-scorr")}}
    with (
        world.patched(NAMESPACE, _POOLS, _POOL, _CLOSED),
        world.patched(NAMESPACE, "configmap", PICKER, broken),
    ):
        [before] = world.pods_of(NAMESPACE, PICKER)
        world.restart(NAMESPACE, PICKER)
        line = _said(world, name_of(before), "queue-scorr")
        world.until("the container waits to be restarted", lambda: _waits(world) == "CrashLoopBackOff")
        yield f"CrashLoopBackOff; the picker's log: {line}"
        yield f"with FailClose: {_until(world, 'requests are refused', lambda answer: answer.status >= 500)}"
    restart_picker(world)


def _ask(world: World, seed: object) -> Answer:
    return world.gateway.at(ONE_MODEL).chat(SMALL, text(seed, 40))


def _until(world: World, what: str, done: Callable[[Answer], bool]) -> Answer:
    """Ask until an answer is as it should be, and return it."""
    answers: list[Answer] = []

    def fits() -> bool:
        answers.append(_ask(world, (what, len(answers))))
        return done(answers[-1])

    world.until(what, fits)
    return answers[-1]


def _counts(answers: list[Answer]) -> str:
    counts = Counter(each.replica if each.good else f"status {each.status}" for each in answers)
    return ", ".join(f"{name}: {count}" for name, count in sorted(counts.items()))


def restart_picker(world: World) -> None:
    """Replace the picker, and wait until the new one has placed a request."""
    world.restart(NAMESPACE, PICKER)
    _works_again(world)


def _works_again(world: World) -> str:
    """The name of the picker, once it has placed a request: an answer alone does not tell, the pool fails open."""
    world.until("the picker is ready", lambda: len(world.ready(NAMESPACE, PICKER)) == 1)
    [pod] = world.pods_of(NAMESPACE, PICKER)
    before = _placed(world, pod)
    world.until("the picker picks", lambda: _ask(world, "works again").good and _placed(world, pod) > before)
    return name_of(pod)


def _placed(world: World, picker: Mapping[str, Any]) -> float:
    """Requests that a picker has placed, by its own metrics."""
    return sum(value for name, value in world.metrics(picker, _METRICS_PORT) if name.startswith(_PLACED))


def _restarts(world: World, deployment: str, pod: str) -> int:
    [found] = [each for each in world.pods_of(NAMESPACE, deployment) if name_of(each) == pod]
    return sum(each["restartCount"] for each in found["status"].get("containerStatuses", []))


def _waits(world: World) -> str:
    """Why the picker's container waits; empty if it does not."""
    statuses = [
        each
        for pod in world.pods_of(NAMESPACE, PICKER)
        for each in pod["status"].get("containerStatuses", [])
    ]
    return next(
        (each["state"]["waiting"].get("reason", "") for each in statuses if "waiting" in each["state"]), ""
    )


def _said(world: World, before: str, words: str) -> str:
    """The first error with some words in the log of the picker that replaced another."""
    lines: list[str] = []

    def said() -> bool:
        for pod in world.pods_of(NAMESPACE, PICKER):
            if name_of(pod) != before:
                log = world.log(NAMESPACE, name_of(pod), "epp")
                lines.extend(line for line in log.splitlines() if words in line and '"error"' in line)
        return bool(lines)

    world.until(f"the picker's log says {words!r}", said)
    return json.loads(lines[0])["error"]
