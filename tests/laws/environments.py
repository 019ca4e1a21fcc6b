"""Hypothesis strategies that draw environment files, valid but for what the refusals and rules find."""

from typing import Any

from hypothesis import strategies as st

from llmd_constructs import catalogue

Json = dict[str, Any]

MOST_HOSTS = 4
"""Larger slices are the same again, with more nodes."""
POOLS: tuple[Json, ...] = (
    *(
        {"machineType": machine.name, "topology": shape.topology}
        for machine in map(catalogue.machine_type, catalogue.ids("machine_type"))
        for shape in machine.topologies
        if shape.hosts <= MOST_HOSTS
    ),
    *(
        {"machineType": machine.name}
        for machine in map(catalogue.machine_type, catalogue.ids("machine_type"))
        if machine.accelerator and not machine.topologies
    ),
    {"machineType": "n1-standard-8", "accelerator": {"type": "nvidia-t4", "count": 1}},
)
"""Every accelerator of the catalogue, on every machine type that has it."""
MODELS = catalogue.ids("model")
names = st.from_regex(r"[a-z][a-z0-9]{1,8}(-[a-z0-9]{1,8})?", fullmatch=True)
namespaces = st.sampled_from(["models", "research", "production"])


schedulers = st.fixed_dictionaries(
    {},
    optional={"replicas": st.just(2), "failureMode": st.sampled_from(["FailOpen", "FailOpen", "FailClose"])},
)


def adapters(name: str) -> st.SearchStrategy[list[Json]]:
    """None or one LoRA adapter."""
    return st.sampled_from([[], [{"name": f"{name}-tuned", "uri": "hf://example/tuned"}]])


@st.composite
def node_pools(draw: st.DrawFn) -> list[Json]:
    """A CPU pool, and up to three with accelerators."""
    pools: list[Json] = [
        {"name": "default-pool", "machineType": "e2-standard-8", "minNodes": 2, "maxNodes": 6}
    ]
    for index in range(draw(st.integers(1, 3))):
        sizes = {"name": f"pool-{index}", "maxNodes": draw(st.integers(4, 16)), "bootDiskGb": 2000}
        pools.append({**sizes, **draw(st.sampled_from(POOLS))})
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
        "enabled": draw(st.booleans()) or draw(st.booleans()),
        "scheduler": draw(schedulers),
    }
    if pattern == "multi-model":
        deployment["routing"] = draw(st.sampled_from(["path", "body"]))
        deployment["models"] = [
            {
                "name": f"{name}-{part}",
                "model": draw(st.sampled_from(MODELS)),
                "nodePool": draw(pool),
                "replicas": count,
                "adapters": draw(adapters(f"{name}-{part}")),
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
        "kserve": draw(st.sampled_from(catalogue.ids("kserve_release"))),
        "picker": draw(st.sampled_from(catalogue.ids("picker_release"))),
        "secrets": {
            "provider": draw(st.sampled_from(["external-secrets", "manual"])),
            "imagePullSecret": {"name": "pull-secret"},
        },
        "networkPolicies": draw(st.booleans()),
    }
    if draw(st.booleans()):
        platform["gateway"] |= {"hostname": "models.example.com", "tls": {"issuer": "letsencrypt"}}
    if provider == "istio":
        platform["istio"] = draw(st.sampled_from(catalogue.ids("istio_release")))
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
