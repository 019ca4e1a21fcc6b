"""The API server as the agent uses it: objects as plain values, kept up to date by watching.

The library's own classes cost much and know only the fields of their version, so that answers are taken as text.
"""

# The client's own types are incomplete; none of them leaves this module.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Literal, Self

import aiohttp
from kubernetes_asyncio.client import ApiClient, CoreV1Api, DiscoveryV1Api
from kubernetes_asyncio.client.exceptions import ApiException
from kubernetes_asyncio.config import load_kube_config
from kubernetes_asyncio.watch import Watch

Object = Mapping[str, Any]
"""A Kubernetes object."""

Key = tuple[str, str]
"""Namespace and name."""

Change = Literal["ADDED", "MODIFIED", "DELETED"]

_PAUSE_SECONDS = 0.5
"""Before the agent asks again after an error."""
_TRIES = 20
_BUSY = frozenset({429, 500, 502, 503, 504})
_GONE = frozenset({403, 404, 409})
"""The agent may do everything: what is forbidden is so because a namespace ends."""


def key_of(thing: Object) -> Key:
    """Namespace and name of an object."""
    return thing["metadata"].get("namespace", ""), thing["metadata"]["name"]


class Kind:
    """All objects of one kind.

    Attributes:
        objects: What there is, as last heard.
    """

    def __init__(self, listing: Callable[..., Any]) -> None:
        """Know nothing yet.

        Args:
            listing: The client's function that lists objects of the kind in all namespaces.
        """
        self._listing = listing
        self._listeners: list[Callable[[Change, Object], None]] = []
        self.objects: dict[Key, Object] = {}
        self.known = asyncio.Event()

    def listen(self, listener: Callable[[Change, Object], None]) -> None:
        """Call a function at every change, also for what is known by now."""
        self._listeners.append(listener)
        for thing in list(self.objects.values()):
            listener("ADDED", thing)

    async def run(self) -> None:
        """Keep up to date, for ever."""
        while True:
            try:
                await self._follow()
            except (
                ApiException,
                aiohttp.ClientError,
                OSError,
                TimeoutError,
            ):  # also one that is too old to go on
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _follow(self) -> None:
        """List, so that what has gone in the meantime is noticed, and watch from there on."""
        listed = json.loads(await _call(self._listing))
        self._replace(listed["items"])
        self.known.set()
        async with Watch("object") as watch:
            version = listed["metadata"]["resourceVersion"]
            async for event in watch.stream(self._listing, resource_version=version):
                if event["type"] in {"ADDED", "MODIFIED", "DELETED"}:
                    self._take(event["type"], event["raw_object"])

    def _replace(self, items: list[Object]) -> None:
        found = {key_of(item): item for item in items}
        for key in self.objects.keys() - found.keys():
            self._take("DELETED", self.objects[key])
        for key, item in found.items():
            self._take("MODIFIED" if key in self.objects else "ADDED", item)

    def _take(self, change: Change, thing: Object) -> None:
        if change == "DELETED":
            self.objects.pop(key_of(thing), None)
        else:
            self.objects[key_of(thing)] = thing
        for listener in self._listeners:
            listener(change, thing)


class Api:
    """A connection to the API server.

    Attributes:
        pods: All pods; `nodes`, `services`, `slices` (EndpointSlices), `config_maps` and `secrets` likewise.
    """

    def __init__(self, client: ApiClient) -> None:
        """Use a client that is configured."""
        self._core: Any = CoreV1Api(client)  # whose types know neither plain objects nor raw answers
        discovery: Any = DiscoveryV1Api(client)
        self.pods = Kind(self._core.list_pod_for_all_namespaces)
        self.nodes = Kind(self._core.list_node)
        self.services = Kind(self._core.list_service_for_all_namespaces)
        self.slices = Kind(discovery.list_endpoint_slice_for_all_namespaces)
        self.config_maps = Kind(self._core.list_config_map_for_all_namespaces)
        self.secrets = Kind(self._core.list_secret_for_all_namespaces)

    @classmethod
    @asynccontextmanager
    async def connect(cls, kubeconfig: str) -> AsyncGenerator[Self]:
        """Connect as a kubeconfig file says."""
        await load_kube_config(kubeconfig)
        async with ApiClient() as client:
            yield cls(client)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Every kind that is kept up to date."""
        return self.pods, self.nodes, self.services, self.slices, self.config_maps, self.secrets

    async def patch_pod_status(self, key: Key, status: Object) -> None:
        """Write a pod's status; a pod that is gone is no error."""
        namespace, name = key
        await _call(self._core.patch_namespaced_pod_status, name, namespace, {"status": status})

    async def remove_pod(self, key: Key, uid: str) -> None:
        """Take a pod away whose containers have ended; one that is gone, or is another by now, is no error."""
        body = {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}}
        await _call(self._core.delete_namespaced_pod, key[1], key[0], body=body)

    async def patch_node_status(self, name: str, status: Object) -> None:
        """Write a node's status."""
        await _call(self._core.patch_node_status, name, {"status": status})

    async def patch_service_status(self, key: Key, status: Object) -> None:
        """Write a Service's status."""
        namespace, name = key
        await _call(self._core.patch_namespaced_service_status, name, namespace, {"status": status})

    async def token(self, account: Key, body: Object) -> str:
        """A token of a service account, as a TokenRequest asks for it; empty if the account or its pod is gone."""
        namespace, name = account
        answer = await _call(self._core.create_namespaced_service_account_token, name, namespace, body)
        return str(json.loads(answer)["status"]["token"]) if answer else ""

    async def record(self, event: Object) -> None:
        """Create an Event, or raise the count of one that is there."""
        namespace, name = key_of(event)
        if event["count"] == 1:
            await _call(self._core.create_namespaced_event, namespace, event)
        else:
            told = {key: event[key] for key in ("count", "lastTimestamp")}
            await _call(self._core.patch_namespaced_event, name, namespace, told)


async def _call(function: Callable[..., Any], *arguments: object, **named: object) -> bytes:
    """What the API server answers; empty if what the call is about is gone, or is going with its namespace.

    A server that is busy, or has just started, is asked again some times.

    Raises:
        ApiException: If it refuses.
    """
    for _ in range(_TRIES - 1):
        try:
            return await _call_once(function, *arguments, **named)
        except ApiException as error:
            if error.status not in _BUSY:
                raise
        except (aiohttp.ClientError, TimeoutError):
            pass
        await asyncio.sleep(_PAUSE_SECONDS)
    return await _call_once(function, *arguments, **named)


async def _call_once(function: Callable[..., Any], *arguments: object, **named: object) -> bytes:
    response = await function(*arguments, **named, _preload_content=False)
    text = await response.read()
    if response.status in _GONE:
        return b""
    if response.status >= HTTPStatus.BAD_REQUEST:  # which the library does not look at, with answers as text
        raise ApiException(status=response.status, reason=text.decode(errors="replace"))
    return text
