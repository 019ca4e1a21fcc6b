"""What controllers would write that do not run here, written by kwok as soon as their kinds are there."""

from pathlib import Path
from typing import NamedTuple

import yaml

from llmd_tools.cluster import ControlPlane

STAGES = Path(__file__).parents[2] / "stages"
"""One file of kwok Stages per controller that is stood in for."""


class _Kind(NamedTuple):
    api_version: str
    kind: str

    @property
    def group(self) -> str:
        return self.api_version.partition("/")[0]


class Simulation:
    """Stages that start when the kinds they are about are served: kwok stops at a kind that it does not know."""

    def __init__(self, cluster: ControlPlane) -> None:
        """Begin with no stage."""
        self._cluster = cluster
        self._waiting = {file: _kinds(file) for file in sorted(STAGES.glob("*.yaml"))}
        self._known = {kind for kinds in self._waiting.values() for kind in kinds}
        self._running: list[Path] = []

    @property
    def kinds(self) -> frozenset[str]:
        """Every kind that there are stages for. Those of one file start together."""
        return frozenset(kind.kind for kind in self._known)

    @property
    def simulated(self) -> tuple[str, ...]:
        """The kinds whose status is simulated so far."""
        return tuple(sorted({kind.kind for file in self._running for kind in _kinds(file)}))

    def restart(self) -> None:
        """Begin again, after kinds have come or gone."""
        self._waiting = {file: _kinds(file) for file in sorted(STAGES.glob("*.yaml"))}
        self._running = []
        self.advance()

    def advance(self) -> None:
        """Start the stages whose kinds have come to be served since the last time."""
        ready = [file for file, kinds in self._waiting.items() if all(map(self._ready, kinds))]
        if ready:
            for file in ready:
                del self._waiting[file]
            self._running += ready
            self._cluster.simulate(*self._running)

    def _ready(self, kind: _Kind) -> bool:
        return self._serves(kind) and not self._superseded(kind) and self._described(kind)

    def _serves(self, kind: _Kind) -> bool:
        return self._cluster.server.serves(kind.api_version, kind.kind)

    def _superseded(self, kind: _Kind) -> bool:
        """Whether a later version is served: to write the older one would need a conversion webhook."""
        later = (other for other in self._known if other.kind == kind.kind and other.group == kind.group)
        return any(other > kind and self._serves(other) for other in later)

    def _described(self, kind: _Kind) -> bool:
        """Whether the server's OpenAPI, which it publishes some time after the kind, has it: kwok reads it there."""
        return f'"kind":"{kind.kind}"' in self._cluster.server.openapi(kind.api_version)


def _kinds(file: Path) -> list[_Kind]:
    references = [stage["spec"]["resourceRef"] for stage in yaml.safe_load_all(file.read_text())]
    return [_Kind(reference["apiGroup"], reference["kind"]) for reference in references]
