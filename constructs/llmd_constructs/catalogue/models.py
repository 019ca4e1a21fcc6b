"""Models: the numbers of their architecture that sizing and routing need."""

from functools import cache
from typing import Literal, Self

from pydantic import model_validator

from ._table import Entry, Table, Value, read_table

Dtype = Literal["bfloat16", "fp8", "mxfp4"]


class Experts(Value):
    """Mixture of experts: how many there are, and how many each token uses."""

    count: int
    active: int


class LatentAttention(Value):
    """Multi-head latent attention: what is cached per token and layer instead of keys and values."""

    kv_lora_rank: int
    rope_dim: int


class SlidingWindow(Value):
    """Layers that only look back `window` tokens, beside the layers that see everything."""

    window: int
    full_layers: int
    sliding_layers: int


class Model(Entry):
    """One model.

    Attributes:
        id: Its name on Hugging Face.
        parameters: Total, in billions.
        active_parameters: Used per token, in billions; differs from `parameters` for a mixture of experts.
        layers: Hidden layers.
        hidden_size: Width of the residual stream.
        attention_heads: Query heads.
        kv_heads: Key and value heads.
        head_dim: Size of one head.
        context_length: Longest sequence it was made for, in tokens.
        weight_gib: Size of the weights in `native_dtype`, in GiB.
        native_dtype: The format that the weights are published in.
        gated: Whether Hugging Face wants a token of a user who accepted its licence.
        kind: Dense, or a mixture of experts.
        experts: Set for a mixture of experts.
        mla: Set where attention is latent (DeepSeek).
        sliding_window: Set where some layers have a window.
        needs_bf16: Whether float16 is known to overflow, so that accelerators without bfloat16 are out.
        min_compute_capability: The oldest GPU generation that the published weights run on, if limited.
    """

    id: str
    parameters: float
    active_parameters: float
    layers: int
    hidden_size: int
    attention_heads: int
    kv_heads: int
    head_dim: int
    context_length: int
    weight_gib: float
    native_dtype: Dtype
    gated: bool
    kind: Literal["dense", "moe"]
    experts: Experts | None = None
    mla: LatentAttention | None = None
    sliding_window: SlidingWindow | None = None
    needs_bf16: bool = False
    min_compute_capability: str | None = None

    @model_validator(mode="after")
    def _mixture_has_experts(self) -> Self:
        if (self.kind == "moe") != (self.experts is not None):
            raise ValueError(
                f"kind is {self.kind}, and experts are {'given' if self.experts else 'missing'}; "
                "write `experts: {count, active}` for a mixture of experts, and for nothing else",
            )
        return self


@cache
def models() -> Table[Model]:
    """All models, by id."""
    return read_table("models.yaml", Model)
