"""The node agent runs pods as a kubelet would, each a program of this machine."""

import subprocess
from collections.abc import Callable, Generator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import urllib3

from llmd_tools.box.agent.root import visible_folders
from llmd_tools.box.box import Box
from llmd_tools.cluster import Node, wait_until

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("box-agent")]

SECONDS = 120
IMAGE = "example.com/vllm:test"
"""An image whose shell scripts the box runs as they are."""
SERVE = "exec python3 -m http.server 8000 --directory"


@pytest.fixture(scope="module")
def box() -> Generator[Box]:
    """A cluster with one node."""
    with Box([Node("node", capacity={"cpu": "64", "memory": "256Gi"})]) as running:
        yield running


def shell(script: str, **more: Any) -> dict[str, Any]:
    """A container that runs a shell script."""
    return {"name": "main", "image": IMAGE, "command": ["sh", "-c"], "args": [script], **more}


def pod(name: str, *containers: Mapping[str, Any], **spec: Any) -> dict[str, Any]:
    """A pod in the namespace `default`, labelled with its own name."""
    metadata = {"name": name, "namespace": "default", "labels": {"app": name}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": containers, **spec},
    }


def accept(box: Box, *objects: Mapping[str, Any]) -> None:
    """Apply objects, all of which the API server has to take."""
    assert not [str(each) for each in box.cluster.apply(objects) if not each.accepted]


def live(box: Box, name: str) -> dict[str, Any]:
    """A pod as the API server has it; empty if it has none."""
    return box.cluster.server.get("v1", "Pod", name, "default") or {}


def container(box: Box, name: str) -> dict[str, Any]:
    """The status of a pod's first container; empty before there is one."""
    found: list[dict[str, Any]] = live(box, name).get("status", {}).get("containerStatuses", [])
    return found[0] if found else {}


def wait(box: Box, what: str, done: Callable[[], bool]) -> None:
    """Wait until something is so."""
    wait_until(what, done, programs=box.cluster.programs, seconds=SECONDS)


def wait_ready(box: Box, name: str) -> None:
    """Wait until a pod's first container is ready."""
    wait(box, f"{name} is ready", lambda: container(box, name).get("ready", False))


def fetch(url: str) -> str:
    """What a URL gives."""
    answer = urllib3.request("GET", url, timeout=5, retries=False)
    if answer.status >= HTTPStatus.BAD_REQUEST:
        raise urllib3.exceptions.HTTPError(f"{url} gives {answer.status}")
    return answer.data.decode()


def test_a_pod_has_what_its_manifest_says(box: Box) -> None:
    """Init containers run first, a sidecar beside, and files, environment and names of Services are there."""
    settings = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": "default"},
        "data": {"colour": "blue"},
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]},
    }
    shared = {"name": "shared", "mountPath": "/shared"}
    probe = {"httpGet": {"path": "/page", "port": "http"}, "periodSeconds": 1}
    web = pod(
        "web",
        shell(
            f"cp /settings/colour /shared/; echo $WHO at $(POD_IP) > /shared/who; {SERVE} /shared",
            env=[
                {"name": "WHO", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            ],
            ports=[{"name": "http", "containerPort": 8000}],
            readinessProbe=probe,
            volumeMounts=[shared, {"name": "settings", "mountPath": "/settings"}],
        ),
        initContainers=[
            {**shell("echo first > /shared/page", volumeMounts=[shared]), "name": "first"},
            {**shell("while sleep 1; do grep web /etc/hosts > /shared/hosts; done", volumeMounts=[shared])}
            | {"name": "beside", "restartPolicy": "Always"},
        ],
        volumes=[{"name": "shared", "emptyDir": {}}, {"name": "settings", "configMap": {"name": "settings"}}],
    )
    accept(box, settings, service, web)
    wait_ready(box, "web")
    address = live(box, "web")["status"]["podIP"]
    found = box.cluster.server.get("v1", "Service", "web", "default") or {}
    url = box.reach(found["spec"]["clusterIP"], 80)
    wait(box, "the Service leads to the pod", lambda: _answers(f"{url}/page"))
    assert [fetch(f"{url}/{name}").strip() for name in ("page", "colour", "who")] == [
        "first",
        "blue",
        f"web at {address}",
    ]
    wait(box, "the sidecar has written", lambda: _answers(f"{url}/hosts"))
    assert f"{found['spec']['clusterIP']} web.default.svc.cluster.local" in fetch(f"{url}/hosts")


def test_a_changed_config_map_reaches_the_pod(box: Box) -> None:
    """Its files change while the container runs."""
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "page", "namespace": "default"}}
    serve = shell(f"{SERVE} /page", volumeMounts=[{"name": "page", "mountPath": "/page"}])
    volumes = [{"name": "page", "configMap": {"name": "page"}}]
    accept(box, {**settings, "data": {"text": "old"}}, pod("page", serve, volumes=volumes))
    wait_ready(box, "page")
    url = box.reach(live(box, "page")["status"]["podIP"], 8000)
    wait(box, "the page is served", lambda: _answers(f"{url}/text"))
    assert fetch(f"{url}/text") == "old"
    accept(box, {**settings, "data": {"text": "new"}})
    wait(box, "the new text is served", lambda: fetch(f"{url}/text") == "new")


def test_a_crash_is_told_and_mended(box: Box) -> None:
    """The container runs again, its end stays in the status, and `kubectl logs` has both runs."""
    accept(box, pod("crash", shell("echo run of $HOSTNAME; sleep 1000")))
    wait(box, "it prints", lambda: "run of crash" in box.log("default", "crash", "main"))
    box.crash("default", "crash", "main")
    wait(box, "it is counted", lambda: container(box, "crash").get("restartCount") == 1)
    wait(box, "it runs again", lambda: "running" in container(box, "crash").get("state", {}))
    assert container(box, "crash")["lastState"]["terminated"]["exitCode"] == 137
    wait(box, "it prints again", lambda: box.log("default", "crash", "main").count("run of crash") == 2)
    assert box.cluster.kubectl("logs", "crash").strip() == "run of crash"
    assert box.cluster.kubectl("logs", "crash", "--previous").strip() == "run of crash"


def test_a_container_that_ends_again_and_again_backs_off(box: Box) -> None:
    """It waits as `CrashLoopBackOff`, and its message is what it printed last."""
    accept(box, pod("loop", shell("echo no such model; exit 3")))
    wait(
        box,
        "it backs off",
        lambda: (
            container(box, "loop").get("state", {}).get("waiting", {}).get("reason") == "CrashLoopBackOff"
        ),
    )
    ended = container(box, "loop")["lastState"]["terminated"]
    assert (ended["exitCode"], ended["message"]) == (3, "no such model")


def test_a_container_that_is_not_alive_is_killed(box: Box) -> None:
    """The failing probe is in the events, and the container starts anew."""
    probe = {"exec": {"command": ["test", "-e", "/alive"]}, "periodSeconds": 1, "failureThreshold": 2}
    accept(box, pod("ill", shell("trap 'exit 5' TERM; while :; do sleep 0.1; done", livenessProbe=probe)))
    wait(box, "it is killed", lambda: container(box, "ill").get("restartCount", 0) > 0)
    assert "Liveness probe failed: exit status 1" in box.cluster.kubectl("describe", "pod", "ill")


def test_an_unknown_image_is_named(box: Box) -> None:
    """The pod waits, and says which container of it nothing here stands for."""
    accept(box, pod("strange", {"name": "main", "image": "example.com/strange:1"}))
    wait(box, "it waits", lambda: "waiting" in container(box, "strange").get("state", {}))
    wait(
        box,
        "it says why",
        lambda: container(box, "strange")["state"]["waiting"]["reason"] == "UnknownContainer",
    )
    assert "example.com/strange:1" in container(box, "strange")["state"]["waiting"]["message"]


def test_a_missing_secret_is_named(box: Box) -> None:
    """The container waits as a kubelet lets it, and starts when the Secret is there."""
    key = {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "late", "key": "key"}}}
    accept(box, pod("keyed", shell("echo key is $KEY; sleep 1000", env=[key])))
    wait(
        box,
        "it waits",
        lambda: (
            container(box, "keyed").get("state", {}).get("waiting", {}).get("message")
            == 'secret "late" not found'
        ),
    )
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "late", "namespace": "default"}}
    accept(box, {**secret, "stringData": {"key": "found"}})
    wait(box, "it prints the key", lambda: "key is found" in box.log("default", "keyed", "main"))


def test_a_pod_ends_in_its_order(box: Box) -> None:
    """Its hook runs first, then it is asked to end, and only then the pod is gone."""
    hook = {"preStop": {"exec": {"command": ["sh", "-c", "echo hook > /tmp/said"]}}}
    script = "trap 'cat /tmp/said; echo asked; exit 0' TERM; echo up; while :; do sleep 0.1; done"
    accept(box, pod("ending", shell(script, lifecycle=hook), terminationGracePeriodSeconds=20))
    wait(box, "it runs", lambda: "up" in box.log("default", "ending", "main"))
    box.cluster.server.delete("v1", "Pod", "ending", "default")
    wait(box, "it is gone", lambda: not live(box, "ending"))
    assert box.log("default", "ending", "main").split() == ["up", "hook", "asked"]


def test_a_job_ends(box: Box) -> None:
    """A pod whose containers have ended has succeeded, and its sidecar ends after them."""
    shared = [{"name": "shared", "mountPath": "/shared"}]
    beside = {
        **shell("trap 'exit 0' TERM; touch /shared/up; while :; do sleep 0.1; done", volumeMounts=shared),
        "name": "beside",
        "restartPolicy": "Always",
    }
    # A shell that has not come to its trap would die of the signal.
    work = shell("until test -e /shared/up; do sleep 0.1; done; echo done", volumeMounts=shared)
    volumes: list[dict[str, object]] = [{"name": "shared", "emptyDir": {}}]
    accept(box, pod("job", work, initContainers=[beside], restartPolicy="Never", volumes=volumes))
    wait(box, "it has succeeded", lambda: live(box, "job").get("status", {}).get("phase") == "Succeeded")
    [sidecar] = live(box, "job")["status"]["initContainerStatuses"]
    assert sidecar["state"]["terminated"]["exitCode"] == 0


def test_files_of_the_machine_stay_as_they_are(box: Box) -> None:
    """A volume mounted into a folder of the machine's is seen by the container alone."""
    home = Path.home()
    before = sorted(home.iterdir())
    mount = {"name": "data", "mountPath": f"{home}/.of-a-container/data"}
    script = f"echo here > {home}/.of-a-container/data/file; cat {home}/.of-a-container/data/file; sleep 1000"
    accept(box, pod("guest", shell(script, volumeMounts=[mount]), volumes=[{"name": "data", "emptyDir": {}}]))
    wait(box, "it has written", lambda: "here" in box.log("default", "guest", "main"))
    assert sorted(home.iterdir()) == before


def test_programs_are_found_below_a_volume(box: Box) -> None:
    """What containers run is visible though a volume covers the folder around it, as presets cover /home and /tmp."""
    around = sorted({Path(each).parent for each in visible_folders()})
    names = [f"over-{index}" for index, _ in enumerate(around)]
    mounts = [
        {"name": name, "mountPath": str(path), "readOnly": path != around[0]}
        for name, path in zip(names, around, strict=True)
    ]
    script = f"""
        "$LLMD_PYTHON" -c 'import llmd_tools.box.vllm; print("imported")'
        echo here > {around[0]}/of-a-container; ls {around[0]}; sleep 1000
    """
    volumes: list[dict[str, Any]] = [{"name": name, "emptyDir": {}} for name in names]
    accept(box, pod("covered", shell(script, volumeMounts=mounts), volumes=volumes))
    wait(box, "it has written", lambda: "of-a-container" in box.log("default", "covered", "main"))
    assert "imported" in box.log("default", "covered", "main")
    assert not (around[0] / "of-a-container").exists()


def test_nothing_is_left_behind() -> None:
    """When a box ends, so do its programs and those of its pods, and its folder is gone."""
    with Box([Node("node", capacity={"cpu": "4"})]) as box:
        accept(box, pod("left", shell("setsid sleep 98765 & sleep 98765")))
        wait(box, "it runs", lambda: "running" in container(box, "left").get("state", {}))
        folder = box.cluster.folder
    listed = subprocess.run(["ps", "-A", "-o", "args"], capture_output=True, text=True, check=True).stdout
    assert "sleep 98765" not in listed
    assert str(folder) not in listed
    assert not folder.exists()


def _answers(url: str) -> bool:
    try:
        fetch(url)
    except urllib3.exceptions.HTTPError:
        return False
    return True
