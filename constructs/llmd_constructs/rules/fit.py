"""Model fit: whether a model's weights and KV cache have room on the devices that it is given."""

from collections.abc import Iterator

from llmd_constructs.rules.model import Offence, Where, rule
from llmd_constructs.rules.replicas import Asked, asked
from llmd_constructs.rules.view import View
from llmd_constructs.serving.fit import Fit, fit, splits, tensor_parallel_sizes
from llmd_constructs.serving.fit_nearest import Choice, Market, Nearest, cheaper, nearest, usd_per_hour
from llmd_constructs.serving.fit_support import Unsupported, unsupported

FEWEST_REQUESTS = 4
"""Requests at full context below which most of the accelerator's time is lost waiting."""
SMALL_GPU = (8, 0)
"""GPUs below this compute capability have no memory to spare for CUDA graphs."""
GRAPHS_GIB = 2.0
"""CUDA graphs and sampler on such a GPU, beside the engine's share (seed 003, issue 2)."""
GRAPHS_PREFIX_CACHING_GIB = 3.6
"""The same with prefix caching: the seeds went from 0.85 to 0.75 of a T4."""
REPLICATES_SINGLE_HEAD_SINCE = (0, 12)
"""The first vLLM on TPU that splits a model with a single key and value head."""


@rule(
    "FIT-01",
    "A model fits on the devices that it is given",
    waivable=True,
    symptom="vLLM stops at start: out of memory, or 'KV cache is needed, which is larger than the available'.",
    cause="Weights, activations and the KV cache of one request at full context exceed the engine's share.",
    instead="a larger node, a shorter `maxModelLen`, or quantised weights",
    source=("F-28", "docs/model-fit.md", "llm-d-planner: src/planner/capacity_planner.py"),
)
def too_large(view: View) -> Iterator[Offence]:
    """Replicas without room for one request at full context."""
    for item in _sound(view):
        sized = fit(item.replica)
        if not sized.fits:
            choice = nearest(item.replica, _market(view, item))
            yield Offence(view.setting(*item.model_path), _lack(sized), _remedies(choice))


@rule(
    "FIT-02",
    "Tensor parallelism divides the model's heads and the replica's devices",
    symptom="vLLM stops at start: 'attention heads must be divisible by tensor parallel size', 'axis sizes are not "
    "evenly divisible', or it waits for devices that are not there.",
    cause="Query heads are dealt out evenly; key and value heads evenly or by replication.",
    instead="a `tensorParallelSize` that divides the heads, on a node with as many devices",
    source=("F-18", "F-19", "https://docs.vllm.ai/en/stable/serving/parallelism_scaling/"),
)
def indivisible(view: View) -> Iterator[Offence]:
    """Tensor parallel sizes that heads or devices rule out."""
    for item in asked(view):
        message = _indivisible(item)
        if message:
            yield Offence(_tensor_place(view, item), message, _divisible(item))


@rule(
    "FIT-03",
    "A model does not pay for accelerators that it does not need",
    severity="note",
    symptom="A bill several times as high as it has to be.",
    cause="Fewer of the same chips hold the weights and as many requests at once as the engine runs.",
    instead="the smaller node, and more replicas where there is more traffic",
    source=("seed 004: costs", "docs/model-fit.md"),
)
def oversized(view: View) -> Iterator[Offence]:
    """Replicas that a smaller node of the same accelerator would hold as well."""
    for item in _sound(view):
        sized = fit(item.replica)
        choice = cheaper(item.replica) if sized.fits else None
        if choice:
            yield Offence(view.setting(*item.pool_path), *_oversized(sized, choice, _market(view, item)))


@rule(
    "FIT-04",
    "The context length is one that the model was made for",
    waivable=True,
    symptom="vLLM stops at start: 'max_model_len is greater than the derived max_model_len'.",
    cause="`maxModelLen` is above what the model's configuration allows.",
    instead="a `maxModelLen` up to the model's context length",
    source=("https://docs.vllm.ai/en/stable/serving/engine_args/", "the model's config.json"),
)
def too_long(view: View) -> Iterator[Offence]:
    """Context lengths above the model's."""
    for item in asked(view):
        wanted, longest = item.replica.context, item.replica.model.context_length
        if wanted > longest:
            yield Offence(
                view.setting(*item.engine_path, "maxModelLen"),
                f"is {wanted}, and {item.replica.model.id} reads {longest} tokens at most",
                f"write {longest} or less",
            )


@rule(
    "FIT-05",
    "Weights, activations and KV cache have types that the accelerator computes in",
    waivable=True,
    symptom="vLLM stops at start: 'Bfloat16 is only supported on GPUs with compute capability of at least 8.0', "
    "'quantization method is not supported', or an assertion in a kernel.",
    cause="T4 has no bfloat16 and no 8-bit floats; TPUs quantise nothing at load; some models overflow in float16.",
    instead="a type that the accelerator has, or an accelerator that has the type",
    source=("F-29", "https://docs.vllm.ai/en/stable/features/quantization/"),
)
def unsupported_type(view: View) -> Iterator[Offence]:
    """Types that the accelerator, the model or vLLM refuses."""
    for item in asked(view):
        for problem in unsupported(item.replica):
            place = item.model_path if problem.field == "model" else (*item.engine_path, problem.field)
            yield Offence(view.setting(*place), problem.message, problem.instead)


@rule(
    "FIT-06",
    "There is room for several requests at once",
    severity="warning",
    symptom="Requests wait for each other; vLLM preempts and computes prompts again.",
    cause="The KV cache holds fewer than four requests at full context.",
    instead="a larger node or a shorter `maxModelLen`",
    source=("F-30", "docs/model-fit.md"),
)
def little_room(view: View) -> Iterator[Offence]:
    """Replicas that hold fewer than four requests at full context."""
    for item in _sound(view):
        sized = fit(item.replica)
        if sized.fits and sized.requests < FEWEST_REQUESTS:
            yield Offence(
                view.setting(*item.model_path),
                f"leaves room for {sized.requests:.1f} requests of {item.replica.context} tokens "
                f"on {_devices(sized)}",
                f"use a larger node, or set engine.maxModelLen to {sized.context_for(FEWEST_REQUESTS)} for {FEWEST_REQUESTS} requests",
            )


@rule(
    "FIT-07",
    "An old GPU keeps memory for CUDA graphs beside the engine's share",
    waivable=True,
    symptom="torch.OutOfMemoryError while vLLM captures CUDA graphs.",
    cause="CUDA graphs and the sampler of a T4 need about 2 GiB outside `gpuMemoryUtilization`, more with prefix "
    "caching.",
    instead="`gpuMemoryUtilization: 0.85`, or 0.75 with prefix caching",
    source=("F-28", "F-30", "seed 003: issue 2"),
)
def no_room_for_graphs(view: View) -> Iterator[Offence]:
    """Shares that leave a small GPU too little."""
    for item in asked(view):
        accelerator, share = item.replica.accelerator, item.replica.utilization
        wanted = GRAPHS_PREFIX_CACHING_GIB if item.engine.prefix_caching else GRAPHS_GIB
        spare = accelerator.memory_gib * (1 - share)
        if _small(accelerator.compute_capability) and spare < wanted:
            most = int((1 - wanted / accelerator.memory_gib) * 20) / 20
            yield Offence(
                view.setting(*item.engine_path, "gpuMemoryUtilization"),
                f"is {share}, which leaves {spare:.1f} GiB of {accelerator.title}; CUDA graphs need {wanted} GiB",
                f"write {most}",
            )


RULES = (too_large, indivisible, oversized, too_long, unsupported_type, little_room, no_room_for_graphs)
"""All rules on model fit."""


def _sound(view: View) -> Iterator[Asked]:
    """Replicas whose size means something: split as they can be, of types that work, of a length that exists."""
    for item in asked(view):
        too_long = item.replica.context > item.replica.model.context_length
        if not (too_long or _indivisible(item) or any(unsupported(item.replica))):
            yield item


def _market(view: View, item: Asked) -> Market:
    return Market(view.environment.cluster.region, spot=item.pool.spot)


def _lack(sized: Fit) -> str:
    own = sized.replica
    gib = f"{sized.share_gib:.1f} GiB that vLLM may take"
    if sized.cache_gib <= 0:
        return (
            f"{own.model.id} needs {sized.weights_gib + sized.overhead_gib:.1f} GiB for weights and activations "
            f"on each device of {_devices(sized)}, of {gib}"
        )
    return (
        f"{own.model.id} leaves {sized.cache_gib:.1f} GiB on each device of {_devices(sized)} for the KV cache, and "
        f"one request of {own.context} tokens needs {sized.request_bytes / 2**30:.1f} GiB, of {gib}"
    )


def _remedies(choice: Nearest) -> str:
    remedies = [
        f"use {choice.larger.name}" if choice.larger else "",
        f"set engine.maxModelLen to {choice.context} or less" if choice.context else "",
        f"set engine.quantization to {choice.quantization}" if choice.quantization else "",
    ]
    known = [remedy for remedy in remedies if remedy]
    return (
        ", or ".join(known)
        or "no single node of the catalogue holds it; use a smaller model, or several nodes"
    )


def _oversized(sized: Fit, choice: Choice, market: Market) -> tuple[str, str]:
    own = sized.replica
    message = (
        f"{_devices(sized)} hold {int(sized.requests)} requests of {own.context} tokens of {own.model.id} at once, "
        f"and vLLM runs {own.max_num_seqs}"
    )
    chips = own.devices // own.accelerator.cores_per_chip
    price = usd_per_hour(own.accelerator, chips, market)
    less = usd_per_hour(choice.accelerator, choice.chips, market)
    cost = f", for {less / price:.0%} of the price" if price and less else ""
    return message, f"{choice.name} holds {int(choice.fit.requests)}{cost}"


def _indivisible(item: Asked) -> str:
    """Why the replica cannot be split as it is; empty if it can."""
    own = item.replica
    model, parts = own.model, own.tensor_parallel
    if parts > own.devices:
        return f"{parts} devices are asked for, and a replica has {own.devices}"
    if own.is_tpu and parts * own.data_parallel != own.devices:
        return f"{parts} devices are asked for, and a replica on TPUs has to use all its {own.devices}"
    if not splits(model, parts):
        return f"{model.id} has {_heads(item)}, which cannot be split over {parts} devices"
    version = tuple(int(part) for part in item.engine.image.version.split(".")[:2])
    if own.is_tpu and model.kv_heads == 1 and parts > 1 and version < REPLICATES_SINGLE_HEAD_SINCE:
        return f"{model.id} has a single key and value head, which vLLM {item.engine.image.version} does not split on TPUs"
    return ""


def _divisible(item: Asked) -> str:
    own = item.replica
    sizes = tensor_parallel_sizes(own.model, own.devices)
    if own.is_tpu:
        return (
            f"use a node with {_one_of(tensor_parallel_sizes(own.model, 16))} devices, and leave the size out"
        )
    return f"write {_one_of(sizes)}"


def _one_of(sizes: tuple[int, ...]) -> str:
    return " or ".join(str(size) for size in sizes)


def _heads(item: Asked) -> str:
    model = item.replica.model
    return f"{model.attention_heads} query and {model.kv_heads} key and value heads"


def _tensor_place(view: View, item: Asked) -> Where:
    if item.engine.settings.tensor_parallel_size:
        return view.setting(*item.engine_path, "tensorParallelSize")
    return view.setting(*item.pool_path)


def _devices(sized: Fit) -> str:
    own = sized.replica
    return f"{own.devices} x {own.accelerator.title}" + (
        " core" if own.accelerator.cores_per_chip > 1 else ""
    )


def _small(capability: str | None) -> bool:
    return capability is not None and tuple(int(part) for part in capability.split(".")) < SMALL_GPU
