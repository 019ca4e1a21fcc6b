"""A real Kubernetes control plane on loopback, unprivileged and without containers."""

from llmd_tools.cluster.api import ApiServer, Outcome, Verdict
from llmd_tools.cluster.control_plane import ControlPlane
from llmd_tools.cluster.nodes import Node
from llmd_tools.cluster.ports import Ports
from llmd_tools.cluster.process import Network, Program, Programs, wait_until

__all__ = [
    "ApiServer",
    "ControlPlane",
    "Network",
    "Node",
    "Outcome",
    "Ports",
    "Program",
    "Programs",
    "Verdict",
    "wait_until",
]
