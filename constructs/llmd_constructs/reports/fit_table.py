"""`docs/model-fit-table.md`: every model of the catalogue on every size of node of every accelerator."""

from collections.abc import Iterator

from llmd_constructs import catalogue
from llmd_constructs.catalogue import Accelerator, MachineType, Model
from llmd_constructs.serving.fit import DEFAULT_UTILIZATION, Fit, Replica, fit, splits
from llmd_constructs.serving.fit_nearest import node_sizes
from llmd_constructs.serving.fit_support import unsupported

PATH = "docs/model-fit-table.md"

_INTRODUCTION = """\
# Model by accelerator

Generated from the catalogue; the formulas are in [model-fit.md](model-fit.md).

Every cell is one replica on one node, split over all its devices, with the model's own context length and vLLM's
defaults (90 % of the memory; 85 % on T4, which needs the rest for CUDA graphs). It says:

- **tokens · requests**: tokens that the KV cache holds, and how many requests at full context that is.
- **≤ n**: too little for one request at full context; n tokens is the longest `maxModelLen` that starts.
- **needs n GiB**: weights and activations alone exceed what vLLM may take.
- **heads**: the attention heads cannot be split over so many devices.
- **type**: the accelerator cannot compute in the model's types.
"""

_T4_UTILIZATION = 0.85


def fit_table() -> str:
    """The page as text."""
    accelerators = [catalogue.accelerator(name) for name in catalogue.ids("accelerator")]
    return "\n".join([_INTRODUCTION, *(_section(accelerator) for accelerator in accelerators)])


def cell(model: Model, accelerator: Accelerator, chips: int) -> str:
    """How one model fits on one size of node, as the page's introduction explains."""
    devices = chips * accelerator.cores_per_chip
    if not splits(model, devices):
        return "heads"
    replica = Replica(
        model,
        accelerator,
        devices,
        tensor_parallel=devices,
        dtype=None if accelerator.bf16 else "half",
        utilization=_T4_UTILIZATION if accelerator.id == "nvidia-t4" else DEFAULT_UTILIZATION,
    )
    return "type" if any(unsupported(replica)) else _figures(fit(replica))


def _section(accelerator: Accelerator) -> str:
    memory = f"{accelerator.memory_gib:g} GiB per chip"
    devices = ", as two devices" if accelerator.cores_per_chip == 2 else ""
    return "\n".join([f"## {accelerator.title}", "", f"{memory}{devices}.", "", *_rows(accelerator), ""])


def _rows(accelerator: Accelerator) -> Iterator[str]:
    models = [catalogue.model(name) for name in catalogue.ids("model")]
    largest = max(models, key=lambda model: model.weight_gib)
    sizes = node_sizes(accelerator, largest)
    yield "| " + " | ".join(["model", *(_heading(machine, chips) for chips, machine, _ in sizes)]) + " |"
    yield "|---" + "|---:" * len(sizes) + "|"
    for model in models:
        yield (
            "| " + " | ".join([model.id, *(cell(model, accelerator, chips) for chips, _, _ in sizes)]) + " |"
        )


def _heading(machine: MachineType, chips: int) -> str:
    """The machine type, or the number of GPUs where other sizes of machine may carry them too."""
    return machine.name if machine.accelerator and machine.topologies else f"{chips} x GPU"


def _figures(sized: Fit) -> str:
    if sized.fits:
        return f"{_short(sized.tokens)} · {sized.requests:.3g}"
    context = sized.context_for()
    if context:
        return f"≤ {context}"
    return f"needs {(sized.weights_gib + sized.overhead_gib) * sized.replica.devices:.0f} GiB"


def _short(number: int) -> str:
    """Three digits at most: `652k`, `1.55M`."""
    million = 1_000_000
    return f"{number / million:.3g}M" if number >= million else f"{number // 1000}k"
