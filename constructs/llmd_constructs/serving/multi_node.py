"""One replica over several nodes: a LeaderWorkerSet.

Sources: llm-d guides (wide-ep; optimized-baseline, tpu v7 2x2x2), lws pkg/utils/accelerators/tpu.go.
"""

from collections.abc import Mapping
from copy import deepcopy
from shlex import quote

from llmd_constructs.manifest import JsonObject, compact
from llmd_constructs.serving.placement import GKE_NODE_POOL
from llmd_constructs.serving.workload import Workload

EXCLUSIVE_TOPOLOGY = "leaderworkerset.sigs.k8s.io/exclusive-topology"
DATA_PARALLEL_RPC_PORT = 5555
TPU_PROCESS_PORT = 8476
RAY_SCRIPT = "/workspace/vllm/examples/ray_serving/multi-node-serving.sh"
"""Starts Ray on leader and workers; part of vLLM's TPU image."""
WORKER_COMPONENT = "model-worker"


def leader_worker_set(
    pod: JsonObject, workload: Workload, labels: Mapping[str, str], selector: Mapping[str, str]
) -> JsonObject:
    """The group's spec: the leader answers requests, so that the pool selects leaders only.

    Args:
        pod: Pod spec of a single-node replica; its one container is given each part's command.
        workload: Replicas and nodes.
        labels: Recommended labels of the model server.
        selector: Labels by which the pool selects.
    """
    worker_labels = {**labels, "app.kubernetes.io/component": WORKER_COMPONENT}
    return compact(
        replicas=workload.fixed_replicas,
        startupPolicy="LeaderCreated",
        # A spare group of nodes is rarely there.
        rolloutStrategy={
            "type": "RollingUpdate",
            "rollingUpdateConfiguration": {"maxUnavailable": 1, "maxSurge": 0},
        },
        leaderWorkerTemplate={
            "size": workload.nodes,
            # Half a group is of no use: its collective operations hang.
            "restartPolicy": "RecreateGroupOnPodRestart",
            "leaderTemplate": {
                "metadata": {"labels": {**labels, **selector, "llm-d.ai/role": workload.role}},
                "spec": _part(pod, workload, leader=True),
            },
            "workerTemplate": {
                "metadata": {"labels": worker_labels},
                "spec": _part(pod, workload, leader=False),
            },
        },
    )


def group_annotations(workload: Workload) -> dict[str, str]:
    """One group per node pool, where the pool is one TPU slice, whose hosts only work together.

    GPUs of one pool may serve several groups.
    """
    return {EXCLUSIVE_TOPOLOGY: GKE_NODE_POOL} if workload.engine.placement.hosts > 1 else {}


def _part(pod: JsonObject, workload: Workload, *, leader: bool) -> JsonObject:
    spec = deepcopy(pod)
    container = spec["containers"][0]
    serve = _lines([" ".join(container["command"]), *(quote(argument) for argument in container["args"])])
    script = (
        _ray(serve, leader=leader)
        if workload.engine.placement.is_tpu
        else _data_parallel(serve, workload, leader=leader)
    )
    container["command"] = ["/bin/bash", "-c"]
    container["args"] = [script]
    if workload.engine.placement.is_tpu:
        container["env"] = [*_ray_environment(), *container["env"]]
    if not leader:
        for probe in ("startupProbe", "livenessProbe", "readinessProbe", "ports"):
            container.pop(probe, None)
    return spec


def _data_parallel(serve: str, workload: Workload, *, leader: bool) -> str:
    """VLLM's own data parallelism: ranks count through the group, workers serve no API."""
    engine = workload.engine
    local = engine.placement.devices_per_node // engine.tensor_parallel_size
    flags = [
        f"--data-parallel-size={local * workload.nodes}",
        f"--data-parallel-size-local={local}",
        '--data-parallel-address="${LWS_LEADER_ADDRESS}"',
        f"--data-parallel-rpc-port={DATA_PARALLEL_RPC_PORT}",
        f"--data-parallel-start-rank=$((LWS_WORKER_INDEX * {local}))",
    ]
    return f"exec {_lines([serve, *flags, *([] if leader else ['--headless'])])}\n"


def _lines(words: list[str]) -> str:
    """One shell command, a line for each flag, as a reviewer wants to read it."""
    return " \\\n  ".join(words)


def _ray(serve: str, *, leader: bool) -> str:
    """On TPUs Ray joins the hosts of a slice; the leader then splits the model over all of them."""
    if not leader:
        return f"exec bash {RAY_SCRIPT} worker --ray_address=${{LWS_LEADER_ADDRESS}}"
    port = TPU_PROCESS_PORT
    return "\n".join(
        [
            f"export TPU_PROCESS_ADDRESSES=$(echo ${{TPU_WORKER_HOSTNAMES}} | sed 's/,/:{port},/g'):{port}",
            f"bash {RAY_SCRIPT} leader --ray_cluster_size=${{LWS_GROUP_SIZE}}",
            f"exec {serve}",
            "",
        ],
    )


def _ray_environment() -> list[JsonObject]:
    values = {
        "TPU_MULTIHOST_BACKEND": "ray",
        "TPU_BACKEND_TYPE": "jax",
        "JAX_PLATFORMS": "",
        "TPU_PROCESS_PORT": str(TPU_PROCESS_PORT),
        "VLLM_ENGINE_CLIENT_STARTUP_TIMEOUT": "1800",
    }
    return [{"name": name, "value": value} for name, value in values.items()]
