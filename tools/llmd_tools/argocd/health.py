"""Argo CD's own verdict on the health of one object, without a cluster."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from llmd_tools.build import tool
from llmd_tools.errors import ToolError

_STATUS = "STATUS: "
_MESSAGE = "MESSAGE: "


@dataclass(frozen=True)
class Health:
    """What a health check says.

    Attributes:
        status: `Healthy`, `Progressing`, `Degraded`, `Suspended`, `Missing` or `Unknown`.
        message: Why; may be empty.
    """

    status: str
    message: str


def judge(manifest: Path, settings: Path) -> Health:
    """Run the health check that Argo CD has for an object: the settings' own, or the one built in.

    Args:
        manifest: File with the object and its status.
        settings: File with the ConfigMap `argocd-cm`.

    Raises:
        ToolError: If the check is not valid Lua, fails, or there is none for this kind; Argo CD itself may
            end with success all the same.
    """
    done = subprocess.run(
        [
            tool("argocd"),
            "admin",
            "settings",
            "resource-overrides",
            "health",
            manifest,
            "--argocd-cm-path",
            settings,
        ],
        env={"HOME": os.devnull, "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )
    said, _, message = done.stdout.partition(_MESSAGE)
    if not said.startswith(_STATUS) or (status := said.removeprefix(_STATUS).strip()) == "Unknown":
        raise ToolError(
            f"{manifest.name}: {done.stdout.strip() or done.stderr.strip().rpartition(chr(10))[2]}"
        )
    return Health(status, message.strip())
