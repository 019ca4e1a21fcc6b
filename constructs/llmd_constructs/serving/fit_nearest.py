"""The nearest choice that fits: what to use instead of a node that is too small or needlessly large."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf

from llmd_constructs import catalogue
from llmd_constructs.catalogue import Accelerator, MachineType, Model
from llmd_constructs.serving.fit import Fit, Replica, fit, splits
from llmd_constructs.serving.fit_support import online_methods, unsupported

ATTACHABLE_COUNTS = (1, 2, 4)
"""GPUs that one N1 machine may have (Compute Engine, GPU machine types)."""
_CONTEXT_STEP = 1024
_HOST_GB_PER_WEIGHT_GIB = 1.2
_HOST_GB_PER_CHIP = 15


@dataclass(frozen=True)
class Market:
    """Where and how nodes are bought; prices are compared within it where it has them."""

    region: str
    spot: bool = False


@dataclass(frozen=True)
class Choice:
    """A node that could hold one replica, and how the replica fits on it."""

    machine: MachineType
    accelerator: Accelerator
    chips: int
    topology: str | None
    fit: Fit

    @property
    def name(self) -> str:
        """As one would write it into a node pool."""
        if self.topology:
            return f"{self.machine.name} with topology {self.topology}"
        if self.machine.accelerator:
            return self.machine.name
        return f"{self.machine.name} with {self.chips} x {self.accelerator.id}"


@dataclass(frozen=True)
class Nearest:
    """What to change so that a replica fits; each `None` where no such change is enough."""

    larger: Choice | None
    """The smallest node that holds it: of the same accelerator if there is one, else the cheapest."""
    context: int | None
    """The longest context on the same devices, in tokens, rounded down to whole thousands of 1024."""
    quantization: str | None
    """Quantisation at load that makes it fit as it is."""


def nearest(replica: Replica, market: Market) -> Nearest:
    """The nearest choices that hold a replica that is too large."""
    longest = fit(replica).context_for() // _CONTEXT_STEP * _CONTEXT_STEP
    methods = () if replica.quantization else online_methods(replica)
    return Nearest(
        larger=_larger(replica, market),
        context=longest or None,
        quantization=next((m for m in methods if fit(replace(replica, quantization=m)).fits), None),
    )


def cheaper(replica: Replica) -> Choice | None:
    """The smallest node of the same accelerator that holds as many requests as the engine runs at once.

    Requests are counted at full context and up to `max_num_seqs`, so that nothing is lost but speed.
    """
    needed = min(fit(replica).requests, replica.max_num_seqs)
    return next(
        (
            choice
            for choice in choices(replica, replica.accelerator)
            if choice.fit.replica.devices < replica.devices
            and choice.fit.fits
            and choice.fit.requests >= needed
        ),
        None,
    )


def choices(replica: Replica, accelerator: Accelerator) -> Iterator[Choice]:
    """Every size of node with this accelerator that the model can be split over, smallest first."""
    for chips, machine, topology in node_sizes(accelerator, replica.model):
        devices = chips * accelerator.cores_per_chip
        if splits(replica.model, devices):
            moved = replace(
                replica, accelerator=accelerator, devices=devices, tensor_parallel=devices, data_parallel=1
            )
            yield Choice(machine, accelerator, chips, topology, fit(moved))


def node_sizes(accelerator: Accelerator, model: Model) -> list[tuple[int, MachineType, str | None]]:
    """Chips, machine type and topology of every size of single node, smallest first.

    Of several machine types with as many chips, the smallest with memory for loading the weights.
    """
    wanted = model.weight_gib * _HOST_GB_PER_WEIGHT_GIB
    found: dict[int, list[tuple[MachineType, str | None]]] = {}
    for name in catalogue.ids("machine_type"):
        machine = catalogue.machine_type(name)
        for chips, topology in _chips(machine, accelerator):
            found.setdefault(chips, []).append((machine, topology))

    def waste(size: tuple[MachineType, str | None], chips: int) -> tuple[bool, float]:
        least = max(wanted, _HOST_GB_PER_CHIP * chips)
        return (size[0].memory_gb < least, size[0].memory_gb)

    return [
        (chips, *min(sizes, key=lambda size, chips=chips: waste(size, chips)))
        for chips, sizes in sorted(found.items())
    ]


def usd_per_hour(accelerator: Accelerator, chips: int, market: Market) -> float | None:
    """Price of the accelerators of a node, hosts of GPUs not included; `None` where no price is known.

    The region's own price, else that of the first region that has one.
    """
    kind = "spot" if market.spot else "on-demand"
    known = [p for p in catalogue.prices() if (p.item, p.unit, p.model) == (accelerator.id, "chip", kind)]
    known.sort(key=lambda price: price.region != market.region)
    return known[0].usd_per_hour * chips if known else None


def _larger(replica: Replica, market: Market) -> Choice | None:
    own = [
        choice
        for choice in _fitting(replica, replica.accelerator)
        if choice.fit.replica.devices > replica.devices
    ]
    if own:
        return own[0]
    others = [
        catalogue.accelerator(name) for name in catalogue.ids("accelerator") if name != replica.accelerator.id
    ]

    def price(choice: Choice) -> tuple[bool, float]:
        usd = usd_per_hour(choice.accelerator, choice.chips, market)
        return (choice.accelerator.kind != replica.accelerator.kind, inf if usd is None else usd)

    return min((choice for other in others for choice in _fitting(replica, other)), key=price, default=None)


def _fitting(replica: Replica, accelerator: Accelerator) -> list[Choice]:
    found = choices(replica, accelerator)
    return [choice for choice in found if choice.fit.fits and not any(unsupported(choice.fit.replica))]


def _chips(machine: MachineType, accelerator: Accelerator) -> Iterator[tuple[int, str | None]]:
    if machine.accelerator == accelerator.id:
        if accelerator.kind == "gpu":
            yield machine.chips, None
        yield from ((machine.chips, shape.topology) for shape in machine.topologies if shape.hosts == 1)
    elif accelerator.id in machine.attachable:
        yield from ((count, None) for count in ATTACHABLE_COUNTS)
