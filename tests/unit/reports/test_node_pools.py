"""The command that makes a node pool says what the environment file says."""

import pytest

from llmd_constructs.config.cluster import Cluster
from llmd_constructs.reports.node_pools import creation


@pytest.mark.parametrize(
    ("pool", "said"),
    [
        (
            {"machineType": "e2-standard-4", "minNodes": 1, "maxNodes": 3},
            "--num-nodes 1 --enable-autoscaling --min-nodes 1 --max-nodes 3",
        ),
        (
            {"machineType": "ct6e-standard-4t", "maxNodes": 4, "spot": True},
            "--min-nodes 0 --max-nodes 4 --spot",
        ),
        (
            {"machineType": "ct6e-standard-4t", "topology": "4x4", "maxNodes": 4},
            "--max-nodes 4 --tpu-topology 4x4",
        ),
        (
            {"machineType": "g2-standard-24", "maxNodes": 2},
            "--accelerator type=nvidia-l4,count=2,gpu-driver-version=default",
        ),
        (
            {
                "machineType": "n1-standard-4",
                "accelerator": {"type": "nvidia-t4", "count": 1},
                "maxNodes": 1,
                "bootDiskGb": 200,
            },
            "--max-nodes 1 --accelerator type=nvidia-tesla-t4,count=1,gpu-driver-version=default",
        ),
    ],
)
def test_a_node_pool_is_made_as_it_is_described(pool: dict[str, object], said: str) -> None:
    """No nodes beyond the fewest, the accelerator by GKE's own name, and a topology only where hosts form a slice."""
    cluster = Cluster.model_validate(
        {
            "name": "sample",
            "project": "sample-project",
            "location": "europe-west4-a",
            "kubernetes": "1.34",
            "nodePools": [{"name": "pool", **pool}],
        }
    )
    command = creation(cluster, cluster.node_pools[0])
    assert command.startswith(
        "gcloud container node-pools create pool --cluster sample --project sample-project --location europe-west4-a "
    )
    assert command.endswith(said)
