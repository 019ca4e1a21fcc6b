"""A cluster as several environments have it: their CRDs, and KServe's controller of one release."""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from llmd_constructs.catalogue import kserve_release
from llmd_tools.cluster import ControlPlane
from llmd_tools.crds import crd_folders
from llmd_tools.judges import kserve
from llmd_tools.judges.crd_sets import crd_sets, kserve_set
from llmd_tools.judges.rendered import Rendered

LLM_D = "llm-d"
"""The stack of environments without KServe."""

_KIND = re.compile(r"^    kind: (\S+)$", re.MULTILINE)
_LARGE = frozenset({"external-secrets", "cert-manager", "argocd"})
"""Sets of which only the kinds that are rendered are installed: a control plane takes its time over a large CRD."""


def stack_of(environment: Rendered) -> str:
    """The stack that judges an environment: its KServe set, or `llm-d`."""
    return kserve_set(environment.plan) or LLM_D


class Stack:
    """A running cluster for the environments of one stack, one after the other.

    Attributes:
        cluster: The control plane.
        clear: Takes away what the last environment has left; nothing has to after the very last.
    """

    cluster: ControlPlane
    clear: Callable[[], None]

    def __init__(self, name: str, environments: Iterable[Rendered]) -> None:
        """Describe it; entering it starts it.

        Args:
            name: A KServe set, or `llm-d`.
            environments: Those whose CRDs it has to have.
        """
        self.name = name
        self.clear = lambda: None
        self._environments = tuple(environments)

    def __enter__(self) -> Self:
        self.cluster = ControlPlane().__enter__()
        try:
            self._start()
        except BaseException as error:
            self.cluster.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cluster.__exit__(kind, error, trace)

    @property
    def has_kserve(self) -> bool:
        """Whether KServe's controller runs here."""
        return self.name != LLM_D

    def _start(self) -> None:
        self.cluster.install_crds(crd_files_of(self._environments))
        if self.has_kserve:
            kserve.start(self.cluster, self.name, default_gateway(self._environments))


def default_gateway(environments: Iterable[Rendered]) -> str | None:
    """The Gateway that the KServe release rendered for has in its own settings."""
    releases = {each.plan.environment.platform.kserve for each in environments}
    found = {kserve_release(name).default_gateway for name in releases if name}
    return next(filter(None, found), None)


def crd_files_of(environments: Sequence[Rendered]) -> list[Path]:
    """The CRDs that these environments need, less those of large sets that they do not use."""
    of_each = [
        (each.plan, {manifest["apiVersion"] for manifest in each.objects.values()}) for each in environments
    ]
    kinds = {manifest["kind"] for each in environments for manifest in each.objects.values()}
    sets = {name for plan, api_versions in of_each for name in crd_sets(plan, api_versions)}
    return [
        file
        for name, folder in crd_folders(*sorted(sets)).items()
        for file in sorted(folder.iterdir())
        if name not in _LARGE or kinds.intersection(_KIND.findall(file.read_text()))
    ]
