"""Events about pods, which `kubectl describe` shows."""

import itertools
from typing import Literal

from llmd_tools.box.agent.api import Api, Object
from llmd_tools.box.agent.states import now

_numbers = itertools.count(1)


class Events:
    """The events of one pod; one that happens again raises the count of the first."""

    def __init__(self, api: Api, pod: Object) -> None:
        """Begin without any."""
        self._api = api
        self._pod = pod
        self._known: dict[tuple[str, str], dict[str, object]] = {}

    async def record(
        self, kind: Literal["Normal", "Warning"], reason: str, message: str, container: str = ""
    ) -> None:
        """Tell of something that happened to the pod, or to one of its containers."""
        known = self._known.get((reason, message))
        if known is None:
            known = self._known[reason, message] = self._new(kind, reason, message, container)
        known["count"] = int(str(known["count"])) + 1
        known["lastTimestamp"] = now()
        await self._api.record(known)

    def _new(self, kind: str, reason: str, message: str, container: str) -> dict[str, object]:
        metadata = self._pod["metadata"]
        field = {"fieldPath": f"spec.containers{{{container}}}"} if container else {}
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": f"{metadata['name']}.{metadata['uid'][:8]}.{next(_numbers)}",
                "namespace": metadata["namespace"],
            },
            "involvedObject": {
                "apiVersion": "v1",
                "kind": "Pod",
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": metadata["uid"],
                **field,
            },
            "type": kind,
            "reason": reason,
            "message": message,
            "source": {"component": "node-agent", "host": self._pod["spec"]["nodeName"]},
            "firstTimestamp": now(),
            "count": 0,
        }
