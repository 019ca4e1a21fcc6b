"""A container's environment, and `$(NAME)` in what it is told."""

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from llmd_tools.box.agent.api import Key, Object
from llmd_tools.box.agent.fields import UnknownFieldError, container_resource, pod_field

_REFERENCE = re.compile(r"\$(\$|\(([^()]*)\))")


class ConfigError(Exception):
    """A container cannot be configured: what it refers to is not there. A kubelet's CreateContainerConfigError."""


@dataclass(frozen=True)
class Sources:
    """What a pod's containers may refer to.

    Attributes:
        pod: The pod, with its addresses.
        allocatable: What its node has for pods.
        config_maps: ConfigMaps by namespace and name.
        secrets: Secrets likewise.
    """

    pod: Object
    allocatable: Mapping[str, str]
    config_maps: Mapping[Key, Object]
    secrets: Mapping[Key, Object]

    def data(self, kind: str, name: str, *, optional: bool) -> Mapping[str, bytes]:
        """The entries of a ConfigMap or Secret of the pod's namespace.

        Raises:
            ConfigError: If there is none and it is not optional.
        """
        store = self.config_maps if kind == "configmap" else self.secrets
        found = store.get((self.pod["metadata"]["namespace"], name))
        if found is None and not optional:
            raise ConfigError(f'{kind} "{name}" not found')
        return entries(found or {}, kind)


def entries(thing: Object, kind: str) -> dict[str, bytes]:
    """What a ConfigMap or Secret holds."""
    is_plain = kind == "configmap"
    plain: dict[str, str] = (thing.get("data") if is_plain else None) or {}
    encoded: dict[str, str] = thing.get("binaryData" if is_plain else "data") or {}
    return {
        **{key: value.encode() for key, value in plain.items()},
        **{key: base64.b64decode(value) for key, value in encoded.items()},
    }


def expand(text: str, values: Mapping[str, str]) -> str:
    """Replace each `$(NAME)` that is known; others stay, and `$$` is a `$`."""

    def replace(match: re.Match[str]) -> str:
        return "$" if match[1] == "$" else values.get(match[2], match[0])

    return _REFERENCE.sub(replace, text)


def environment(container: Mapping[str, Any], sources: Sources, given: Mapping[str, str]) -> dict[str, str]:
    """The environment that a container asks for: `envFrom` first, then `env`, each over what came before.

    Args:
        container: The container.
        sources: What it may refer to.
        given: What is there without asking, such as the API server's address.

    Raises:
        ConfigError: If something that it refers to is missing.
    """
    values = dict(given)
    for each in container.get("envFrom", []):
        values |= _all_of(each, sources)
    for each in container.get("env", []):
        if (value := _value(each, container, sources, values)) is not None:
            values[each["name"]] = value
    return values


def _all_of(source: Mapping[str, Any], sources: Sources) -> dict[str, str]:
    kind, reference = next((kind, source[kind]) for kind in ("configMapRef", "secretRef") if kind in source)
    data = sources.data(
        kind.removesuffix("Ref").lower(), reference["name"], optional=reference.get("optional", False)
    )
    return {source.get("prefix", "") + key: value.decode() for key, value in data.items()}


def _value(
    entry: Mapping[str, Any], container: Mapping[str, Any], sources: Sources, so_far: Mapping[str, str]
) -> str | None:
    if "valueFrom" not in entry:
        return expand(entry.get("value", ""), so_far)
    origin = entry["valueFrom"]
    try:
        if "fieldRef" in origin:
            return pod_field(sources.pod, origin["fieldRef"]["fieldPath"])
        if "resourceFieldRef" in origin:
            return container_resource(container, sources.allocatable, origin["resourceFieldRef"])
    except UnknownFieldError as error:
        raise ConfigError(str(error)) from error
    return _key(origin, sources)


def _key(origin: Mapping[str, Any], sources: Sources) -> str | None:
    kind, reference = next(
        (kind.lower(), origin[f"{kind}KeyRef"])
        for kind in ("configMap", "secret")
        if f"{kind}KeyRef" in origin
    )
    optional = reference.get("optional", False)
    data = sources.data(kind, reference["name"], optional=optional)
    if reference["key"] in data:
        return data[reference["key"]].decode()
    if optional:
        return None
    raise ConfigError(f"couldn't find key {reference['key']} in {kind} {reference['name']}")


def expanded(words: Iterable[str], values: Mapping[str, str]) -> list[str]:
    """Command or arguments with every `$(NAME)` replaced."""
    return [expand(word, values) for word in words]
