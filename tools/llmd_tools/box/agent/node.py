"""What all pods of the agent share."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmd_tools.box.agent.api import Api
from llmd_tools.box.agent.hosts import hosts
from llmd_tools.box.agent.root import Mount
from llmd_tools.box.agent.sandbox import hosts_file

API_ADDRESS = "10.96.0.1"
"""Of the Service `kubernetes`: the first one of the range."""

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NO_RESOLVER = (
    "# Names of Services are in /etc/hosts; there is no name server.\noptions attempts:1 timeout:1\n"
)


@dataclass(frozen=True)
class NodeContext:
    """The agent, as a pod sees it.

    Attributes:
        api: The API server.
        folder: Where the agent keeps its files.
    """

    api: Api
    folder: Path

    @property
    def pods(self) -> Path:
        """Where the folders of pods are."""
        return self.folder / "pods"

    def allocatable(self, node: str) -> Mapping[str, str]:
        """What a node has for pods."""
        return self.api.nodes.objects.get(("", node), {}).get("status", {}).get("allocatable", {})

    def hosts(self, pod: Mapping[str, Any]) -> str:
        """The text of a pod's `/etc/hosts`."""
        return hosts(pod, self.api.services.objects.values(), self.api.slices.objects.values())

    def environment(self, pod: Mapping[str, Any]) -> dict[str, str]:
        """What every container of a pod has in its environment."""
        return {
            "PATH": _PATH,
            "HOME": "/tmp",  # noqa: S108 - the container's own
            "HOSTNAME": pod["metadata"]["name"],
            "KUBERNETES_SERVICE_HOST": API_ADDRESS,
            "KUBERNETES_SERVICE_PORT": "443",
            "KUBERNETES_SERVICE_PORT_HTTPS": "443",
        }

    def files(self, folder: Path) -> tuple[Mount, ...]:
        """Single files that every container of a pod has.

        Args:
            folder: The pod's.
        """
        resolver = self.folder / "resolv.conf"
        if not resolver.exists():
            resolver.write_text(_NO_RESOLVER)
        return (
            Mount(str(hosts_file(folder)), "/etc/hosts"),
            Mount(str(resolver), "/etc/resolv.conf", read_only=True),
        )
