"""Number formats that a model, an accelerator and vLLM have in common.

Sources:
    vLLM documentation, Supported Hardware for Quantization (v0.9 to v0.15) and Quantized KV Cache.
    tpu-inference, layers/vllm/quantization/fp8.py: TPUs read quantised weights, and quantise none at load.
    vLLM, config/model.py: bfloat16 below compute capability 8.0 and overflow in float16; quantisation that
    differs from the published one.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from llmd_constructs.catalogue import Accelerator
from llmd_constructs.serving.fit import Replica

SMALL_FLOATS_SINCE = (8, 0)
"""The first compute capability with kernels for 8-bit and 4-bit floats, at least for weights."""
ONLINE_METHODS = ("fp8", "bitsandbytes")
"""Quantisation at load, from weights published in 16 bits; GPUs only. Others read weights published so."""
HALF = ("half", "float16")

Field = Literal["model", "dtype", "quantization", "kvCacheDtype"]


class Unsupported(NamedTuple):
    """A format that does not work here."""

    field: Field
    """The setting that asks for it; `model` where the published weights do."""
    message: str
    instead: str


def unsupported(replica: Replica) -> Iterator[Unsupported]:
    """Every format of the replica that its model, its accelerator or vLLM refuses."""
    yield from _published(replica)
    yield from _dtype(replica)
    if replica.quantization:
        yield from _quantization(replica, replica.quantization)
    if (replica.kv_cache_dtype or "auto") != "auto" and not _small_floats(replica.accelerator):
        yield Unsupported(
            "kvCacheDtype",
            f"{replica.kv_cache_dtype} does not work on {replica.accelerator.title}",
            "leave it out, which keeps the cache in 16 bits",
        )


def _published(replica: Replica) -> Iterator[Unsupported]:
    model, accelerator = replica.model, replica.accelerator
    least = model.min_compute_capability
    if (least and not _at_least(accelerator, least)) or (
        model.native_dtype != "bfloat16" and not _small_floats(accelerator)
    ):
        yield Unsupported(
            "model",
            f"{model.id} is published in {model.native_dtype}, which {accelerator.title} cannot run",
            f"use a GPU of compute capability {least or '8.0'} or later",
        )


def _dtype(replica: Replica) -> Iterator[Unsupported]:
    model, accelerator, dtype = replica.model, replica.accelerator, replica.dtype
    if dtype == "bfloat16" and not accelerator.bf16:
        instead = "use an accelerator with bfloat16" if model.needs_bf16 else "write half, or leave it out"
        yield Unsupported("dtype", f"bfloat16 does not work on {accelerator.title}", instead)
    elif model.needs_bf16 and (dtype in HALF or (not accelerator.bf16 and dtype != "float32")):
        instead = "write bfloat16" if accelerator.bf16 else "use an accelerator with bfloat16"
        yield Unsupported("dtype", f"{model.id} overflows in float16, and vLLM refuses it", instead)


def _quantization(replica: Replica, method: str) -> Iterator[Unsupported]:
    model, usable = replica.model, online_methods(replica)
    if method == model.native_dtype or method in usable:
        return
    alternatives = f", or quantise at load: {' or '.join(usable)}" if usable else ""
    instead = f"leave it out{alternatives}"
    if method in ONLINE_METHODS and model.native_dtype == "bfloat16":
        yield Unsupported("quantization", f"{method} does not work on {replica.accelerator.title}", instead)
    else:
        yield Unsupported(
            "quantization",
            f"{method} needs weights published so, and {model.id} is published in {model.native_dtype}",
            instead,
        )


def online_methods(replica: Replica) -> tuple[str, ...]:
    """Methods that can quantise this model at load, here."""
    if replica.is_tpu or replica.model.native_dtype != "bfloat16":
        return ()
    return tuple(m for m in ONLINE_METHODS if m != "fp8" or _small_floats(replica.accelerator))


def _small_floats(accelerator: Accelerator) -> bool:
    return _at_least(accelerator, ".".join(str(part) for part in SMALL_FLOATS_SINCE))


def _at_least(accelerator: Accelerator, capability: str) -> bool:
    """TPUs have no compute capability, and no such limit."""
    own = accelerator.compute_capability
    return own is None or _version(own) >= _version(capability)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))
