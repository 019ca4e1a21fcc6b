"""The values of a plan. No jsii object passes this line, and whoever reads plans alone needs no node."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llmd_constructs.catalogue import Install
from llmd_constructs.config.environment import Environment
from llmd_constructs.config.errors import ValuePath
from llmd_constructs.config.source import Node, Position
from llmd_constructs.manifest import JsonObject

if TYPE_CHECKING:
    from llmd_constructs.application import IgnoredDifference


@dataclass(frozen=True)
class Own:
    """What a user wrote of an object: all of it, or a patch."""

    node: Node
    """As it was written."""
    whole: bool

    def position(self, path: ValuePath = ()) -> Position | None:
        """Where the value at `path` was written; `None` where a patch leaves that value alone."""
        node, exact = self.node.nearest(path)
        return node.position if self.whole or exact or not isinstance(node.value, dict) else None


@dataclass(frozen=True)
class ManifestFile:
    """One object and the file it is written to."""

    path: str
    """Below the repository's root, with `/`."""
    manifest: JsonObject
    own: tuple[Own, ...] = ()
    """What users wrote of the object: nothing, the object, or patches in order."""


@dataclass(frozen=True)
class RenderedSource:
    """Manifests of ours."""

    folder: str
    """Below the repository's root: `dist/<environment>/<application>`."""
    files: tuple[ManifestFile, ...]


@dataclass(frozen=True)
class UpstreamSource:
    """Third-party software at a pinned version."""

    install: Install
    patches: tuple[JsonObject, ...] = ()
    """Kustomize patches."""
    ignored: tuple["IgnoredDifference", ...] = ()
    """Fields that others write."""


@dataclass(frozen=True)
class ApplicationPlan:
    """One Argo CD application."""

    name: str
    wave: int
    namespace: str
    source: RenderedSource | UpstreamSource

    @property
    def files(self) -> tuple[ManifestFile, ...]:
        """Its manifests; none where the source is not ours."""
        return self.source.files if isinstance(self.source, RenderedSource) else ()


@dataclass(frozen=True)
class EnvironmentPlan:
    """One environment."""

    name: str
    environment: Environment
    applications: tuple[ApplicationPlan, ...]
    """In order of wave, then of declaration."""
    argocd: tuple[ManifestFile, ...] = ()
    """Project, root application and applications."""

    @property
    def files(self) -> Iterator[ManifestFile]:
        """Every manifest below `dist/<environment>/`."""
        return (file for application in self.applications for file in application.files)


@dataclass(frozen=True)
class Plan:
    """All environments."""

    environments: tuple[EnvironmentPlan, ...]
    settings: tuple[ManifestFile, ...] = ()
    """What every Argo CD needs, whichever environments it serves."""

    @property
    def files(self) -> Iterator[ManifestFile]:
        """Every manifest that is written."""
        yield from self.settings
        for environment in self.environments:
            yield from environment.argocd
            yield from environment.files
