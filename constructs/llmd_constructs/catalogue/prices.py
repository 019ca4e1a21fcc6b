"""List prices, for cost reports; each with the region and day it was read for."""

from functools import cache
from typing import Literal

from ._table import Entry, read_table

PriceModel = Literal["on-demand", "spot", "flex-start", "commitment-1y", "commitment-3y"]


class Price(Entry):
    """What one hour of one thing costs.

    Attributes:
        id: Names the price within the catalogue.
        item: A machine type, an accelerator, or `load-balancer`.
        unit: What one `item` is: a chip or GPU alone (a TPU chip brings its host), a host without its
            accelerators, or a forwarding rule.
        model: How it is bought.
        region: The Google Cloud region that the price holds for.
        usd_per_hour: US dollars per hour.
        note: What to know before relying on it.
    """

    id: str
    item: str
    unit: Literal["chip", "machine", "forwarding-rule"]
    model: PriceModel
    region: str
    usd_per_hour: float
    note: str | None = None


@cache
def prices() -> tuple[Price, ...]:
    """All prices, in the order of the file."""
    return tuple(read_table("prices.yaml", Price).values())
