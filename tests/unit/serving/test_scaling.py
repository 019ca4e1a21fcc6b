"""Replicas, budgets, metrics and autoscalers of a model, on either stack."""

from typing import Any

import pytest

from llmd_constructs.config.environment import Environment
from llmd_constructs.environment import EnvironmentApp
from llmd_constructs.plan.collect import collect

Json = dict[str, Any]


def _app(platform: Json, *deployments: Json) -> EnvironmentApp:
    """An environment with models on TPUs, and with monitoring."""
    content = {
        "cluster": {
            "name": "sample",
            "project": "sample-project",
            "location": "europe-west4-a",
            "kubernetes": "1.35",
            "nodePools": [{"name": "tpu", "machineType": "ct6e-standard-1t", "maxNodes": 9}],
        },
        "gitops": {"repository": {"url": "https://github.com/example/sample.git"}},
        "platform": {"gateway": {"provider": "gke"}, "monitoring": True, **platform},
        "deployments": [
            {
                "name": f"model-{index}",
                "namespace": "models",
                "model": "Qwen/Qwen3-0.6B",
                "nodePool": "tpu",
                **deployment,
            }
            for index, deployment in enumerate(deployments)
        ],
    }
    return EnvironmentApp("sample", Environment.model_validate(content))


def _objects(platform: Json, *deployments: Json) -> dict[str, Json]:
    """What is rendered, by kind and name."""
    plan = collect(_app(platform, *deployments))
    return {
        f"{file.manifest['kind']}/{file.manifest['metadata']['name']}": file.manifest for file in plan.files
    }


SCALED: Json = {
    "pattern": "prefix-cache",
    "replicas": 1,
    "autoscaling": {"maxReplicas": 4, "waitingRequests": 7},
}


@pytest.mark.parametrize(
    ("stack", "owner", "target"),
    [
        (
            {"stack": "llm-d"},
            "Deployment/ms-model-0-llm-d-modelservice-decode",
            "ms-model-0-llm-d-modelservice-decode",
        ),
        ({"stack": "kserve"}, "LLMInferenceService/model-0", "model-0-kserve"),
    ],
)
def test_an_autoscaler_alone_says_how_many_replicas_there_are(stack: Json, owner: str, target: str) -> None:
    """The workload names no replicas, and the autoscaler names the workload that runs, with its bounds."""
    objects = _objects({"kserve": "0.20"}, {**SCALED, **stack})
    assert "replicas" not in objects[owner]["spec"]
    spec = objects[f"HorizontalPodAutoscaler/{target}"]["spec"]
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}
    assert (spec["minReplicas"], spec["maxReplicas"]) == (1, 4)
    assert spec["metrics"][0]["pods"]["target"] == {"type": "AverageValue", "averageValue": "7"}


@pytest.mark.parametrize(
    ("settings", "drain", "grace"),
    [
        ({"replicas": 1}, 45, 75),
        ({"autoscaling": {"maxReplicas": 4}}, 600, 3630),
        ({"autoscaling": {"maxReplicas": 4}, "requestTimeoutSeconds": 3600}, 3600, 3630),
    ],
)
def test_a_replica_that_an_autoscaler_takes_away_answers_first(
    settings: Json, drain: int, grace: int
) -> None:
    """It drains for as long as the gateway waits for an answer, and Kubernetes waits for longer than both."""
    objects = _objects({}, {"pattern": "prefix-cache", "replicas": 2, "stack": "llm-d", **settings})
    pod = objects["Deployment/ms-model-0-llm-d-modelservice-decode"]["spec"]["template"]["spec"]
    assert f"--shutdown-timeout={drain}" in pod["containers"][0]["args"]
    assert pod["terminationGracePeriodSeconds"] == grace


def test_gkes_gateway_lets_running_requests_end() -> None:
    """A pod that goes keeps its connections for as long as a request may take."""
    objects = _objects({}, {"pattern": "single-replica", "stack": "llm-d", "requestTimeoutSeconds": 900})
    policies = [
        item["spec"]["default"] for key, item in objects.items() if key.startswith("GCPBackendPolicy/")
    ]
    assert policies
    assert all(policy["connectionDraining"] == {"drainingTimeoutSec": 900} for policy in policies)


def test_a_model_that_may_grow_has_a_disruption_budget() -> None:
    """One replica at first is no reason to let a node upgrade take all of them later."""
    objects = _objects({}, {**SCALED, "stack": "llm-d"})
    assert objects["PodDisruptionBudget/model-0"]["spec"]["maxUnavailable"] == 1


def test_the_metrics_adapter_comes_with_the_first_autoscaler() -> None:
    """It is installed last, so that nothing but autoscalers waits for it."""
    without = {item.name for item in _app({}, {"pattern": "single-replica", "stack": "llm-d"}).applications}
    waves = {item.name: item.wave for item in _app({}, {**SCALED, "stack": "llm-d"}).applications}
    assert "custom-metrics-stackdriver-adapter" not in without
    assert waves["custom-metrics-stackdriver-adapter"] == max(waves.values())


def test_metrics_of_a_decode_replica_are_read_behind_the_sidecar() -> None:
    """The sidecar on port 8000 is one more program between the collector and vLLM."""
    objects = _objects({}, {"pattern": "prefill-decode", "stack": "llm-d"})
    ports = {
        key.rpartition("-")[2]: item["spec"]["endpoints"][0]["port"]
        for key, item in objects.items()
        if key.startswith("PodMonitoring/")
    }
    assert ports == {"prefill": 8000, "decode": 8200, "epp": 9090}


def test_metrics_are_read_by_tls_where_a_server_speaks_it() -> None:
    """OpenDataHub's KServe serves TLS behind Istio, with a certificate that the collector cannot check."""
    istio = {"provider": "istio", "namespace": "opendatahub"}
    objects = _objects(
        {"kserve": "odh-0.15", "istio": "1.27", "gateway": istio},
        {"pattern": "single-replica", "stack": "kserve"},
    )
    endpoint = objects["PodMonitoring/model-0-kserve"]["spec"]["endpoints"][0]
    assert endpoint == {
        "port": 8000,
        "interval": "15s",
        "scheme": "https",
        "tls": {"insecureSkipVerify": True},
    }


def test_nothing_is_collected_where_monitoring_is_off() -> None:
    """A cluster without managed collection has no such CRD."""
    objects = _objects({"monitoring": False}, {"pattern": "single-replica", "stack": "llm-d"})
    assert not any(key.startswith("PodMonitoring/") for key in objects)
