"""What `fieldRef` and `resourceFieldRef` say of a pod."""

import re
from collections.abc import Mapping
from typing import Any

from llmd_tools.box.agent.quantity import divided

_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")
_RESOURCE = re.compile(r"(limits|requests)\.(.+)")
_MAPS = frozenset({"metadata.labels", "metadata.annotations"})


class UnknownFieldError(ValueError):
    """A field that a pod has not, or that the downward API does not give."""


def pod_field(pod: Mapping[str, Any], path: str) -> str:
    """The text of a field of a pod; a field that is not set is empty, labels are one line each.

    Args:
        pod: The pod, with `podIP`, `podIPs` and `hostIP` in its status.
        path: Such as `metadata.name`, `status.podIP` or `metadata.labels['app']`.

    Raises:
        UnknownFieldError: If there is no such field.
    """
    if match := _SUBSCRIPT.fullmatch(path):
        return str(pod["metadata"].get(match[1], {}).get(match[2], ""))
    if path in _MAPS:
        entries = pod["metadata"].get(path.removeprefix("metadata."), {})
        return "\n".join(f'{name}="{_escaped(value)}"' for name, value in sorted(entries.items()))
    spec, status, metadata = pod["spec"], pod.get("status", {}), pod["metadata"]
    known = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata.get("namespace", ""),
        "metadata.uid": metadata.get("uid", ""),
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", "default"),
        "status.hostIP": status.get("hostIP", ""),
        "status.hostIPs": status.get("hostIP", ""),
        "status.podIP": status.get("podIP", ""),
        "status.podIPs": ",".join(each["ip"] for each in status.get("podIPs", [])),
    }
    if path not in known:
        raise UnknownFieldError(f"the downward API has no field {path!r}")
    return str(known[path])


def container_resource(
    container: Mapping[str, Any], allocatable: Mapping[str, str], reference: Mapping[str, Any]
) -> str:
    """The number of a `resourceFieldRef`, which of a limit that is not set is what the node can allocate.

    Args:
        container: Whose resources they are.
        allocatable: What the node has for pods, as quantities.
        reference: The `resourceFieldRef`.

    Raises:
        UnknownFieldError: If there is no such resource.
    """
    match = _RESOURCE.fullmatch(reference["resource"])
    if match is None:
        raise UnknownFieldError(f"no resource {reference['resource']!r}; it begins with limits or requests")
    kind, name = match.groups()
    resources = container.get("resources", {})
    limit = resources.get("limits", {}).get(name)
    unset = allocatable.get(name, "0") if kind == "limits" else "0"
    found = limit if kind == "limits" else resources.get("requests", {}).get(name, limit)
    return str(divided(str(found or unset), reference.get("divisor", "1")))


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
