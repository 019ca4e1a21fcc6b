"""Model fit: whether a model's weights and KV cache have room on the devices that it is given."""

from collections.abc import Iterator

from llmd_constructs.rules.model import Offence, rule
from llmd_constructs.rules.replicas import Asked, asked
from llmd_constructs.rules.view import View
from llmd_constructs.serving.fit import Fit, fit, splits, tensor_parallel_sizes
from llmd_constructs.serving.fit_nearest import Choice, Market, cheaper, nearest, usd_per_hour
from llmd_constructs.serving.fit_support import unsupported
from llmd_constructs.serving.fit_words import devices, lack, remedies

FEWEST_REQUESTS = 4
"""Requests at full context below which most of the accelerator's time is lost waiting."""
SMALL_GPU = (8, 0)
"""GPUs below this compute capability have no memory to spare for CUDA graphs."""
GRAPHS_GIB = 2.0
"""CUDA graphs and sampler on such a GPU, beside the engine's share (seed 003, issue 2)."""
GRAPHS_PREFIX_CACHING_GIB = 3.6
"""The same with prefix caching: the seeds went from 0.85 to 0.75 of a T4."""
SPLITS_SINGLE_HEAD = (0, 12)
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
            yield Offence(view.setting(*item.model_path), lack(sized), remedies(choice))


@rule(
    "FIT-02",
    "Tensor parallelism divides the model's heads",
    symptom="vLLM stops at start: 'attention heads must be divisible by tensor parallel size', or 'axis sizes are "
    "not evenly divisible'.",
    cause="Query heads are dealt out evenly; key and value heads evenly or by replication.",
    instead="use a node with a number of devices that divides the heads",
    source=("F-19", "https://docs.vllm.ai/en/stable/serving/parallelism_scaling/"),
)
def indivisible(view: View) -> Iterator[Offence]:
    """Tensor parallel sizes that the heads rule out."""
    for item in asked(view):
        message = _indivisible(item)
        if message:
            explicit = item.engine.settings.tensor_parallel_size
            path = (*item.engine_path, "tensorParallelSize") if explicit else item.pool_path
            yield Offence(view.setting(*path), message, _divisible(item))


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
                f"on {devices(sized)}",
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
        capability = accelerator.compute_capability
        if capability and _release(capability) < SMALL_GPU and spare < wanted:
            most = int((1 - wanted / accelerator.memory_gib) * 20) / 20
            yield Offence(
                view.setting(*item.engine_path, "gpuMemoryUtilization"),
                f"is {share}, which leaves {spare:.1f} GiB of {accelerator.title}; CUDA graphs need {wanted} GiB",
                f"write {most}",
            )


RULES = (too_large, indivisible, oversized, too_long, unsupported_type, little_room, no_room_for_graphs)
"""All rules on model fit."""


def _sound(view: View) -> Iterator[Asked]:
    """Replicas whose size means something: of a length that exists, split as they can be, of types that work."""
    for item in asked(view):
        own = item.replica
        whole = own.tensor_parallel * own.data_parallel == own.devices
        readable = own.context <= own.model.context_length
        if whole and readable and not _indivisible(item) and not any(unsupported(own)):
            yield item


def _market(view: View, item: Asked) -> Market:
    return Market(view.environment.cluster.region, spot=item.pool.spot)


def _oversized(sized: Fit, choice: Choice, market: Market) -> tuple[str, str]:
    own = sized.replica
    message = (
        f"{devices(sized)} hold {int(sized.requests)} requests of {own.context} tokens of {own.model.id} at once, "
        f"and vLLM runs {own.max_num_seqs}"
    )
    chips = own.devices // own.accelerator.cores_per_chip
    price = usd_per_hour(own.accelerator, chips, market)
    less = usd_per_hour(choice.accelerator, choice.chips, market)
    cost = f", for {less / price:.0%} of the price" if price and less else ""
    return message, f"{choice.name} holds {int(choice.fit.requests)}{cost}"


def _indivisible(item: Asked) -> str:
    """Why the model cannot be split as it is asked to be; empty if it can."""
    own, version = item.replica, item.engine.image.version
    if not splits(own.model, own.tensor_parallel):
        heads = f"{own.model.attention_heads} query and {own.model.kv_heads} key and value heads"
        return f"{own.model.id} has {heads}, which cannot be split over {own.tensor_parallel} devices"
    if (
        own.is_tpu
        and own.model.kv_heads == 1
        and own.tensor_parallel > 1
        and _release(version) < SPLITS_SINGLE_HEAD
    ):
        return f"{own.model.id} has a single key and value head, which vLLM {version} does not split on TPUs"
    return ""


def _divisible(item: Asked) -> str:
    """How to split the model instead. Single-headed models on an old engine go on one device."""
    own = item.replica
    if not splits(own.model, own.tensor_parallel):
        if splits(own.model, own.devices):
            return f"leave tensorParallelSize out, which splits it over {own.devices}"
        *others, last = map(str, tensor_parallel_sizes(own.model, own.devices))
        return f"use a node with {', '.join(others)}{' or ' if others else ''}{last} devices"
    return "use a node with one device, or a newer image"


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])
