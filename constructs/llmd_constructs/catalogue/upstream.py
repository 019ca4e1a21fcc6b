"""Third-party software that Argo CD installs beside ours: where it comes from, and which version."""

from functools import cache

from ._install import Install
from ._table import Entry, Table, Value, read_table


class CrdModule(Value):
    """A Go module whose archive holds the same CRDs, for checks without a cluster.

    Attributes:
        module: The module's path.
        version: Its version; equal to the installed one, or the nearest that the module proxy serves.
        path: The folder or file within the archive.
    """

    module: str
    version: str
    path: str


class Upstream(Entry):
    """One piece of third-party software.

    Attributes:
        id: Our name for it.
        version: Its own version.
        namespace: Where it runs; None for software that is CRDs alone.
        install: Where Argo CD takes it from.
        crds: Where the same CRDs can be read.
        note: What to know before changing it.
    """

    id: str
    version: str
    namespace: str | None = None
    install: Install
    crds: CrdModule | None = None
    note: str | None = None


@cache
def upstreams() -> Table[Upstream]:
    """All third-party software, by id."""
    return read_table("upstream.yaml", Upstream)
