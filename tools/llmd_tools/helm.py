"""The two majors of Helm that people use, run apart from whatever the user has set up for their own."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from llmd_tools.build import tool
from llmd_tools.errors import ToolError

PROGRAMS: Mapping[int, str] = {3: "helm3", 4: "helm"}
"""The program of each major."""
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SECONDS = 300
_SOURCE = "# Source: "


@dataclass(frozen=True)
class Helm:
    """One major of Helm.

    Attributes:
        major: 3 or 4.
        home: A folder for its caches and settings.
        kubeconfig: The cluster that it speaks to, if any.
    """

    major: int
    home: Path
    kubeconfig: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict[str, str])

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """What it prints and returns, whatever that is."""
        return subprocess.run(
            [str(tool(PROGRAMS[self.major])), *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
            env=self._environment(),
        )

    def __call__(self, *arguments: str | Path) -> str:
        """What it prints.

        Raises:
            ToolError: If it fails, with its own words.
        """
        done = self.run(*arguments)
        if done.returncode:
            raise ToolError(
                f"helm {' '.join(map(str, arguments))}: {done.stderr.strip() or done.stdout.strip()}"
            )
        return done.stdout

    def _environment(self) -> dict[str, str]:
        own = {
            "HOME": str(self.home),
            "PATH": os.environ.get("PATH", os.defpath),
            "HELM_CACHE_HOME": str(self.home / "cache"),
            "HELM_CONFIG_HOME": str(self.home / "config"),
            "HELM_DATA_HOME": str(self.home / "data"),
        }
        if self.kubeconfig:
            own["KUBECONFIG"] = str(self.kubeconfig)
        return {**own, **self.env}


@dataclass(frozen=True)
class Templated:
    """An object that `helm template` prints.

    Attributes:
        template: The template that it comes from, below the chart.
        manifest: The object.
    """

    template: str
    manifest: dict[str, Any]


def templated(text: str) -> list[Templated]:
    """The objects in what `helm template` prints."""
    # The newline before the line is the last of the object's own.
    return list(filter(None, (_document(f"{each}\n") for each in f"\n{text}".split("\n---\n"))))


def _document(text: str) -> Templated | None:
    manifest = yaml.load(text, _LOADER)  # noqa: S506  # a safe loader, in C
    if manifest is None:
        return None
    source = next((line for line in text.splitlines() if line.startswith(_SOURCE)), _SOURCE)
    return Templated(source.removeprefix(_SOURCE).partition("/")[2], manifest)
