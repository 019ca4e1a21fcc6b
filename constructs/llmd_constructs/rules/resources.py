"""A rendered object as rules see it."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from llmd_constructs.application import SYNC_WAVE
from llmd_constructs.config.errors import ValuePath, dotted
from llmd_constructs.manifest import JsonObject
from llmd_constructs.plan.model import Own
from llmd_constructs.rules.model import Where
from llmd_constructs.rules.reading import dig, number, text


@dataclass(frozen=True, eq=False)
class Resource:
    """One object, where it is written, and which application brings it."""

    path: str
    """Its file."""
    application: str
    """Name of the application in the environment; empty for what Argo CD itself reads."""
    manifest: JsonObject
    own: tuple[Own, ...] = ()
    """What users wrote of it."""

    @cached_property
    def kind(self) -> str:
        """Its kind."""
        return text(self.manifest, "kind")

    @property
    def api_version(self) -> str:
        """Its API version, with the group."""
        return text(self.manifest, "apiVersion")

    @property
    def group(self) -> str:
        """Its API group; empty for the core group."""
        return self.api_version.rpartition("/")[0]

    @cached_property
    def name(self) -> str:
        """Its name."""
        return text(self.manifest, "metadata", "name")

    @cached_property
    def namespace(self) -> str:
        """Its namespace; empty for cluster-wide objects."""
        return text(self.manifest, "metadata", "namespace")

    @cached_property
    def title(self) -> str:
        """`Kind namespace/name`."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    @property
    def wave(self) -> int:
        """Its sync wave inside the application."""
        value = text(self.manifest, "metadata", "annotations", SYNC_WAVE)
        return int(value) if value.removeprefix("-").isdecimal() and len(value) < 9 else 0

    def get(self, *path: str | int) -> Any:
        """The value under the path."""
        return dig(self.manifest, *path)

    def number(self, *path: str | int) -> int | None:
        """The whole number under the path."""
        return number(self.manifest, *path)

    def at(self, *path: str | int) -> Where:
        """The place of a value in the object."""
        return self.place(path)

    def place(self, path: ValuePath) -> Where:
        """The place of a value in the object: in the file of the user who wrote it, if it was one."""
        for own in reversed(self.own):
            written = own.position(path)
            if written:
                return Where(written.file, written.line, self.title, _dotted(path))
        return Where(self.path, 0, self.title, _dotted(path), self._patched)

    @property
    def _patched(self) -> str:
        """Where the last patch of the object is."""
        last = self.own[-1].position() if self.own else None
        return f"{last.file}:{last.line}" if last else ""


_dotted = lru_cache(maxsize=4096)(dotted)  # the same fields of many objects
