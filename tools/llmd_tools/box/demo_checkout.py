"""The checkout as Argo CD's repository: what is rendered for one environment, read from this disk."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from llmd_tools.argocd import BRANCH, Repository
from llmd_tools.argocd.stand_ins import brought, stand_in
from llmd_tools.judges.rendered import ROOT, Rendered

_NOTHING = "nothing"
"""A folder without manifests."""


@dataclass
class Checkout:
    """The rendered files of an environment, as the box's Argo CD reads them.

    They are the files of the checkout, with two differences: Applications name the local repository in place of the
    remote one, where those of other people's CRDs find a copy, and those of other people's software, which does not run
    here, find nothing.

    Attributes:
        environment: The environment.
        repository: What Argo CD reads.
        left_out: Other people's software: chart or repository, and version.
    """

    environment: Rendered
    repository: Repository
    left_out: set[str] = field(default_factory=set[str])
    _committed: dict[str, str] = field(default_factory=dict[str, str])

    def changes(self) -> dict[str, str | None]:
        """What is different on disk from what was committed last: text by path, None for a file that is gone."""
        now = self._read()
        before, self._committed = self._committed, now
        gone = dict.fromkeys(before.keys() - now.keys())
        return {**gone, **{path: text for path, text in now.items() if before.get(path) != text}}

    def applications(self) -> set[str]:
        """The names of the Applications that were committed last."""
        return {each["metadata"]["name"] for each in self._of_argocd() if each["kind"] == "Application"}

    def crds(self) -> list[dict[str, Any]]:
        """The CRDs of other people's that were committed last."""
        applications = [each for each in self._of_argocd() if each["kind"] == "Application"]
        objects = [each for application in applications for each in brought(application, self.repository)]
        return [each for each in objects if each["kind"] == "CustomResourceDefinition"]

    def by_hand(self) -> list[dict[str, Any]]:
        """What a user applies once: the project and the root Application."""
        return [each for path, each in self._manifests().items() if "/applications/" not in path]

    def _of_argocd(self) -> list[dict[str, Any]]:
        return list(self._manifests().values())

    def _manifests(self) -> Mapping[str, dict[str, Any]]:
        return {
            path: yaml.safe_load(text) for path, text in self._committed.items() if path.startswith("argocd/")
        }

    def _read(self) -> dict[str, str]:
        files = sorted(file for folder in self.environment.folders for file in folder.rglob("*.yaml"))
        read = {str(file.relative_to(ROOT)): file.read_text() for file in files}
        local = {
            path: self._local(text) if path.startswith("argocd/") else text for path, text in read.items()
        }
        return {
            **local,
            f"{_NOTHING}/README": "Applications of software that does not run here bring this folder.\n",
        }

    def _local(self, text: str) -> str:
        """A file for Argo CD with sources that are on this machine."""
        remote = self.environment.plan.environment.gitops.repository
        manifest = yaml.safe_load(text.replace(remote.url, self.repository.url))
        if manifest["kind"] != "Application":
            return yaml.safe_dump(manifest)
        source = manifest["spec"]["source"]
        if source["repoURL"] == self.repository.url:
            source["targetRevision"] = BRANCH
        elif "directory" in source:
            manifest, _ = stand_in(manifest, self.repository)
        else:
            self.left_out.add(f"{source.get('chart') or source['repoURL']} {source['targetRevision']}")
            nothing = {"repoURL": self.repository.url, "targetRevision": BRANCH, "path": _NOTHING}
            manifest["spec"]["source"] = nothing
        return yaml.safe_dump(manifest)
