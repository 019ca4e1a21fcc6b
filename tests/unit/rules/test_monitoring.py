"""Metrics, and autoscalers that follow them."""

import json
from typing import Any

from tests.unit.rules.conftest import Workshop

from llmd_constructs import catalogue
from llmd_constructs.addons.autoscaling import METRICS_ADAPTER, METRICS_ADAPTER_NAMESPACE
from llmd_constructs.catalogue import GitSource

Json = dict[str, Any]

SCALED: Json = {
    "extends": "../bases/gke-llmd.yaml",
    "platform": {"monitoring": True},
    "deployments": [
        {"name": "gemma", "pattern": "prefix-cache", "replicas": 1, "autoscaling": {"maxReplicas": 2}}
    ],
}


def _found(workshop: Workshop, content: Json) -> dict[str, str]:
    return {finding.rule.id: finding.message for finding in workshop.check("scaled", json.dumps(content))}


def test_metrics_are_asked_for_as_they_are_served(workshop: Workshop) -> None:
    """An llm-d replica speaks plain HTTP; who asks by TLS gets nothing."""
    endpoint = {"port": 8000, "interval": "15s", "scheme": "https"}
    target = {"kind": "PodMonitoring", "name": "ms-gemma-llm-d-modelservice-decode"}
    patches = [{"target": target, "patch": {"spec": {"endpoints": [endpoint]}}}]
    found = _found(workshop, {**SCALED, "extras": [{"application": "gemma", "patches": patches}]})
    assert found["MON-03"] == "is https, and Deployment/ms-gemma-llm-d-modelservice-decode speaks http"


def test_what_is_rendered_for_autoscaling_breaks_no_rule(workshop: Workshop) -> None:
    """The adapter comes with the first autoscaler, and metrics are collected where they are served."""
    assert not [rule for rule in _found(workshop, SCALED) if rule.startswith("MON-")]


def test_the_adapters_namespace_is_one_that_its_manifest_names() -> None:
    """What preflight.sh asks for, and what the AppProject allows, is the same namespace."""
    install = catalogue.upstream(METRICS_ADAPTER).install
    assert isinstance(install, GitSource)
    assert METRICS_ADAPTER_NAMESPACE in install.namespaces
