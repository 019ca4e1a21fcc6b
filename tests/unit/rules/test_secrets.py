"""Nothing that looks like a secret passes."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from llmd_constructs.rules.resources import Resource
from llmd_constructs.rules.secrets import no_content


def _found(value: Any) -> list[str]:
    manifest = {"kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"settings": ["harmless", value]}}
    view = SimpleNamespace(of=lambda *_: (), resources=[Resource("a.yaml", "a", manifest)])  # pyright: ignore[reportUnknownLambdaType]
    return [offence.where.field for offence in no_content.check(cast("Any", view))]


@pytest.mark.parametrize(
    "secret",
    [
        "hf_" + "a" * 20,
        "token\nhf_" + "a" * 34,
        "--token=ghp_" + "b" * 30,
        "AKIA" + "C" * 16,
        "-----BEGIN PRIVATE KEY-----",
        "ca:\n  -----BEGIN RSA PRIVATE KEY-----\n",
    ],
)
def test_tokens_and_keys_are_found_wherever_they_stand(secret: str) -> None:
    """At the beginning of a text, of a line, and behind a sign."""
    assert _found(secret) == ["data.settings[1]"]


@pytest.mark.parametrize(
    "text", ["hf_token", "shf_" + "a" * 20, "-----BEGIN CERTIFICATE-----", "AKIA", "https://x/ghp_", 5, None]
)
def test_names_and_certificates_are_no_secrets(text: Any) -> None:
    """What only begins like a token is none."""
    assert _found(text) == []
