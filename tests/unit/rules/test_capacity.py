"""Updates and the nodes that they need: what Kubernetes does by default, and what is written instead."""

import json
from typing import Any

import pytest
from tests.unit.rules.conftest import Workshop

Json = dict[str, Any]

ROLLOUTS = {"ACC-11", "ACC-14"}


def _found(workshop: Workshop, content: Json) -> set[str]:
    findings = workshop.check("capacity", json.dumps(content))
    return {finding.rule.id for finding in findings}


def _deployment(replicas: int, nodes: int, strategy: Json | None) -> Json:
    """A rendered Deployment with another strategy; `None` for what Kubernetes does by default."""
    spec = {"replicas": replicas, "strategy": strategy}
    return {
        "extends": "../bases/gke-llmd.yaml",
        "cluster": {"nodePools": [{"name": "t4", "maxNodes": nodes}]},
        "extras": _patched("gemma", "Deployment", "ms-gemma-llm-d-modelservice-decode", spec),
    }


@pytest.mark.parametrize(
    ("replicas", "nodes", "strategy", "hangs"),
    [
        pytest.param(3, 3, None, True, id="a quarter of three, rounded down, is none to take away"),
        pytest.param(4, 4, None, False, id="a quarter of four is one to take away"),
        pytest.param(3, 4, None, False, id="a node to spare"),
        pytest.param(3, 3, {"type": "Recreate", "rollingUpdate": None}, False, id="all at once"),
        pytest.param(
            3, 3, {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}}, False, id="one goes, one comes"
        ),
        pytest.param(
            3,
            3,
            {"rollingUpdate": {"maxSurge": "0%", "maxUnavailable": "10%"}},
            False,
            id="both come to nothing",
        ),
        pytest.param(
            3,
            3,
            {"rollingUpdate": {"maxSurge": "1%", "maxUnavailable": 0}},
            True,
            id="one per cent is one pod",
        ),
    ],
)
def test_an_update_of_a_deployment_needs_a_node_or_a_pod_that_goes_first(
    workshop: Workshop, replicas: int, nodes: int, strategy: Json | None, hangs: bool
) -> None:
    """An update goes on where a node is free, or where it may stop an old pod before the new one runs."""
    assert ("ACC-11" in _found(workshop, _deployment(replicas, nodes, strategy))) is hangs


def _cached(replicas: int, nodes: int) -> Json:
    model = {"model": "Qwen/Qwen2.5-3B-Instruct", "nodePool": "tpu", "engine": {"maxModelLen": 2048}}
    cached = {"name": "cached", "pattern": "prefix-cache", "stack": "kserve", "namespace": "models"}
    return {
        "extends": "../bases/gke-kserve.yaml",
        "cluster": {"nodePools": [{"name": "tpu", "maxNodes": nodes}]},
        "deployments": [{**cached, **model, "replicas": replicas}],
    }


@pytest.mark.parametrize(
    ("replicas", "nodes", "hangs"),
    [
        pytest.param(2, 3, True, id="another model has the third node"),
        pytest.param(2, 4, False, id="one node to spare"),
        pytest.param(4, 5, True, id="four replicas give way, the single one beside them does not"),
    ],
)
def test_kserve_adds_a_replica_before_it_stops_one(
    workshop: Workshop, replicas: int, nodes: int, hangs: bool
) -> None:
    """What other models take of the pool counts; from four replicas on, one is stopped first."""
    assert ("ACC-14" in _found(workshop, _cached(replicas, nodes))) is hangs


def test_an_update_that_waits_is_told_where_the_most_replicas_stand(workshop: Workshop) -> None:
    """Where an autoscaler decides, the service names no number that could be wrong."""
    content = _cached(2, 4)
    content["platform"] = {"kserve": "0.20", "monitoring": True}
    content["deployments"][0]["autoscaling"] = {"maxReplicas": 3}
    found = workshop.check("capacity", json.dumps(content))
    said = {
        f"{each.where.object}: {each.where.field} {each.message}"
        for each in found
        if each.rule.id == "ACC-14"
    }
    place = "HorizontalPodAutoscaler models/cached-kserve: spec.maxReplicas"
    assert any(each.startswith(f"{place} is 3, and no node of tpu is left") for each in said)


@pytest.mark.parametrize(("least", "blocks"), [(1, False), (2, True)])
def test_a_disruption_budget_counts_the_fewest_that_an_autoscaler_keeps(
    workshop: Workshop, least: int, blocks: bool
) -> None:
    """A manifest without a number does not mean one replica."""
    content = _cached(2, 4)
    content["platform"] = {"kserve": "0.20", "monitoring": True}
    content["deployments"][0]["autoscaling"] = {"maxReplicas": 3}
    spec = {"minAvailable": least, "maxUnavailable": None}
    content["extras"] = _patched("cached", "PodDisruptionBudget", "cached", spec)
    assert ("POD-06" in _found(workshop, content)) is blocks


def test_kserve_stops_one_of_four_replicas_first(workshop: Workshop) -> None:
    """A quarter of four replicas is one, which makes room for its successor."""
    content = _cached(4, 4)
    content["deployments"].insert(0, {"name": "qwen", "enabled": False})
    assert not _found(workshop, content) & ROLLOUTS


def test_groups_that_kserve_makes_need_no_spare_nodes(workshop: Workshop) -> None:
    """A LeaderWorkerSet's own defaults stop a group before the next one starts."""
    content = _experts("kserve", 2)
    content["platform"] = {"kserve": "0.20"}
    found = _found(workshop, content)
    assert not found & ROLLOUTS
    assert "ACC-15" in found


def _experts(stack: str, nodes: int) -> Json:
    return {
        "extends": "../bases/gke-disagg.yaml",
        "cluster": {"nodePools": [{"name": "h200", "machineType": "a3-ultragpu-8g", "maxNodes": nodes}]},
        "deployments": [
            {
                "name": "deepseek",
                "pattern": "mixture-of-experts",
                "stack": stack,
                "namespace": "models",
                "route": "path",
                "model": "deepseek-ai/DeepSeek-R1",
                "nodePool": "h200",
                "nodesPerReplica": 2,
                "engine": {"maxModelLen": 32768},
            }
        ],
    }


NETWORKS = pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"metadata": {"annotations": {"networking.gke.io/interfaces": "[]"}}}, id="interfaces"),
        pytest.param({"spec": {"resourceClaims": [{"name": "rdma"}]}}, id="resource claim"),
    ],
)


@NETWORKS
def test_pods_that_ask_for_the_networks_of_gpus_have_them(workshop: Workshop, asked: Json) -> None:
    """A patch of one's own that attaches leader and workers is enough."""
    content = _experts("llm-d", 2)
    group = {"leaderWorkerTemplate": {"leaderTemplate": asked, "workerTemplate": asked}}
    content["extras"] = _patched(
        "deepseek", "LeaderWorkerSet", "ms-deepseek-llm-d-modelservice-decode", group
    )
    assert "ACC-15" not in _found(workshop, content)


@NETWORKS
def test_decode_takes_the_kv_cache_over_a_network_that_it_asks_for(workshop: Workshop, asked: Json) -> None:
    """A patch that attaches decode is enough: it is who waits."""
    content: Json = {
        "extends": "../bases/gke-disagg.yaml",
        "cluster": {"nodePools": [{"name": "h100", "machineType": "a3-ultragpu-8g"}]},
    }
    assert "ACC-16" in _found(workshop, content)
    template = {"template": asked}
    content["extras"] = _patched("qwen", "Deployment", "ms-qwen-llm-d-modelservice-decode", template)
    assert "ACC-16" not in _found(workshop, content)


def test_decode_on_a_machine_without_a_network_for_gpus_is_told_of_others(workshop: Workshop) -> None:
    """What a machine does not have cannot be asked for."""
    content: Json = {"extends": "../bases/gke-disagg.yaml"}
    found = workshop.check("capacity", json.dumps(content))
    assert [finding.instead for finding in found if finding.rule.id == "ACC-16"] == [
        "choose a3-highgpu-8g or a3-ultragpu-8g, or serve from replicas that do both"
    ]


@pytest.mark.parametrize("config", ["[]", "{", '{"kv_connector":"LMCacheConnectorV1"}'])
def test_other_ways_of_handing_over_the_kv_cache_are_nobodys_concern(workshop: Workshop, config: str) -> None:
    """Only NIXL's way is known; what is no JSON object is for vLLM to refuse."""
    content: Json = {"extends": "../bases/gke-disagg.yaml"}
    line = ["vllm", "serve", "Qwen/Qwen2.5-3B-Instruct", f"--kv-transfer-config={config}"]
    engine = {"name": "vllm", "command": line}
    template = {"template": {"spec": {"containers": [engine]}}}
    content["extras"] = _patched("qwen", "Deployment", "ms-qwen-llm-d-modelservice-decode", template)
    assert "ACC-16" not in _found(workshop, content)


def _patched(application: str, kind: str, name: str, spec: Json) -> list[Json]:
    patch = {"target": {"kind": kind, "name": name}, "patch": {"spec": spec}}
    return [{"application": application, "patches": [patch]}]
