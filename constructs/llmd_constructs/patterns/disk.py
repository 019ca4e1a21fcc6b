"""Whether a node has disk for the weights that are downloaded to it."""

from collections.abc import Iterator
from dataclasses import replace

from llmd_constructs.config.errors import ValuePath
from llmd_constructs.context import Context
from llmd_constructs.patterns.refusal import Refusal
from llmd_constructs.patterns.replicas import Asked, asked
from llmd_constructs.serving.engine import ephemeral_gib
from llmd_constructs.serving.fit import fit
from llmd_constructs.serving.fit_nearest import Market, nearest
from llmd_constructs.serving.fit_words import lack, remedies
from llmd_constructs.serving.placement import Placement, has_accelerator, place

LARGEST_DISK_GB = 65536
"""What a Compute Engine disk can have."""


def disk_refusals(context: Context) -> Iterator[Refusal]:
    """Weights are downloaded to the node's disk; a pod that asks for more than there is stays Pending (F-35h)."""
    pools = {
        pool.name: place(pool) for pool in context.environment.cluster.node_pools if has_accelerator(pool)
    }
    for item in asked(context.environment, pools):
        wanted = ephemeral_gib(item.engine.model)
        if wanted > item.engine.placement.ephemeral_gib:
            yield from _memory(context, item)
            yield _disk(item.pool_path, item.engine.model.id, wanted, item.engine.placement)


def _memory(context: Context, item: Asked) -> Iterator[Refusal]:
    """What FIT-01 would say only after the disk is mended: alone, a larger disk is poor advice for such a model."""
    sized = fit(item.replica)
    if not sized.fits:
        market = Market(context.environment.cluster.region, spot=item.pool.spot)
        yield Refusal(item.model_path, lack(sized), remedies(nearest(item.replica, market)))


def _disk(path: ValuePath, model: str, wanted: int, placement: Placement) -> Refusal:
    pool = placement.pool
    sizes = range(pool.boot_disk_gb, LARGEST_DISK_GB, 50)
    disk = next((size for size in sizes if _with_disk(placement, size) >= wanted), None)
    return Refusal(
        path,
        f"{model} needs {wanted} GiB of disk, and a node of {pool.name} leaves {placement.ephemeral_gib} GiB to pods",
        f"write `bootDiskGb: {disk}` for that node pool, and make the pool with that size"
        if disk
        # Where a machine type has local SSD, pods are on it, and the boot disk does not help.
        else f"choose a larger machine type than {pool.machine_type}, whose local SSD is what pods have",
    )


def _with_disk(placement: Placement, gigabytes: int) -> int:
    """What a node would leave to pods with another boot disk, in GiB."""
    return replace(
        placement, pool=placement.pool.model_copy(update={"boot_disk_gb": gigabytes})
    ).ephemeral_gib
