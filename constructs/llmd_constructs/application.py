"""The two constructs that all others build on.

An `Application` is a cdk8s `Chart` and becomes one Argo CD application. A `Component` is a construct
inside it that registers manifests. Manifests are plain dicts: a jsii call per field would cost ten times
as much (docs/architecture.md), and a dict reads like the YAML it becomes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import cdk8s
import jsii
from constructs import Construct

from llmd_constructs.catalogue import Install
from llmd_constructs.manifest import JsonObject


class Wave(IntEnum):
    """Order in which Argo CD syncs: each wave waits until the one before is healthy."""

    NAMESPACES = 0
    OPERATORS = 1
    """Custom resource definitions and operators."""
    DEPENDENT_OPERATORS = 2
    """Operators whose own manifests need the CRDs of the wave before."""
    CERTIFICATES = 3
    """Issuers, the CA, and secrets from the store."""
    CONTROLLERS = 4
    GATEWAY = 5
    MODELS = 6
    """Models with their routes: a wave of their own would hold every route back until every model is loaded."""


SYNC_WAVE = "argocd.argoproj.io/sync-wave"


class Application(cdk8s.Chart):
    """One Argo CD application: the manifests of one folder below `dist/<environment>/`."""

    def __init__(self, scope: Construct, id: str, *, wave: Wave, namespace: str) -> None:
        """Declare an application.

        Args:
            scope: The environment's cdk8s app.
            id: Name of the application and of its folder.
            wave: When Argo CD syncs it.
            namespace: Namespace that Argo CD falls back to; every namespaced manifest names its own.
        """
        super().__init__(scope, id)
        self.name = id
        self.wave = wave
        self.target_namespace = namespace
        self.manifests: list[JsonObject] = []

    def add(self, manifest: JsonObject) -> JsonObject:
        """Register one manifest; it is written in the order of registration."""
        self.manifests.append(manifest)
        return manifest

    def adopt(self, construct: Construct) -> JsonObject:
        """Register what a cdk8s-plus construct, or any construct around one ApiObject, renders."""
        return self.add(cdk8s.ApiObject.of(construct).to_json())

    @jsii.member(jsii_name="toJson")
    def to_json(self) -> list[Any]:
        """The manifests, so that `App.synth()` of somebody else's cdk8s app writes them too."""
        return list(self.manifests)


@dataclass(frozen=True)
class IgnoredDifference:
    """A field that somebody else writes, so that Argo CD must not fight over it."""

    group: str
    kind: str
    field: str
    """jq path of the field."""
    reason: str


class UpstreamApplication(cdk8s.Chart):
    """One Argo CD application that installs third-party software from its own source, at a pinned version."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        wave: Wave,
        install: Install,
        namespace: str,
        patches: Sequence[JsonObject] = (),
        ignored: Sequence[IgnoredDifference] = (),
    ) -> None:
        """Declare an installation.

        Args:
            scope: The environment's cdk8s app.
            id: Name of the application.
            wave: When Argo CD syncs it.
            install: Source and version, from the catalogue.
            namespace: Where the software runs.
            patches: Kustomize patches, for sources that are folders.
            ignored: Fields that are written after Argo CD applied them.
        """
        super().__init__(scope, id)
        self.name = id
        self.wave = wave
        self.install = install
        self.target_namespace = namespace
        self.patches = tuple(patches)
        self.ignored = tuple(ignored)


class Component(Construct):
    """A part of an application."""

    def __init__(self, scope: "Application | Component", id: str) -> None:
        """Place the component inside an application or another component."""
        super().__init__(scope, id)
        self.application: Application = scope if isinstance(scope, Application) else scope.application

    def add(self, manifest: JsonObject) -> JsonObject:
        """Register one manifest with the application."""
        return self.application.add(manifest)
