"""What a container's environment holds, and `$(NAME)`."""

import base64
from collections.abc import Mapping
from typing import Any

import pytest

from llmd_tools.box.agent.environment import ConfigError, Sources, environment, expand

POD: dict[str, Any] = {
    "metadata": {
        "name": "web-0",
        "namespace": "shop",
        "uid": "u1",
        "labels": {"app": "web", "a/b": 'say "hi"'},
        "annotations": {"note": "two\nlines"},
    },
    "spec": {"nodeName": "node-1", "serviceAccountName": "web"},
    "status": {"podIP": "10.244.1.7", "podIPs": [{"ip": "10.244.1.7"}], "hostIP": "10.244.0.1"},
}
SOURCES = Sources(
    POD,
    {"cpu": "8", "memory": "16Gi"},
    {
        ("shop", "settings"): {
            "data": {"COLOUR": "blue"},
            "binaryData": {"RAW": base64.b64encode(b"raw").decode()},
        }
    },
    {("shop", "keys"): {"data": {"token": base64.b64encode(b"s3cret").decode()}}},
)


def made(*env: Mapping[str, Any], **container: Any) -> dict[str, str]:
    """The environment of a container with these entries, and nothing given."""
    return environment({"env": list(env), **container}, SOURCES, {})


def test_a_value_may_name_earlier_values() -> None:
    """`$(NAME)` takes what stands before it in the list, and what is given."""
    env = [
        {"name": "A", "value": "$(HOST):$(PORT)"},
        {"name": "PORT", "value": "1"},
        {"name": "B", "value": "$(PORT)"},
    ]
    assert environment({"env": env}, SOURCES, {"HOST": "h"}) == {
        "HOST": "h",
        "A": "h:$(PORT)",
        "PORT": "1",
        "B": "1",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(KNOWN)", "value"),
        ("a$(KNOWN)b$(KNOWN)", "avaluebvalue"),
        ("$(UNKNOWN)", "$(UNKNOWN)"),
        ("$$(KNOWN)", "$(KNOWN)"),
        ("$$$(KNOWN)", "$value"),
        ("$KNOWN ${KNOWN} $", "$KNOWN ${KNOWN} $"),
        ("$(", "$("),
    ],
)
def test_references_are_replaced_as_kubernetes_does(text: str, expected: str) -> None:
    """What is known is replaced, what is not stays, and a doubled dollar is one."""
    assert expand(text, {"KNOWN": "value"}) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("metadata.name", "web-0"),
        ("metadata.namespace", "shop"),
        ("metadata.uid", "u1"),
        ("metadata.labels['app']", "web"),
        ("metadata.annotations['missing']", ""),
        ("metadata.labels", 'a/b="say \\"hi\\""\napp="web"'),
        ("metadata.annotations", 'note="two\\nlines"'),
        ("spec.nodeName", "node-1"),
        ("spec.serviceAccountName", "web"),
        ("status.podIP", "10.244.1.7"),
        ("status.podIPs", "10.244.1.7"),
        ("status.hostIP", "10.244.0.1"),
    ],
)
def test_a_field_of_the_pod_is_given(path: str, expected: str) -> None:
    """Every field that the downward API knows has the pod's value."""
    assert made({"name": "X", "valueFrom": {"fieldRef": {"fieldPath": path}}}) == {"X": expected}


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ({"resource": "limits.cpu"}, "2"),
        ({"resource": "limits.cpu", "divisor": "1m"}, "1500"),
        ({"resource": "requests.memory", "divisor": "1Mi"}, "512"),
        ({"resource": "limits.memory", "divisor": "1Gi"}, "16"),
        ({"resource": "requests.cpu"}, "2"),
    ],
)
def test_a_resource_is_given_in_units_of_the_divisor(reference: Mapping[str, str], expected: str) -> None:
    """It is rounded up; a limit that is not set is what the node has, and a request is then the limit."""
    resources = {"limits": {"cpu": "1500m"}, "requests": {"memory": "512Mi"}}
    env = {"name": "X", "valueFrom": {"resourceFieldRef": reference}}
    assert made(env, resources=resources) == {"X": expected}


def test_entries_of_config_maps_and_secrets_are_given() -> None:
    """One key each by `env`, all keys by `envFrom`, which `env` overrides."""
    env = made(
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "token"}}},
        {"name": "my_COLOUR", "value": "red"},
        envFrom=[{"prefix": "my_", "configMapRef": {"name": "settings"}}],
    )
    assert env == {"TOKEN": "s3cret", "my_COLOUR": "red", "my_RAW": "raw"}


def test_what_is_optional_may_be_missing() -> None:
    """An optional key or ConfigMap that is not there leaves the variable out."""
    env = [
        {"name": "A", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "no", "optional": True}}},
        {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "no", "key": "no", "optional": True}}},
    ]
    assert made(*env) == {}


@pytest.mark.parametrize(
    ("origin", "message"),
    [
        ({"secretKeyRef": {"name": "no", "key": "k"}}, 'secret "no" not found'),
        ({"configMapKeyRef": {"name": "settings", "key": "k"}}, "couldn't find key k in configmap settings"),
        ({"fieldRef": {"fieldPath": "spec.image"}}, "no field 'spec.image'"),
        ({"resourceFieldRef": {"resource": "cpu"}}, "no resource 'cpu'"),
    ],
)
def test_what_is_missing_is_named(origin: Mapping[str, Any], message: str) -> None:
    """A container cannot start without it, and the message says what it is."""
    with pytest.raises(ConfigError, match=message):
        made({"name": "X", "valueFrom": origin})
