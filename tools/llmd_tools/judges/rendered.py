"""The committed files of every environment: what the judges judge."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

from llmd_constructs.config.load import load_environments
from llmd_constructs.plan import EnvironmentPlan
from llmd_constructs.synthesis import synthesize

ROOT = Path(__file__).parents[3]
"""The repository."""

Manifest = dict[str, Any]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LAST = ("serving.kserve.io", "apps", "leaderworkerset.x-k8s.io")
"""Groups whose objects need others at once: accounts, configuration, gateways."""


@dataclass(frozen=True)
class Rendered:
    """One environment: its plan, and the files that are committed for it."""

    plan: EnvironmentPlan
    root: Path = ROOT

    @property
    def name(self) -> str:
        """The environment's name."""
        return self.plan.name

    @property
    def folders(self) -> tuple[Path, Path]:
        """`dist/<environment>` and `argocd/<environment>`."""
        return self.root / "dist" / self.name, self.root / "argocd" / self.name

    @cached_property
    def objects(self) -> Mapping[Path, Manifest]:
        """Every object by its file: namespaces first, workloads last."""
        files = [file for folder in self.folders for file in folder.rglob("*.yaml")]
        objects = {file: yaml.load(file.read_text(), _LOADER) for file in files}  # noqa: S506  # a safe loader, in C
        return dict(sorted(objects.items(), key=lambda item: (_rank(item[1]), item[0])))

    def of_kind(self, kind: str) -> list[Manifest]:
        """The objects of one kind."""
        return [each for each in self.objects.values() if each["kind"] == kind]


def _rank(manifest: Manifest) -> int:
    if manifest["kind"] == "Namespace":
        return 0
    group = manifest["apiVersion"].partition("/")[0]
    return 1 + (_LAST.index(group) + 1 if group in _LAST else 0)


@cache
def environments() -> Mapping[str, Rendered]:
    """All environments by name."""
    return {plan.name: Rendered(plan) for plan in synthesize(load_environments(ROOT)).environments}
