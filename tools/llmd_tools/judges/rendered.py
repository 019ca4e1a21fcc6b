"""What the judges judge: the committed files of every environment, and one environment on other KServe releases."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

from llmd_constructs.catalogue import ids
from llmd_constructs.config.load import LoadedEnvironment, load_environments
from llmd_constructs.plan import EnvironmentPlan
from llmd_tools.judges.crd_sets import kserve_set, kserve_set_of

ROOT = Path(__file__).parents[3]
"""The repository."""

Manifest = dict[str, Any]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_ON_OTHER_RELEASES = "kserve-istio-gpu"
"""The environment that is also rendered for releases without one: groups of pods, prefill apart, several models."""
_LAST = ("serving.kserve.io", "apps", "leaderworkerset.x-k8s.io")
"""Groups whose objects need others at once: accounts, configuration, gateways."""


@dataclass(frozen=True)
class Rendered:
    """One environment: its plan, and the files that are committed for it.

    Attributes:
        plan: What is synthesized.
        texts: Its files, where none are committed.
    """

    plan: EnvironmentPlan
    texts: Mapping[Path, str] | None = None

    @property
    def name(self) -> str:
        """The environment's name."""
        return self.plan.name

    @property
    def folders(self) -> tuple[Path, Path]:
        """`dist/<environment>` and `argocd/<environment>`."""
        return ROOT / "dist" / self.name, ROOT / "argocd" / self.name

    @cached_property
    def objects(self) -> Mapping[Path, Manifest]:
        """Every object by its file: namespaces first, workloads last."""
        texts = self.texts
        if texts is None:
            files = [file for folder in self.folders for file in folder.rglob("*.yaml")]
            texts = {file: file.read_text() for file in files}
        objects = {file: yaml.load(text, _LOADER) for file, text in texts.items()}  # noqa: S506  # a safe loader, in C
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
    from llmd_constructs.synthesis import synthesize  # noqa: PLC0415 - starts node

    return {plan.name: Rendered(plan) for plan in synthesize(load_environments(ROOT)).environments}


@cache
def other_releases() -> Mapping[str, Rendered]:
    """An environment as it would be on each KServe release that can be built and that no environment has."""
    taken = {kserve_set(each.plan) for each in environments().values()}
    [base] = [each for each in load_environments(ROOT) if each.name == _ON_OTHER_RELEASES]
    found = [
        _rendered(_on(base, release))
        for release in ids("kserve_release")
        if kserve_set_of(release) == f"kserve-{release}" and kserve_set_of(release) not in taken
    ]
    return {each.name: each for each in found}


def _on(item: LoadedEnvironment, release: str) -> LoadedEnvironment:
    environment = item.environment
    platform = environment.platform.model_copy(update={"kserve": release})
    return replace(
        item,
        name=f"{item.name}-on-{release}",
        environment=environment.model_copy(update={"platform": platform}),
    )


def _rendered(item: LoadedEnvironment) -> Rendered:
    from llmd_constructs.synthesis import render, synthesize  # noqa: PLC0415 - as above

    plan = synthesize([item])
    [environment] = plan.environments
    own = {
        ROOT / path: text for path, text in render(plan).items() if not path.startswith("argocd/settings/")
    }
    return Rendered(environment, own)
