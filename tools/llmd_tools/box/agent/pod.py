"""One pod: its network, its volumes, its containers in their order, and its status."""

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Literal

from llmd_tools.box.agent import volumes
from llmd_tools.box.agent.api import Key, key_of
from llmd_tools.box.agent.commands import CommandError
from llmd_tools.box.agent.container import Container, Surroundings
from llmd_tools.box.agent.environment import ConfigError, Sources, environment, expanded
from llmd_tools.box.agent.events import Events
from llmd_tools.box.agent.node import NodeContext
from llmd_tools.box.agent.root import Launch, absolute, mounts, visible_folders
from llmd_tools.box.agent.sandbox import Sandbox, hosts_file, make_sandbox
from llmd_tools.box.agent.states import Record, Waiting
from llmd_tools.box.agent.status import pod_status
from llmd_tools.box.network import NODE_ADDRESS
from llmd_tools.box.programs import program_for

_RETRY_SECONDS = 0.5
_PATIENCE_SECONDS = 2.0
"""How long a volume may be incomplete before an event tells of it: its ConfigMap may be on its way."""
_STATUS_SECONDS = 0.05
"""Changes within this time are written together."""


class Pod:
    """A pod that is bound to a node of the agent.

    Attributes:
        key: Its namespace and name.
        folder: Where its files are.
    """

    def __init__(self, manifest: Mapping[str, Any], node: NodeContext) -> None:
        """Describe it; `run` starts it."""
        self.key: Key = key_of(manifest)
        self.uid: str = manifest["metadata"]["uid"]
        self.folder = node.pods / "_".join((*self.key, self.uid))
        self._pod = dict(manifest)
        self._node = node
        self._events = Events(node.api, manifest)
        first = manifest["spec"].get("initContainers", [])
        why = "PodInitializing" if first else "ContainerCreating"
        self._records: list[Record] = [
            *(_record(each, Waiting(why), initial=True) for each in first),
            *(_record(each, Waiting(why), initial=False) for each in manifest["spec"]["containers"]),
        ]
        self._containers: list[Container] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._tokens: dict[str, str] = {}
        self._sandbox: Sandbox | None = None
        self._changed = asyncio.Event()
        self._written: dict[str, Any] = dict(manifest.get("status", {}))
        self._stopped = False

    async def run(self) -> None:
        """Let the pod run, until its containers are over or `stop` ends it."""
        publisher = asyncio.create_task(self._publish())
        try:
            await self._start()
            started = list(
                zip(self._containers, self._tasks, strict=False)
            )  # fewer if the initialisation failed
            await asyncio.gather(*(task for each, task in started if not each.record.sidecar))
            if not self._stopped:
                await self._stop_sidecars(self._grace)
                await asyncio.gather(*self._tasks)
        except (CommandError, OSError) as error:
            await self._tell("Warning", "FailedCreatePodSandBox", str(error))
        finally:
            publisher.cancel()
            await asyncio.gather(publisher, return_exceptions=True)
        if not self._stopped:
            await self._write_status()
        if not self._stopped or not self._containers:  # else `stop` does it, after its own last word
            await self._close()

    async def stop(self, grace: float) -> None:
        """Stop the containers, sidecars after the others and in reverse order, and take the pod away.

        Args:
            grace: Seconds for all of it.
        """
        if self._stopped:
            return
        self._stopped = True
        end = time.monotonic() + grace
        main = [each for each in self._containers if not each.record.sidecar]
        await asyncio.gather(*(each.stop(grace) for each in main))
        await self._stop_sidecars(max(end - time.monotonic(), min(grace, 1)))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._write_status()
        await self._close()
        await self._node.api.remove_pod(self.key, self.uid)

    async def _stop_sidecars(self, grace: float) -> None:
        for each in reversed([each for each in self._containers if each.record.sidecar]):
            await each.stop(grace)

    async def _close(self) -> None:
        """Take the pod's network away, if it is still there."""
        if self._sandbox:
            with suppress(CommandError):
                await self._sandbox.close()

    async def refresh(self) -> None:
        """Bring the volumes up to date with the ConfigMaps and Secrets that they show."""
        if self._sandbox:
            with suppress(ConfigError):
                await self._write_volumes()

    def write_hosts(self) -> None:
        """Write `/etc/hosts` anew, in place, since containers have the file itself mounted."""
        if self._sandbox:
            hosts_file(self.folder).write_text(self._node.hosts(self._pod))

    async def _start(self) -> None:
        self.folder.mkdir(parents=True)
        self._sandbox = await make_sandbox()
        address = self._sandbox.address
        self._pod["status"] = {"podIP": address, "podIPs": [{"ip": address}], "hostIP": NODE_ADDRESS}
        self.write_hosts()
        self._changed.set()
        await self._mount_volumes()
        spec = self._pod["spec"]
        around = self._surroundings()
        made = [*spec.get("initContainers", []), *spec["containers"]]
        self._containers = [
            Container(manifest, record, around) for manifest, record in zip(made, self._records, strict=True)
        ]
        for each in self._containers:
            if self._stopped:
                return
            task = asyncio.create_task(each.run())
            self._tasks.append(task)
            if each.record.sidecar:
                await each.up.wait()
            elif each.record.initial:
                await task
                if not each.record.done:
                    return

    def _surroundings(self) -> Surroundings:
        spec = self._pod["spec"]
        namespace, name = self.key
        return Surroundings(
            pod=f"{name}_{namespace}({self.uid})",
            address=self._pod["status"]["podIP"],
            restart=spec.get("restartPolicy", "Always"),
            grace=self._grace,
            logs=self.folder / "logs",
            prepare=self._prepare,
            tell=self._events.record,
            changed=self._changed.set,
        )

    @property
    def _grace(self) -> float:
        """Seconds that the containers have to end."""
        return self._pod["spec"].get("terminationGracePeriodSeconds", 30)

    @property
    def _sources(self) -> Sources:
        api = self._node.api
        allocatable = self._node.allocatable(self._pod["spec"]["nodeName"])
        return Sources(self._pod, allocatable, api.config_maps.objects, api.secrets.objects)

    async def _mount_volumes(self) -> None:
        began, told = time.monotonic(), ""
        while not self._stopped:
            try:
                await self._write_volumes()
            except ConfigError as error:
                if str(error) != told and time.monotonic() - began > _PATIENCE_SECONDS:
                    told = str(error)
                    await self._tell("Warning", "FailedMount", f"MountVolume.SetUp failed: {error}")
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return

    async def _write_volumes(self) -> None:
        for volume in self._pod["spec"].get("volumes", []):
            folder = self.folder / "volumes" / volume["name"]
            files = await volumes.content(volume, self._sources, self._token)
            if volumes.is_written(volume):
                volumes.write(folder, files)
            else:
                folder.mkdir(parents=True, exist_ok=True)

    async def _token(self, spec: Mapping[str, Any]) -> str:
        """A token bound to the pod, good as long as it lives."""
        key = json.dumps(spec, sort_keys=True)
        if key not in self._tokens:
            namespace, name = self.key
            account = (namespace, self._pod["spec"].get("serviceAccountName", "default"))
            bound = {"apiVersion": "v1", "kind": "Pod", "name": name, "uid": self.uid}
            token = await self._node.api.token(account, {"spec": {**spec, "boundObjectRef": bound}})
            if not token:
                raise ConfigError(f'serviceaccount "{account[1]}" not found')
            self._tokens[key] = token
        return self._tokens[key]

    async def _prepare(self, container: Mapping[str, Any]) -> list[str]:
        """The command that starts a container."""
        if self._sandbox is None:
            raise ConfigError("the pod has no network yet")
        program = await asyncio.to_thread(program_for, container, self._pod)
        env = environment(container, self._sources, self._node.environment(self._pod)) | dict(program.env)
        folder = self.folder / container["name"]
        folder.mkdir(exist_ok=True)
        security = container.get("securityContext", {})
        argv = expanded(program.argv, env)
        launch = Launch(
            root=str(folder / "root"),
            hostname=self._pod["spec"].get("hostname", self.key[1])[:63],
            visible=visible_folders(),
            mounts=(
                *mounts(container, self._pod["spec"].get("volumes", []), self.folder / "volumes", env),
                *self._node.files(self.folder),
            ),
            read_only_root=security.get("readOnlyRootFilesystem", False),
            directory=container.get("workingDir", "/"),
            argv=(absolute(argv[0], env), *argv[1:]),
            env=env,
        )
        return self._sandbox.within(launch.command(folder / "launch.json"))

    async def _publish(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._write_status()
            await asyncio.sleep(_STATUS_SECONDS)

    async def _write_status(self) -> None:
        address = self._sandbox.address if self._sandbox else ""
        status = pod_status(self._pod, self._records, address, self._written)
        self._written = status
        await self._node.api.patch_pod_status(self.key, status)

    async def _tell(
        self, kind: Literal["Normal", "Warning"], reason: str, message: str, container: str = ""
    ) -> None:
        await self._events.record(kind, reason, message, container)


def _record(container: Mapping[str, Any], state: Waiting, *, initial: bool) -> Record:
    sidecar = initial and container.get("restartPolicy") == "Always"
    return Record(container["name"], container["image"], state, sidecar=sidecar, initial=initial)
