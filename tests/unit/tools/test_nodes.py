"""Nodes for the scheduler."""

from llmd_tools.cluster import Node


def test_node_has_what_every_node_has() -> None:
    """Hostname, architecture, operating system and room for pods need not be said."""
    manifest = Node("a").manifest()
    assert manifest["metadata"]["labels"] == {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": "a",
        "kubernetes.io/os": "linux",
    }
    assert manifest["status"]["allocatable"] == {"pods": "110"}


def test_all_of_the_capacity_can_be_allocated() -> None:
    """An accelerator that the node has is one that a pod can get."""
    status = Node("a", capacity={"google.com/tpu": "4", "pods": "10"}).manifest()["status"]
    assert status["capacity"] == status["allocatable"] == {"google.com/tpu": "4", "pods": "10"}
