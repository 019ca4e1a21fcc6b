"""Where the gateway answers, and for which model: read from the routes and what they lead to."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_CHAT = "/v1/chat/completions"
_SERVED = re.compile(r"--served-model-name[= ](\S+)")
_POOL, _SERVICE = "InferencePool", "LLMInferenceService"

Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class Chat:
    """A model that can be talked to.

    Attributes:
        path: What comes before `/v1` at the gateway; may be empty.
        model: The name that a request gives.
        namespace: Where the model and its endpoint picker run.
    """

    path: str
    model: str
    namespace: str


def chats(manifests: Sequence[Manifest]) -> list[Chat]:
    """Every model that a route leads to through an endpoint picker, in the order of the manifests.

    Args:
        manifests: All objects of an environment.
    """
    found = [
        Chat(path, model, pool["metadata"]["namespace"])
        for route in _of_kind(manifests, "HTTPRoute")
        for path, pool in _pools(route, manifests)
        for model in _models(pool, manifests)
    ]
    return list(dict.fromkeys([*found, *map(_of_kserve, _of_kind(manifests, _SERVICE))]))


def _pools(route: Manifest, manifests: Sequence[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Path and pool of each rule of a route that leads to a pool and takes chats."""
    for rule in route["spec"].get("rules", []):
        pools = [
            pool
            for reference in rule.get("backendRefs", [])
            for pool in _of_kind(manifests, _POOL)
            if (reference.get("kind"), reference["name"]) == (_POOL, pool["metadata"]["name"])
            and pool["metadata"]["namespace"] == reference.get("namespace", route["metadata"]["namespace"])
        ]
        for match in rule.get("matches", [{}]):
            path: str = match.get("path", {}).get("value", "/")
            if path.endswith(_CHAT) or "/v1" not in path:
                yield from ((path.removesuffix(_CHAT).rstrip("/"), pool) for pool in pools)


def _models(pool: Manifest, manifests: Sequence[Manifest]) -> Iterator[str]:
    """What the pods of a pool call their model."""
    wanted = pool["spec"]["selector"]
    wanted = wanted.get("matchLabels", wanted)
    for workload in _of_kind(manifests, "Deployment"):
        template = workload["spec"]["template"]
        if wanted.items() <= template["metadata"].get("labels", {}).items():
            for container in template["spec"]["containers"]:
                words = " ".join([*container.get("command", []), *container.get("args", [])])
                yield from _SERVED.findall(words)


def _of_kserve(service: Manifest) -> Chat:
    """KServe routes a service below its namespace and name."""
    metadata = service["metadata"]
    name = service["spec"]["model"].get("name", metadata["name"])
    return Chat(f"/{metadata['namespace']}/{metadata['name']}", name, metadata["namespace"])


def _of_kind(manifests: Iterable[Manifest], kind: str) -> list[Manifest]:
    return [each for each in manifests if each["kind"] == kind]
