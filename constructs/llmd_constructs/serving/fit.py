"""Model fit: weights and KV cache of one replica against the memory of its devices.

Pure functions over the catalogue; `docs/model-fit.md` explains the formulas and holds them against published
figures. A device is what the framework sees: a GPU, a TPU chip, or one of the two cores of a TPU7x chip.

Sources, named by letter below:
    A: llm-d-planner, src/planner/capacity_planner.py (budget, activations, weights and KV per token).
    B: vLLM, vllm/v1/kv_cache_interface.py and vllm/v1/core/kv_cache_utils.py (windows, heads under tensor
       parallelism).
    C: tpu-inference, tpu_inference/runner/kv_cache.py, kernels/ragged_paged_attention/v3/kernel.py and
       kernel_hd64.py, worker/tpu_worker.py (replication, padding, packing, latent attention, budget).
    D: tpu-inference, layers/vllm/quantization (methods; MXFP4 is unpacked on TPUs without small floats).
"""

from bisect import bisect_right
from dataclasses import dataclass
from math import ceil

from llmd_constructs.catalogue import Accelerator, Model
from llmd_constructs.serving.engine import VllmEngine

MIB = 2**20
GIB = 2**30
DEFAULT_UTILIZATION = 0.9
"""Share of device memory that vLLM takes where `gpuMemoryUtilization` is not set."""
DEFAULT_MAX_NUM_SEQS = 256
"""Requests that vLLM decodes at once where `maxNumSeqs` is not set."""

_TPU_LANES = 128
_TPU_NARROW_HEAD = 64
_PACKED_BITS = 32
_ASSUMED_VOCABULARY = 152_000
_HYBRID_CACHE_SINCE = (0, 11)
_LARGE_GPU_GIB = 70
_MEDIUM_GPU_GIB = 20

_QUANTIZED_BITS = {"fp8": 8.0, "int8": 8.0, "awq": 4.25, "gptq": 4.25, "mxfp4": 4.25, "bitsandbytes": 4.5}
"""Bits per quantised weight, scales included."""


@dataclass(frozen=True)
class Replica:
    """One copy of a model as sizing sees it."""

    model: Model
    accelerator: Accelerator
    devices: int
    """Devices of the replica, on all its nodes."""
    tensor_parallel: int
    """Devices that share one copy of the attention layers."""
    data_parallel: int = 1
    """Copies of the attention layers; experts are spread over all of them."""
    max_model_len: int | None = None
    """Context length in tokens; the model's own where `None`."""
    utilization: float = DEFAULT_UTILIZATION
    """Share of device memory that the engine may take."""
    dtype: str | None = None
    """Weight and activation type as vLLM takes it; the model's own where `None`."""
    kv_cache_dtype: str | None = None
    """KV-cache type as vLLM takes it; that of the activations where `None`."""
    quantization: str | None = None
    """Quantisation as vLLM takes it; as published where `None`."""
    max_num_batched_tokens: int | None = None
    """Tokens of one step; vLLM's default for the accelerator where `None`."""
    max_num_seqs: int = DEFAULT_MAX_NUM_SEQS
    """Requests decoded at once."""
    hybrid_cache: bool = True
    """Whether layers with a sliding window cache their window only."""

    @property
    def context(self) -> int:
        """Context length in tokens."""
        return self.max_model_len or self.model.context_length

    @property
    def device_gib(self) -> float:
        """Memory of one device, in GiB."""
        return self.accelerator.memory_gib / self.accelerator.cores_per_chip

    @property
    def is_tpu(self) -> bool:
        """Whether the devices are TPU cores."""
        return self.accelerator.kind == "tpu"


@dataclass(frozen=True)
class Fit:
    """What a replica needs and has. All sizes are per device, in GiB or bytes as named."""

    replica: Replica
    share_gib: float
    """Memory that the engine may take: device memory times utilisation."""
    weights_gib: float
    """Weights."""
    overhead_gib: float
    """Activations, CUDA graphs and what is allocated outside PyTorch; 0 on TPUs, where the rest beyond the
    engine's share holds them."""
    kv_bytes_per_token: int
    """KV cache of one token in the layers that see the whole context."""
    request_bytes: int
    """KV cache of one request at full context."""

    @property
    def cache_gib(self) -> float:
        """What remains for the KV cache; negative where the weights alone are too large."""
        return self.share_gib - self.weights_gib - self.overhead_gib

    @property
    def requests(self) -> float:
        """Requests at full context that the replica holds at once."""
        return max(0.0, self.cache_gib) * GIB / self.request_bytes * self.replica.data_parallel

    @property
    def tokens(self) -> int:
        """Tokens that the replica's cache holds, in requests of full context."""
        return int(self.requests * self.replica.context)

    @property
    def fits(self) -> bool:
        """Whether one request at full context has room; vLLM does not start otherwise."""
        return self.cache_gib * GIB >= self.request_bytes

    def context_for(self, requests: int = 1) -> int:
        """The longest context in tokens of which so many requests have room; 0 where there is none."""
        room = self.cache_gib * GIB / ceil(requests / self.replica.data_parallel)
        lengths = range(1, self.replica.context + 1)
        return bisect_right(lengths, room, key=lambda length: request_bytes(self.replica, length))


def replica(engine: VllmEngine, nodes: int = 1) -> Replica:
    """One replica of an engine.

    Args:
        engine: The engine with its settings, model and placement.
        nodes: Nodes of one replica; a multi-host TPU slice counts by its hosts.
    """
    settings, placement = engine.settings, engine.placement
    devices = placement.devices_per_node * max(nodes, placement.hosts)
    tensor = engine.tensor_parallel_size
    return Replica(
        model=engine.model,
        accelerator=placement.accelerator,
        devices=devices,
        tensor_parallel=tensor,
        data_parallel=max(1, devices // tensor) if engine.data_parallel else 1,
        max_model_len=settings.max_model_len,
        utilization=settings.gpu_memory_utilization or DEFAULT_UTILIZATION,
        dtype=engine.dtype,
        kv_cache_dtype=settings.kv_cache_dtype,
        quantization=settings.quantization,
        max_num_batched_tokens=settings.max_num_batched_tokens,
        max_num_seqs=settings.max_num_seqs or DEFAULT_MAX_NUM_SEQS,
        hybrid_cache=_hybrid_cache(engine),
    )


def fit(replica: Replica) -> Fit:
    """Size one replica (source A: share = memory · utilisation; cache = share - weights - overhead)."""
    return Fit(
        replica=replica,
        share_gib=replica.device_gib * replica.utilization,
        weights_gib=weights_gib(replica),
        overhead_gib=overhead_gib(replica),
        kv_bytes_per_token=kv_bytes_per_token(replica),
        request_bytes=request_bytes(replica, replica.context),
    )


def weights_gib(replica: Replica) -> float:
    """Weights per device in GiB: attention over tensor parallelism, experts over all devices (source A)."""
    total = loaded_gib(replica)
    experts = total * expert_share(replica.model)
    spread = replica.tensor_parallel * replica.data_parallel
    return (total - experts) / replica.tensor_parallel + experts / spread


def loaded_gib(replica: Replica) -> float:
    """All weights in GiB as the engine holds them, after quantisation or unpacking (sources A, D)."""
    model = replica.model
    if model.native_dtype == "mxfp4" and replica.is_tpu and not replica.accelerator.fp8:
        return model.parameters * 1e9 * 2 / GIB
    if model.native_dtype != "bfloat16":
        return model.weight_gib
    if replica.quantization:
        return model.weight_gib * quantized_share(model, replica.quantization)
    return model.weight_gib * (2 if replica.dtype == "float32" else 1)


def quantized_share(model: Model, quantization: str) -> float:
    """Size after quantisation over size in bfloat16.

    Embeddings and output head keep 16 bits. They are estimated from above: two matrices of a vocabulary of
    152,000, as Qwen's is, but at most a quarter of the model.
    """
    kept = min(2 * _ASSUMED_VOCABULARY * model.hidden_size / (model.parameters * 1e9), 0.25)
    return kept + (1 - kept) * _QUANTIZED_BITS[quantization] / 16


def expert_share(model: Model) -> float:
    """Share of the parameters that belongs to experts.

    Parameters P = shared + experts and active parameters A = shared + experts · k/n; two equations.
    """
    if model.experts is None:
        return 0.0
    used = model.experts.active / model.experts.count
    return (model.parameters - model.active_parameters) / (1 - used) / model.parameters


def overhead_gib(replica: Replica) -> float:
    """Memory per device in GiB beside weights and cache (source A).

    Activations and CUDA graphs were measured on H100 at vLLM's default of 8192 tokens per step: 5.6 GiB for
    dense models, 8.0 for mixtures of experts. GPUs below 70 GiB step through 2048 tokens: 2.5 GiB on 24 GB and
    40 GB, 1.5 on 16 GB, and half as much again for a mixture. More tokens per step need more in proportion;
    fewer are not credited. Outside PyTorch: 0.15 GiB, or 0.6 with collective communication. TPUs: nothing,
    tpu-inference has no such term (source C).
    """
    if replica.is_tpu:
        return 0.0
    dense = replica.model.experts is None
    memory = replica.device_gib
    if memory >= _LARGE_GPU_GIB:
        activations, step = (5.6 if dense else 8.0), 8192
    elif memory >= _MEDIUM_GPU_GIB:
        activations, step = (2.5 if dense else 3.6), 2048
    else:
        activations, step = (1.5 if dense else 2.1), 2048
    scale = max(1.0, (replica.max_num_batched_tokens or step) / step)
    outside = 0.15 if replica.tensor_parallel * replica.data_parallel == 1 else 0.6
    return activations * scale / replica.tensor_parallel + outside


def kv_bytes_per_token(replica: Replica) -> int:
    """KV cache per device and token, in the layers that see the whole context."""
    full, _ = _layers(replica)
    return full * layer_bytes_per_token(replica)


def request_bytes(replica: Replica, context: int) -> int:
    """KV cache per device of one request of `context` tokens: windows stop growing (source B)."""
    full, sliding = _layers(replica)
    window = replica.model.sliding_window
    windowed = min(window.window, context) if window else 0
    return layer_bytes_per_token(replica) * (full * context + sliding * windowed)


def layer_bytes_per_token(replica: Replica) -> int:
    """KV cache per device, layer and token in bytes.

    Keys and values: 2 · heads on the device · head size · bytes. A device has at least one head, so heads are
    replicated where there are fewer than devices (sources B, C). Latent attention: one vector, on every GPU
    whole; on TPUs padded to 128 lanes, its pages spread over the devices (source C).
    """
    model, size = replica.model, kv_element_bytes(replica)
    if model.mla:
        latent = model.mla.kv_lora_rank + model.mla.rope_dim
        return (
            ceil(_align(latent, _TPU_LANES) * size / replica.tensor_parallel)
            if replica.is_tpu
            else latent * size
        )
    heads = max(1, ceil(model.kv_heads / replica.tensor_parallel))
    if not replica.is_tpu:
        return 2 * heads * model.head_dim * size
    packed = _PACKED_BITS // (8 * size)
    if model.head_dim == _TPU_NARROW_HEAD:
        return _align(heads, packed) * _TPU_LANES * size
    return _align(2 * heads, packed) * _align(model.head_dim, _TPU_LANES) * size


def kv_element_bytes(replica: Replica) -> int:
    """Bytes of one number in the KV cache."""
    if (replica.kv_cache_dtype or "auto") != "auto":
        return 1
    return 4 if replica.dtype == "float32" else 2


def splits(model: Model, parts: int) -> bool:
    """Whether attention can be split over so many devices.

    Query heads must divide evenly; key and value heads evenly or by replication (sources B, C). Latent
    attention has one key for all heads.
    """
    if model.attention_heads % parts:
        return False
    return model.mla is not None or model.kv_heads % parts == 0 or parts % model.kv_heads == 0


def tensor_parallel_sizes(model: Model, devices: int) -> tuple[int, ...]:
    """Every size that divides the devices and that the model can be split into, smallest first."""
    return tuple(size for size in range(1, devices + 1) if devices % size == 0 and splits(model, size))


def _layers(replica: Replica) -> tuple[int, int]:
    """Layers that cache the whole context, and layers that cache a window."""
    window = replica.model.sliding_window
    if window is None or not replica.hybrid_cache:
        return replica.model.layers, 0
    return window.full_layers, window.sliding_layers


def _hybrid_cache(engine: VllmEngine) -> bool:
    """Since vLLM 0.11, and off by default where a connector moves the cache (source B)."""
    version = tuple(int(part) for part in engine.image.version.split(".")[:2])
    flags = engine.tuning_args
    moved = any(flag.startswith("--kv-transfer-config") for flag in flags)
    return version >= _HYBRID_CACHE_SINCE and (not moved or "--no-disable-hybrid-kv-cache-manager" in flags)


def _align(size: int, step: int) -> int:
    return ceil(size / step) * step
