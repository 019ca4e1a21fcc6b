"""How to go on: a kubectl and an argocd that work, and what to try with them."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from llmd_tools.box.demo_chats import Chat
from llmd_tools.build import tool


def write_scripts(folder: Path, kubeconfig: Path, argocd: str) -> Path:
    """Write `kubectl` and `argocd` that speak with the cluster in the box.

    Args:
        folder: Where a folder `bin` is made.
        kubeconfig: An administrator's.
        argocd: Host and port of Argo CD's server.

    Returns:
        The folder, for the PATH.
    """
    bin_ = folder / "bin"
    bin_.mkdir()
    commands = {
        "kubectl": [str(tool("kubectl")), f"--kubeconfig={kubeconfig}"],
        "argocd": [str(tool("argocd")), "--plaintext", f"--server={argocd}"],
    }
    for name, command in commands.items():
        script = bin_ / name
        script.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
        script.chmod(0o755)
    return bin_


def hints(bin_: Path, gateway: str, argocd: str, chats: list[Chat], pickers: Mapping[str, str]) -> list[str]:
    """Lines that say how to go on.

    Args:
        bin_: The folder with the scripts.
        gateway: URL of the gateway.
        argocd: URL of Argo CD's server.
        chats: The models.
        pickers: URL of the metrics of each endpoint picker, by namespace and name.
    """
    return [
        f"Argo CD:  {argocd}  (no password)",
        f"Gateway:  {gateway}",
        "",
        "To go on, in another shell:",
        f"export PATH={bin_}:$PATH",
        "kubectl get pods -A",
        "argocd app list",
        *(_request(gateway, chat) for chat in chats),
        *(
            f"curl -s {url}/metrics | grep '^llm_d_epp.*endpoint'  # what the picker {name} sees"
            for name, url in pickers.items()
        ),
    ]


def _request(gateway: str, chat: Chat) -> str:
    body = f'{{"model": "{chat.model}", "messages": [{{"role": "user", "content": "hello"}}]}}'
    return f"curl -s {gateway}{chat.path}/v1/chat/completions -H 'content-type: application/json' -d '{body}'"
