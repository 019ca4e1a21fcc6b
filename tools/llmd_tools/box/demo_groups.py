"""What LeaderWorkerSet's controller does, which does not run here: the pods of each group, and their names."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from llmd_tools.box.agent.states import now
from llmd_tools.box.demo_state import PodState
from llmd_tools.cluster import ControlPlane
from llmd_tools.judges.pods import LWS, group_pods

_KIND = "LeaderWorkerSet"
_NAME = "leaderworkerset.sigs.k8s.io/name"


class PodGroups:
    """Makes the pods of each LeaderWorkerSet once, and says in its status when all of them are ready.

    Neither a change of the set nor the loss of one of its pods is followed up.
    """

    def __init__(self, cluster: ControlPlane) -> None:
        """Begin without any."""
        self._cluster = cluster
        self._made: set[str] = set()
        self._told: set[str] = set()

    def advance(self) -> None:
        """Do what can be done by now."""
        if not self._cluster.server.serves(LWS, _KIND):
            return
        for group in self._cluster.server.list(LWS, _KIND):
            uid = group["metadata"]["uid"]
            if uid not in self._made:
                self._cluster.apply(objects(group), field_manager="lws")
                self._made.add(uid)
            elif uid not in self._told and self._is_ready(group):
                self._tell(group)
                self._told.add(uid)

    def _is_ready(self, group: Mapping[str, Any]) -> bool:
        metadata = group["metadata"]
        pods = self._cluster.server.list(
            "v1", "Pod", metadata["namespace"], labels=f"{_NAME}={metadata['name']}"
        )
        return bool(pods) and all(PodState.of(pod).is_ready for pod in pods)

    def _tell(self, group: Mapping[str, Any]) -> None:
        metadata, replicas = group["metadata"], group["spec"].get("replicas", 1)
        true = {"status": "True", "reason": "AllGroupsReady", "message": "", "lastTransitionTime": now()}
        counts = dict.fromkeys(("replicas", "readyReplicas", "updatedReplicas"), replicas)
        status = {**counts, "conditions": [{"type": "Available", **true}]}
        self._cluster.kubectl(
            *("patch", f"{_KIND}.{LWS.partition('/')[0]}", metadata["name"], "-n", metadata["namespace"]),
            *("--subresource=status", "--type=merge", "--patch", json.dumps({"status": status})),
        )


def objects(group: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The Service that names the pods of a LeaderWorkerSet, and the pods, which go when it goes."""
    metadata = group["metadata"]
    name, namespace = metadata["name"], metadata["namespace"]
    owner = {"apiVersion": LWS, "kind": _KIND, "name": name, "uid": metadata["uid"], "controller": True}
    owned = {"namespace": namespace, "ownerReferences": [owner]}
    yield {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, **owned},
        "spec": {"clusterIP": "None", "publishNotReadyAddresses": True, "selector": {_NAME: name}},
    }
    for pod in group_pods({**group, "apiVersion": LWS, "kind": _KIND}):
        leader, index = _place(pod["metadata"]["name"], name)
        env = {
            "LWS_LEADER_ADDRESS": f"{leader}.{name}.{namespace}",
            "LWS_GROUP_SIZE": str(group["spec"]["leaderWorkerTemplate"]["size"]),
            "LWS_WORKER_INDEX": index,
        }
        spec = {**pod["spec"], "hostname": pod["metadata"]["name"], "subdomain": name}
        for kind in ("initContainers", "containers"):
            if kind in spec:
                spec[kind] = [_with_env(each, env) for each in spec[kind]]
        yield {**pod, "metadata": {**pod["metadata"], **owned}, "spec": spec}


def _place(pod: str, group: str) -> tuple[str, str]:
    """The name of a pod's leader, and the pod's index in its group."""
    replica, _, index = pod.removeprefix(f"{group}-").partition("-")
    return f"{group}-{replica}", index or "0"


def _with_env(container: Mapping[str, Any], env: Mapping[str, str]) -> dict[str, Any]:
    given = [{"name": name, "value": value} for name, value in env.items()]
    return {**container, "env": [*given, *container.get("env", [])]}
