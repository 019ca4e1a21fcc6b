"""Images of the smaller programs around a model: the P/D sidecar and the body-based router."""

from functools import cache

from llmd_constructs.catalogue._table import Entry, Table, read_table


class Auxiliary(Entry):
    """One program.

    Attributes:
        id: Our name for it.
        image: Image reference with tag.
        note: What to know before changing it.
    """

    id: str
    image: str
    note: str | None = None


@cache
def auxiliaries() -> Table[Auxiliary]:
    """All auxiliary programs, by id."""
    return read_table("releases/auxiliary.yaml", Auxiliary)
