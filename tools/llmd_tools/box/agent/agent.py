"""The agent of all nodes: runs the pods that are bound to them, and serves the addresses of Services."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmd_tools.box.agent.api import Api, Change, Key, Object, key_of
from llmd_tools.box.agent.forwards import Address, balancer_address, forwards, wants_balancer
from llmd_tools.box.agent.logs import LogServer
from llmd_tools.box.agent.node import API_ADDRESS, NodeContext
from llmd_tools.box.agent.pod import Pod
from llmd_tools.box.agent.proxy import ServiceProxy
from llmd_tools.box.agent.states import now
from llmd_tools.box.network import NODE_ADDRESS

_LOG_PORT = 10250
"""A kubelet's own."""
_SETTLE_SECONDS = 0.05
"""Changes of Services and endpoints within this time are taken together."""
_OVER = frozenset({"Succeeded", "Failed"})


@dataclass(frozen=True)
class Settings:
    """What the agent is told.

    Attributes:
        kubeconfig: How it reaches the API server.
        folder: Where it keeps its files.
        server: Address of the API server in the network that the agent is in.
        certificates: Folder with `apiserver.crt` and `apiserver.key`, with which it serves logs.
    """

    kubeconfig: Path
    folder: Path
    server: Address
    certificates: Path


class Agent:
    """Runs every pod that has a node: all nodes are this machine."""

    def __init__(self, api: Api, settings: Settings) -> None:
        """Describe it; `run` starts it."""
        self._api = api
        self._settings = settings
        self._node = NodeContext(api, settings.folder)
        self._pods: dict[str, Pod] = {}
        self._proxy = ServiceProxy()
        self._moved = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Work until cancelled, or until something is wrong with the agent itself."""
        self._settings.folder.mkdir(parents=True, exist_ok=True)
        certificates = self._settings.certificates
        await LogServer(self._folder_of).start(
            NODE_ADDRESS, _LOG_PORT, certificates / "apiserver.crt", certificates / "apiserver.key"
        )
        async with asyncio.TaskGroup() as group:
            for kind in self._api.kinds:
                group.create_task(kind.run())
            await asyncio.gather(*(kind.known.wait() for kind in self._api.kinds))
            self._api.nodes.listen(self._on_node)
            self._api.services.listen(self._on_service)
            self._api.slices.listen(self._on_slice)
            self._api.pods.listen(self._on_pod)
            for kind in (self._api.config_maps, self._api.secrets):
                kind.listen(self._on_source)
            group.create_task(self._serve())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside everything else. What goes wrong with it is printed when the task is collected."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _on_node(self, change: Change, node: Object) -> None:
        conditions = node.get("status", {}).get("conditions", [])
        ready = any((each["type"], each["status"]) == ("Ready", "True") for each in conditions)
        if change != "DELETED" and not ready:
            self._do(self._api.patch_node_status(node["metadata"]["name"], _node_status()))

    def _on_pod(self, change: Change, pod: Object) -> None:
        uid, metadata = pod["metadata"]["uid"], pod["metadata"]
        running = self._pods.get(uid)
        if change == "DELETED":
            if running:
                self._do(self._stop(running, 0))
        elif "deletionTimestamp" in metadata and running:
            self._do(self._stop(running, metadata.get("deletionGracePeriodSeconds", 0)))
        elif "deletionTimestamp" in metadata and pod["spec"].get("nodeName"):
            self._do(self._api.remove_pod(key_of(pod), uid))
        elif running is None and pod["spec"].get("nodeName") and pod["status"].get("phase") not in _OVER:
            self._pods[uid] = started = Pod(pod, self._node)
            self._do(started.run())

    async def _stop(self, pod: Pod, grace: float) -> None:
        await pod.stop(grace)
        self._pods.pop(pod.uid, None)

    def _on_service(self, change: Change, service: Object) -> None:
        self._moved.set()
        if change != "DELETED" and wants_balancer(service):
            ingress = [{"ip": balancer_address(service), "ipMode": "VIP"}]
            self._do(self._api.patch_service_status(key_of(service), {"loadBalancer": {"ingress": ingress}}))

    def _on_slice(self, _change: Change, _slice: Object) -> None:
        self._moved.set()

    def _on_source(self, change: Change, source: Object) -> None:
        if change == "MODIFIED":
            namespace = source["metadata"]["namespace"]
            for pod in self._pods.values():
                if pod.key[0] == namespace:
                    self._do(pod.refresh())

    async def _serve(self) -> None:
        """Follow Services and their endpoints."""
        while True:
            await self._moved.wait()
            await asyncio.sleep(_SETTLE_SECONDS)
            self._moved.clear()
            targets = forwards(self._api.services.objects.values(), self._api.slices.objects.values())
            await self._proxy.update({**targets, (API_ADDRESS, 443): (self._settings.server,)})
            for pod in self._pods.values():
                pod.write_hosts()

    def _folder_of(self, key: Key) -> Path | None:
        return next((pod.folder for pod in self._pods.values() if pod.key == key), None)


def _node_status() -> dict[str, Any]:
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "message": "the node agent runs its pods",
        "lastHeartbeatTime": now(),
        "lastTransitionTime": now(),
    }
    return {
        "conditions": [ready],
        "addresses": [{"type": "InternalIP", "address": NODE_ADDRESS}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": _LOG_PORT}},
        "nodeInfo": {
            **dict.fromkeys(("machineID", "systemUUID", "bootID", "kernelVersion", "osImage"), "box"),
            "containerRuntimeVersion": "local://processes",
            "kubeletVersion": "v1.36.1",
            "kubeProxyVersion": "v1.36.1",
            "operatingSystem": "linux",
            "architecture": "amd64",
        },
    }
