"""The box: a private network, a control plane in it, and an agent that runs its pods."""

import os
import subprocess
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from llmd_tools.box.network import PrivateNetwork
from llmd_tools.cluster import ControlPlane, Node, wait_until
from llmd_tools.errors import ToolError

_SOURCES = Path(__file__).parents[2]
"""The source root with this package."""
_AGENT = "node-agent"
_SECONDS = 60


class Box:
    """A cluster on this machine, for as long as a `with` block lasts.

    The API server, its controllers and the scheduler are Kubernetes' own; pods are programs of this machine, each
    with an address of its own. Nothing outside of the machine is reached, and nothing is left behind.

    Attributes:
        cluster: The control plane. Its programs and those that a caller adds run in the private network; the port of
            each is the same on this machine's loopback.
        network: The private network.
    """

    cluster: ControlPlane
    network: PrivateNetwork

    def __init__(self, nodes: Iterable[Node]) -> None:
        """Describe it; entering it starts it.

        Args:
            nodes: What the scheduler may place pods on; only their shapes differ, all of them are this machine.
        """
        self._nodes = tuple(nodes)
        self._doors: dict[tuple[str, int], int] = {}

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            self.network = starting.enter_context(PrivateNetwork())
            self.cluster = starting.enter_context(ControlPlane(simulate_pods=False, network=self.network))
            self._start_agent()
            self.cluster.create_nodes(self._nodes)
            names = {node.name for node in self._nodes}
            wait_until(
                "the agent has all nodes",
                lambda: names <= self.cluster.ready_nodes(),
                programs=self.cluster.programs,
                seconds=_SECONDS,
            )
            self._closing = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.__exit__(kind, error, trace)

    def reach(self, host: str, port: int, *, preferably: int = 0) -> str:
        """A URL on this machine for an address inside, such as a pod's or a Service's.

        Args:
            host: The address.
            port: Its port.
            preferably: The port on this machine, if nobody has it; else any.
        """
        where = (host, port)
        if where not in self._doors:
            try:
                self._doors[where] = self.network.open(preferably, where)
            except OSError:
                self._doors[where] = self.network.open(0, where)
        return f"http://127.0.0.1:{self._doors[where]}"

    def log(self, namespace: str, pod: str, container: str) -> str:
        """What a container has printed so far, its earlier runs included; empty if it never ran."""
        files = self._files(namespace, pod, f"logs/{container}/*.log")
        return "".join(
            file.read_text(errors="replace") for file in sorted(files, key=lambda file: int(file.stem))
        )

    def crash(self, namespace: str, pod: str, container: str) -> None:
        """Kill the program of a container, as if it had crashed.

        Raises:
            ToolError: If it does not run.
        """
        files = self._files(namespace, pod, f"{container}/pid")
        if not files:
            raise ToolError(f"container {container!r} of pod {namespace}/{pod} has never run")
        kill = self.network.within(["kill", "-KILL", "--", f"-{files[-1].read_text()}"])
        if subprocess.run(kill, capture_output=True, check=False).returncode:
            raise ToolError(f"container {container!r} of pod {namespace}/{pod} does not run")

    def _files(self, namespace: str, pod: str, pattern: str) -> list[Path]:
        return list((self._folder / "pods").glob(f"{namespace}_{pod}_*/{pattern}"))

    @property
    def _folder(self) -> Path:
        return self.cluster.folder / _AGENT

    def _start_agent(self) -> None:
        server = self.cluster.server.url.rpartition(":")[2]
        self.cluster.programs.start(
            _AGENT,
            [
                *(sys.executable, "-m", "llmd_tools.box.agent"),
                f"--kubeconfig={self.cluster.kubeconfig}",
                f"--folder={self._folder}",
                f"--server-port={server}",
                f"--certificates={self.cluster.certificates}",
            ],
            {**os.environ, "PYTHONPATH": str(_SOURCES), "TMPDIR": str(self.cluster.folder)},
        )
