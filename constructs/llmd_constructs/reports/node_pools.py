"""The commands that make what an environment file describes, and nothing here makes."""

from llmd_constructs import catalogue
from llmd_constructs.config.cluster import Cluster, NodePool
from llmd_constructs.serving.placement import place

TPUS = "https://docs.cloud.google.com/kubernetes-engine/docs/how-to/tpus"
GPUS = "https://docs.cloud.google.com/kubernetes-engine/docs/how-to/gpus"


def creation(cluster: Cluster, pool: NodePool) -> str:
    """The gcloud command that makes a node pool as it is described (sources: `TPUS`, `GPUS`).

    Networks for GPUs, reservations and the zones of a regional cluster are the project's own, and not part of it.
    """
    words = [
        f"gcloud container node-pools create {pool.name} --cluster {cluster.name}",
        f"--project {cluster.project} --location {cluster.location}",
        f"--machine-type {pool.machine_type} --disk-size {pool.boot_disk_gb}",
        # Three, unless something is said.
        f"--num-nodes {pool.min_nodes}",
        f"--enable-autoscaling --min-nodes {pool.min_nodes} --max-nodes {pool.max_nodes}",
        *(["--spot"] if pool.spot else []),
        *_accelerator(pool),
    ]
    return " ".join(words)


def _accelerator(pool: NodePool) -> list[str]:
    if not (pool.accelerator or catalogue.machine_type(pool.machine_type).accelerator):
        return []
    placement = place(pool)
    if placement.is_tpu:
        return [f"--tpu-topology {placement.topology}"] if placement.hosts > 1 else []
    kind, count = placement.accelerator.node_label_value, placement.chips_per_node
    return [f"--accelerator type={kind},count={count},gpu-driver-version=default"]
