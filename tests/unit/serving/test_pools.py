"""Routes of ours name the InferencePool that the gateway reads."""

import pytest

from llmd_constructs.config.environment import Environment
from llmd_constructs.environment import EnvironmentApp
from llmd_constructs.plan.collect import collect


@pytest.mark.parametrize(
    ("istio", "group"), [("1.26", "inference.networking.x-k8s.io"), ("1.27", "inference.networking.k8s.io")]
)
def test_models_that_are_routed_by_body_have_a_route_to_the_pool_that_istio_reads(
    istio: str, group: str
) -> None:
    """KServe writes both pools up to 0.19, and Istio reads the older one up to 1.26."""
    model = {"model": "Qwen/Qwen3-0.6B", "nodePool": "tpu"}
    content = {
        "cluster": {
            "name": "sample",
            "project": "sample-project",
            "location": "europe-west4-a",
            "kubernetes": "1.34",
            "nodePools": [{"name": "tpu", "machineType": "ct6e-standard-1t", "maxNodes": 9}],
        },
        "gitops": {"repository": {"url": "https://github.com/example/sample.git"}},
        "platform": {"gateway": {"provider": "istio"}, "kserve": "0.18", "istio": istio},
        "deployments": [
            {
                "name": "many",
                "pattern": "multi-model",
                "stack": "kserve",
                "namespace": "models",
                "routing": "body",
                "models": [{"name": "a", **model}],
            }
        ],
    }
    plan = collect(EnvironmentApp("sample", Environment.model_validate(content)))
    routes = [file.manifest for file in plan.files if file.manifest["kind"] == "HTTPRoute"]
    backends = [
        each for route in routes for rule in route["spec"]["rules"] for each in rule.get("backendRefs", [])
    ]
    assert {each["group"] for each in backends if each.get("kind") == "InferencePool"} == {group}
