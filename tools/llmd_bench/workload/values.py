"""What differs from application to application, and what all of its objects share."""

from dataclasses import dataclass
from typing import Any

from llmd_constructs.manifest import JsonObject, Kind

INSTANCE = "app.kubernetes.io/instance"
COMPONENT = "app.kubernetes.io/component"
ROLE_LABEL = "llm-d.ai/role"

SERVER, PICKER = "model-server", "endpoint-picker"
"""The two kinds of pods."""
HTTP, GRPC, HEALTH, METRICS = 8000, 9002, 9003, 9090
"""Ports: of the model server, and of the picker."""

OBJECTIVE = Kind("inference.networking.x-k8s.io/v1alpha2", "InferenceObjective")


@dataclass(frozen=True)
class Values:
    """What differs from application to application."""

    name: str
    """Name, and namespace."""
    model: str
    image_tag: str
    replicas: int
    max_model_len: int
    secret_key: str
    """Key of the access token in the secret store."""


def values_of(index: int) -> Values:
    """The values of one application, by its number."""
    sizes = ("0.5B", "1.5B", "3B", "7B")
    return Values(
        name=f"team-{index:04}",
        model=f"Qwen/Qwen2.5-{sizes[index % 4]}-Instruct",
        image_tag=f"v0.{4 + index % 3}.{index % 7}",
        replicas=2 + index % 5,
        max_model_len=2048 * (1 + index % 4),
        secret_key=f"hugging-face-team-{index:04}",
    )


def labels(values: Values, component: str) -> dict[str, str]:
    """Labels of an object and of its pods."""
    return {
        "app.kubernetes.io/name": "llm",
        INSTANCE: values.name,
        COMPONENT: component,
        "app.kubernetes.io/part-of": "inference",
        "app.kubernetes.io/managed-by": "llmd",
    }


def resource(kind: Kind, values: Values, name: str, component: str, **body: Any) -> JsonObject:
    """One object of an application."""
    return kind.manifest(name, values.name, labels=labels(values, component), **body)
