"""Hypothesis strategies that draw environment files, valid but for what the refusals and rules find."""

from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]

TPU_POOLS = (
    ("ct6e-standard-1t", "1x1"),
    ("ct6e-standard-4t", "2x2"),
    ("ct6e-standard-8t", "2x4"),
    ("ct6e-standard-4t", "2x4"),
)
GPU_POOLS = ("g2-standard-12", "a2-highgpu-1g", "a3-highgpu-1g", "a3-ultragpu-8g")
MODELS = (
    "Qwen/Qwen2.5-3B-Instruct",
    "Qwen/Qwen3-8B",
    "Qwen/Qwen3-32B",
    "Qwen/Qwen3-30B-A3B",
    "meta-llama/Llama-3.1-8B-Instruct",
    "openai/gpt-oss-20b",
)
names = st.from_regex(r"[a-z][a-z0-9]{1,8}(-[a-z0-9]{1,8})?", fullmatch=True)
namespaces = st.sampled_from(["models", "research", "production"])


@st.composite
def node_pools(draw: st.DrawFn) -> list[Json]:
    """A CPU pool, and up to three with accelerators."""
    pools: list[Json] = [
        {"name": "default-pool", "machineType": "e2-standard-8", "minNodes": 2, "maxNodes": 6}
    ]
    for index in range(draw(st.integers(1, 3))):
        pool: Json = {"name": f"pool-{index}", "maxNodes": draw(st.integers(2, 12)), "bootDiskGb": 500}
        if draw(st.booleans()):
            pool["machineType"], pool["topology"] = draw(st.sampled_from(TPU_POOLS))
        else:
            pool["machineType"] = draw(st.sampled_from(GPU_POOLS))
        pools.append(pool)
    return pools


@st.composite
def deployments(draw: st.DrawFn, pools: list[str], name: str) -> Json:
    """One deployment of any pattern."""
    pattern = draw(
        st.sampled_from(
            ["single-replica", "multi-model", "prefix-cache", "mixture-of-experts", "prefill-decode"]
        )
    )
    pool = st.sampled_from(pools)
    deployment: Json = {
        "name": name,
        "pattern": pattern,
        "stack": draw(st.sampled_from(["kserve", "llm-d"])),
        "namespace": draw(namespaces),
        "enabled": True,
    }
    if pattern == "multi-model":
        deployment["routing"] = draw(st.sampled_from(["path", "body"]))
        deployment["models"] = [
            {
                "name": f"{name}-{part}",
                "model": draw(st.sampled_from(MODELS)),
                "nodePool": draw(pool),
                "replicas": count,
            }
            for part, count in (("a", draw(st.integers(1, 3))), ("b", 1))
        ]
        return deployment
    deployment |= {"model": draw(st.sampled_from(MODELS)), "nodePool": draw(pool), "route": "path"}
    deployment["engine"] = draw(
        st.fixed_dictionaries({}, optional={"maxModelLen": st.sampled_from([2048, 8192])})
    )
    if pattern == "prefix-cache":
        deployment |= {
            "replicas": draw(st.integers(2, 4)),
            "routing": draw(st.sampled_from(["approximate", "precise"])),
        }
    if pattern == "mixture-of-experts":
        deployment["nodesPerReplica"] = draw(st.sampled_from([1, 2]))
    if pattern == "prefill-decode":
        deployment |= {"prefill": {"replicas": draw(st.integers(1, 2))}, "decode": {"nodePool": draw(pool)}}
    return deployment


@st.composite
def environments(draw: st.DrawFn) -> Json:
    """A whole environment file."""
    pools = draw(node_pools())
    provider = draw(st.sampled_from(["gke", "istio"]))
    platform: Json = {
        "gateway": {
            "provider": provider,
            "namespace": draw(st.sampled_from(["opendatahub", "inference-gateway"])),
        },
        "kserve": draw(st.sampled_from(["odh-0.15", "0.17", "0.18", "0.19", "0.20"])),
        "secrets": {
            "provider": draw(st.sampled_from(["external-secrets", "manual"])),
            "imagePullSecret": {"name": "pull-secret"},
        },
        "networkPolicies": draw(st.booleans()),
    }
    if provider == "istio":
        platform["istio"] = draw(st.sampled_from(["1.26", "1.27", "1.28", "1.29"]))
    drawn = draw(st.lists(names, min_size=1, max_size=3, unique=True))
    accelerated = [pool["name"] for pool in pools[1:]]
    return {
        "cluster": {
            "name": draw(names),
            "project": "some-project",
            "location": draw(st.sampled_from(["europe-west4-a", "us-east5-a"])),
            "kubernetes": draw(st.sampled_from(["1.34", "1.33.5-gke.2019000", "1.35.2-gke.1842000"])),
            "network": {"proxyOnlySubnet": "10.129.0.0/23"},
            "nodePools": pools,
        },
        "gitops": {"repository": {"url": "https://github.com/example/any.git"}},
        "platform": platform,
        "deployments": [draw(deployments(accelerated, name)) for name in drawn],
    }
