"""What is said of a replica that does not fit."""

from llmd_constructs.serving.fit import GIB, Fit
from llmd_constructs.serving.fit_nearest import Nearest


def lack(sized: Fit) -> str:
    """What it needs, and what its devices have."""
    own, share = sized.replica, f"vLLM may take {sized.share_gib:.1f} GiB"
    if sized.cache_gib <= 0:
        what = "weights and activations" if sized.overhead_gib else "weights"
        needed = sized.weights_gib + sized.overhead_gib
        return f"{own.model.id} needs {needed:.1f} GiB per device ({devices(sized)}) for {what}, and {share}"
    one = f"one request of {own.context} tokens needs {sized.request_bytes / GIB:.1f} GiB"
    cache = f"{sized.cache_gib:.1f} GiB per device ({devices(sized)}) for the KV cache"
    return f"{own.model.id} leaves {cache}, and {one}; {share}"


def remedies(choice: Nearest) -> str:
    """What to write instead."""
    changes = [
        f"use {choice.larger.name}" if choice.larger else "",
        f"set engine.maxModelLen to {choice.context} or less" if choice.context else "",
        f"set engine.quantization to {choice.quantization}" if choice.quantization else "",
    ]
    return (
        ", or ".join(change for change in changes if change)
        or "no single node of the catalogue holds it; use a smaller model, or several nodes"
    )


def devices(sized: Fit) -> str:
    """The devices of one replica, such as `4 x NVIDIA T4`."""
    own = sized.replica
    return f"{own.devices} x {own.accelerator.title}" + (
        " core" if own.accelerator.cores_per_chip > 1 else ""
    )
