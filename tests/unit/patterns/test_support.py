"""What cannot work together is refused, with the nearest that works."""

import copy
from typing import Any

import pytest

from llmd_constructs.config.environment import Environment
from llmd_constructs.context import Context
from llmd_constructs.environment import EnvironmentApp
from llmd_constructs.patterns.support import refusals

Json = dict[str, Any]

BASE: Json = {
    "cluster": {
        "name": "sample",
        "project": "sample-project",
        "location": "europe-west4-a",
        "kubernetes": "1.34",
        "nodePools": [
            {"name": "cpu", "machineType": "e2-standard-8", "maxNodes": 3},
            {
                "name": "tpu",
                "machineType": "ct6e-standard-4t",
                "topology": "2x2",
                "maxNodes": 2,
                "bootDiskGb": 200,
            },
            {
                "name": "slice",
                "machineType": "ct6e-standard-4t",
                "topology": "2x4",
                "maxNodes": 2,
                "bootDiskGb": 200,
            },
            {"name": "gpu", "machineType": "a3-highgpu-1g", "maxNodes": 4},
        ],
    },
    "gitops": {"repository": {"url": "https://github.com/example/sample.git"}},
    "platform": {"gateway": {"provider": "gke"}, "kserve": "0.20"},
}


def _refused(deployments: list[Json], platform: Json | None = None, pools: Json | None = None) -> list[str]:
    content = copy.deepcopy(BASE)
    content["platform"] |= platform or {}
    for pool in content["cluster"]["nodePools"]:
        pool.update((pools or {}).get(pool["name"], {}))
    content["deployments"] = [
        {"name": f"model-{index}", "stack": "kserve", "namespace": "models", **deployment}
        for index, deployment in enumerate(deployments)
    ]
    environment = Environment.model_validate(content)
    return [f"{refusal.message}; {refusal.instead}" for refusal in refusals(Context("sample", environment))]


def _single(**more: Any) -> Json:
    return {"pattern": "single-replica", "model": "Qwen/Qwen3-8B", "nodePool": "tpu", **more}


def _cached(**more: Any) -> Json:
    return {"pattern": "prefix-cache", "model": "Qwen/Qwen3-8B", "nodePool": "tpu", "replicas": 2, **more}


def _experts(**more: Any) -> Json:
    return {"pattern": "mixture-of-experts", "model": "Qwen/Qwen3-30B-A3B", "nodePool": "tpu", **more}


ISTIO = {"gateway": {"provider": "istio", "namespace": "opendatahub"}, "istio": "1.29"}
CASES: dict[str, tuple[list[Json], Json, Json, str]] = {
    "topology-of-another-generation": (
        [_single()],
        {},
        {"tpu": {"topology": "2x2x2"}},
        "ct6e-standard-4t has no topology 2x2x2; choose one of 2x2",
    ),
    "pool-too-small": (
        [_cached(replicas=3)],
        {},
        {},
        "is 2, and the deployments on tpu need 3 nodes; raise it to 3, or lower `deployments[0].replicas`",
    ),
    "pool-too-small-for-single-replicas": (
        [_single(), _single(), _single()],
        {},
        {},
        "is 2, and the deployments on tpu need 3 nodes; raise it to 3, or give a deployment another node pool",
    ),
    "pool-too-small-for-several": (
        [
            _cached(enabled=False),
            _cached(),
            {
                "pattern": "multi-model",
                "models": [{"name": "more", "model": "Qwen/Qwen3-8B", "nodePool": "tpu", "replicas": 2}],
            },
            {
                "pattern": "prefill-decode",
                "stack": "llm-d",
                "route": "path",
                "model": "Qwen/Qwen3-8B",
                "nodePool": "gpu",
                "prefill": {"replicas": 2},
                "decode": {"replicas": 2, "nodePool": "tpu"},
            },
        ],
        {},
        {},
        (
            "is 2, and the deployments on tpu need 6 nodes; raise it to 6, or lower `deployments[1].replicas` or "
            "`deployments[2].models[0].replicas` or `deployments[3].decode.replicas`"
        ),
    ),
    "pool-api-of-an-older-gateway": (
        [_single()],
        {**ISTIO, "istio": "1.26"},
        {},
        (
            "0.20 writes InferencePools of inference.networking.k8s.io/v1, and the gateway reads "
            "inference.networking.x-k8s.io/v1alpha2; write `kserve: odh-0.15`"
        ),
    ),
    "llm-d-behind-an-older-gateway": (
        [_single(stack="llm-d")],
        {**ISTIO, "istio": "1.26"},
        {},
        'llm-d without KServe writes inference.networking.k8s.io/v1; write `istio: "1.27"` or later',
    ),
    "picker-of-an-older-pool-api": (
        [_single(stack="llm-d")],
        {"picker": "v0.2.0"},
        {},
        (
            "v0.2.0 does not read InferencePools of inference.networking.k8s.io/v1, which llm-d without KServe "
            "writes; write one of v0.3.1, v0.4.0"
        ),
    ),
    "several-indexes": (
        [_cached(stack="llm-d", routing="precise", scheduler={"replicas": 2})],
        {},
        {},
        (
            "every picker has an index of its own, and precise routing needs one that knows all; "
            "leave it out, or write `routing: approximate`"
        ),
    ),
    "global-gateway-class": (
        [_single()],
        {"gateway": {"provider": "gke", "className": "gke-l7-global-external-managed"}},
        {},
        (
            "gke-l7-global-external-managed cannot send requests to an InferencePool; "
            "write one of gke-l7-regional-external-managed"
        ),
    ),
    "gateway-of-another-name": (
        [_single()],
        {"gateway": {"provider": "istio", "namespace": "elsewhere"}, "istio": "1.27", "kserve": "odh-0.15"},
        {},
        (
            "KServe odh-0.15 attaches its routes to the Gateway opendatahub/inference-gateway only; "
            "write `name: inference-gateway` and `namespace: opendatahub`"
        ),
    ),
    "two-roots": (
        [_single(stack="llm-d"), _single(stack="llm-d", nodePool="gpu")],
        {},
        {},
        "model-1 and model-0 both answer at `/`; write `route: path` for one of them",
    ),
    "root-on-kserve": (
        [_single(route="root")],
        {},
        {},
        "KServe serves below /<namespace>/<name>; write `route: path`",
    ),
    "fail-close-on-kserve": (
        [_single(scheduler={"failureMode": "FailClose"})],
        {},
        {},
        "KServe writes the pool, with FailOpen; leave it out, or use llm-d",
    ),
    "two-pickers-on-an-older-kserve": (
        [_single(scheduler={"replicas": 2})],
        {"kserve": "odh-0.15"},
        {},
        "KServe odh-0.15 runs one picker; leave it out, or use 0.17",
    ),
    "precise-on-kserve": (
        [_cached(routing="precise")],
        {},
        {},
        "KServe's picker is not told where replicas publish their cache; write `routing: approximate`",
    ),
    "precise-with-an-older-picker": (
        [_cached(routing="precise", stack="llm-d")],
        {"picker": "v0.5.1"},
        {},
        (
            "v0.5.1 lacks endpoint-notification-source, precise-prefix-cache-producer, token-producer, which model-0 needs; "
            "write one of v0.9.0"
        ),
    ),
    "precise-with-a-block-size": (
        [_cached(routing="precise", stack="llm-d", engine={"blockSize": 32})],
        {},
        {},
        "is set by precise routing, for engine and picker alike; leave it out",
    ),
    "unknown-scorer": (
        [_single(stack="llm-d", scheduler={"weights": {"queue-score": 2}})],
        {},
        {},
        "the endpoint picker v0.9.2 has no plugin 'queue-score'; did you mean 'queue-scorer'?",
    ),
    "fraction-of-a-weight": (
        [_single(stack="llm-d", scheduler={"weights": {"queue-scorer": 1.5}})],
        {"picker": "v0.4.0"},
        {},
        "the endpoint picker v0.4.0 takes whole weights only; write 2",
    ),
    "no-mixture": (
        [_experts(model="Qwen/Qwen3-8B")],
        {},
        {},
        "Qwen/Qwen3-8B is no mixture of experts; write `pattern:",
    ),
    "several-tpu-nodes-on-kserve": (
        [_experts(nodePool="slice", nodesPerReplica=2)],
        {},
        {},
        "KServe's presets for several nodes are made for GPUs; write `stack: llm-d`",
    ),
    "half-a-slice": (
        [_single(nodePool="slice")],
        {},
        {},
        "a 2x4 slice of ct6e-standard-4t is 2 nodes, not 1; write `nodesPerReplica: 2`",
    ),
    "two-replicas-on-one-slice": (
        [_experts(nodePool="slice", nodesPerReplica=2, stack="llm-d", replicas=2)],
        {},
        {"slice": {"maxNodes": 4}},
        "slice is one slice of 2 hosts, and holds one replica, not 2; write `replicas: 1`",
    ),
    "no-room-on-disk": (
        [_single(model="Qwen/Qwen3-32B")],
        {},
        {"tpu": {"bootDiskGb": 100}},
        "Qwen/Qwen3-32B needs 75 GiB of disk, and a node of tpu leaves 45 GiB to pods; write `bootDiskGb: 200`",
    ),
    "no-room-in-memory-and-on-disk": (
        [_single(model="meta-llama/Llama-3.3-70B-Instruct")],
        {},
        {"tpu": {"machineType": "ct6e-standard-1t", "topology": None, "bootDiskGb": 100}},
        (
            "meta-llama/Llama-3.3-70B-Instruct needs 131.4 GiB per device (1 x Cloud TPU v6e (Trillium)) for weights, "
            "and vLLM may take 28.1 GiB; use "
        ),
    ),
    "no-connector": (
        [
            {
                "pattern": "prefill-decode",
                "stack": "llm-d",
                "model": "Qwen/Qwen3-8B",
                "nodePool": "gpu",
                "engine": {"image": "registry.redhat.io/rhaiis/vllm-cuda-rhel9:3.0.0"},
            }
        ],
        {},
        {},
        "registry.redhat.io/rhaiis/vllm-cuda-rhel9:3.0.0 has no NixlConnector; write docker.io/vllm/vllm-openai:v0.26.0",
    ),
    "one-model-twice-by-body": (
        [
            {
                "pattern": "multi-model",
                "routing": "body",
                "models": [
                    {"name": "first", "model": "Qwen/Qwen3-8B", "nodePool": "gpu"},
                    {"name": "second", "model": "Qwen/Qwen3-8B", "nodePool": "gpu"},
                ],
            }
        ],
        {},
        {},
        "Qwen/Qwen3-8B is served twice, and a request cannot say which it means; raise `replicas`",
    ),
    "one-name-twice": (
        [
            {
                "pattern": "multi-model",
                "models": [
                    {"name": "same", "model": "Qwen/Qwen3-8B", "nodePool": "gpu"},
                    {"name": "same", "model": "Qwen/Qwen2.5-3B-Instruct", "nodePool": "gpu"},
                ],
            }
        ],
        {},
        {},
        "same is taken; give every model its own name",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_refused_with_the_nearest_that_works(case: tuple[list[Json], Json, Json, str]) -> None:
    """Each combination is refused, in words that say what to write instead."""
    deployments, platform, pools, expected = case
    found = _refused(deployments, platform, pools)
    assert any(text.startswith(expected) or expected in text for text in found), found


def test_a_model_that_fits_is_told_of_the_disk_alone() -> None:
    """Where more disk is all that is missing, nothing else is said."""
    told = _refused([_single(model="Qwen/Qwen3-32B")], pools={"tpu": {"bootDiskGb": 100}})
    assert len(told) == 1
    assert "needs 75 GiB of disk" in told[0]


def test_a_model_may_have_any_name_that_a_model_can_have() -> None:
    """What the default route of a multi-model deployment is called inside collides with no model."""
    names = ("default-route", "default-policies", "sample")
    models = [{"name": name, "model": "Qwen/Qwen3-8B", "nodePool": "gpu"} for name in names]
    deployment: Json = {"pattern": "multi-model", "routing": "body", "stack": "llm-d", "models": models}
    content = {
        **copy.deepcopy(BASE),
        "deployments": [{"name": "sample", "namespace": "models", **deployment}],
    }
    assert EnvironmentApp("sample", Environment.model_validate(content)).applications


def test_a_working_environment_is_not_refused() -> None:
    """What the cases change is what makes them fail."""
    assert (
        _refused([_single(), _cached(nodePool="gpu"), _experts(nodePool="gpu", stack="llm-d", route="path")])
        == []
    )


def test_a_disabled_deployment_is_checked_but_takes_no_nodes() -> None:
    """Ready to switch on means: nothing but room is missing."""
    assert _refused([_single(), _cached(replicas=5, enabled=False)]) == []
    assert _refused([_single(), _cached(enabled=False, routing="precise")])


def _scaled(most: int, **more: Any) -> Json:
    return {
        "pattern": "prefix-cache",
        "model": "Qwen/Qwen3-8B",
        "nodePool": "tpu",
        "replicas": 1,
        "autoscaling": {"maxReplicas": most},
        **more,
    }


def test_autoscaling_that_can_work_is_not_refused() -> None:
    """With metrics, a release that leaves replicas alone, and nodes for all of them, nothing is said."""
    assert _refused([_scaled(2)], {"monitoring": True}) == []


@pytest.mark.parametrize(
    ("deployment", "platform", "told"),
    [
        (_scaled(2), {}, "follows metrics that nobody collects; write `monitoring: true` below `platform`"),
        (
            _scaled(2, replicas=2),
            {"monitoring": True},
            "is 2, and `replicas` is 2; write 3 or more, or lower `replicas`",
        ),
        (
            _scaled(2),
            {"monitoring": True, "kserve": "odh-0.15"},
            'KServe odh-0.15 sets replicas back at every change; leave it out, or write `kserve: "0.17"` or later',
        ),
        (
            _scaled(3),
            {"monitoring": True},
            (
                "is 2, and the deployments on tpu need 3 nodes; "
                "raise it to 3, or lower `deployments[0].autoscaling.maxReplicas`"
            ),
        ),
        (
            _scaled(
                2,
                pattern="mixture-of-experts",
                model="Qwen/Qwen3-30B-A3B",
                nodePool="slice",
                nodesPerReplica=2,
                stack="llm-d",
            ),
            {"monitoring": True},
            "slice is one slice of 2 hosts, and holds one replica; leave it out",
        ),
    ],
)
def test_autoscaling_that_cannot_work_is_refused(deployment: Json, platform: Json, told: str) -> None:
    """What an autoscaler lacks is said with what to write instead."""
    assert told in _refused([deployment], platform)
