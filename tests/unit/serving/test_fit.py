from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from llmd_constructs import catalogue
from llmd_constructs.config.cluster import NodePool
from llmd_constructs.config.deployment import Engine
from llmd_constructs.serving.engine import VllmEngine, resolve_image
from llmd_constructs.serving.features import Features, kv_transfer
from llmd_constructs.serving.fit import (
    GIB,
    Replica,
    expert_share,
    fit,
    kv_bytes_per_token,
    loaded_gib,
    quantized_share,
    replica,
    request_bytes,
    splits,
    tensor_parallel_sizes,
)
from llmd_constructs.serving.placement import place

QWEN_3B = "Qwen/Qwen2.5-3B-Instruct"
QWEN_8B = "Qwen/Qwen3-8B"
QWEN_32B = "Qwen/Qwen3-32B"
QWEN_30B_A3B = "Qwen/Qwen3-30B-A3B"
GEMMA_2B = "google/gemma-2b-it"
PHI = "microsoft/Phi-3-mini-4k-instruct"
LLAMA_8B = "meta-llama/Llama-3.1-8B-Instruct"
LLAMA_70B = "meta-llama/Llama-3.3-70B-Instruct"
MIXTRAL = "mistralai/Mixtral-8x7B-Instruct-v0.1"
GPT_OSS = "openai/gpt-oss-20b"
GPT_OSS_LARGE = "openai/gpt-oss-120b"
DEEPSEEK = "deepseek-ai/DeepSeek-R1"


def _replica(model: str, accelerator: str, devices: int = 1) -> Replica:
    return Replica(catalogue.model(model), catalogue.accelerator(accelerator), devices, devices)


@pytest.mark.parametrize(
    ("model", "accelerator", "devices", "utilization", "tokens"),
    [
        (QWEN_32B, "nvidia-h100-80gb", 2, 0.9, 305_807),
        (QWEN_3B, "nvidia-t4", 1, 0.85, 145_000),
        (GEMMA_2B, "nvidia-t4", 1, 0.85, 353_000),
        (PHI, "nvidia-t4", 1, 0.85, 9_900),
        (QWEN_3B, "nvidia-l4", 1, 0.9, 332_000),
        (LLAMA_8B, "nvidia-l4", 1, 0.9, 18_000),
        (QWEN_3B, "tpu-v6e", 1, 0.9, 652_000),
        (GEMMA_2B, "tpu-v6e", 1, 0.9, 1_370_000),
        (PHI, "tpu-v6e", 1, 0.9, 43_000),
        (LLAMA_8B, "tpu-v6e", 1, 0.9, 108_000),
        (QWEN_8B, "tpu-v6e", 1, 0.9, 94_000),
        (QWEN_3B, "tpu-v6e", 4, 0.9, 1_550_000),
        (GEMMA_2B, "tpu-v6e", 4, 0.9, 1_570_000),
        (PHI, "tpu-v6e", 4, 0.9, 216_000),
        (LLAMA_8B, "tpu-v6e", 4, 0.9, 799_000),
        (QWEN_8B, "tpu-v6e", 4, 0.9, 708_000),
        (QWEN_32B, "tpu-v6e", 4, 0.9, 211_000),
        (QWEN_30B_A3B, "tpu-v6e", 4, 0.9, 608_000),
        (MIXTRAL, "tpu-v6e", 4, 0.9, 209_000),
        (QWEN_32B, "tpu-v6e", 8, 0.9, 672_000),
        (QWEN_30B_A3B, "tpu-v6e", 8, 0.9, 918_000),
        (LLAMA_70B, "tpu-v6e", 8, 0.9, 307_000),
        (MIXTRAL, "tpu-v6e", 8, 0.9, 1_130_000),
    ],
)
def test_capacity_agrees_with_the_published_table(
    model: str, accelerator: str, devices: int, utilization: float, tokens: int
) -> None:
    """Tokens of the KV cache are within 1 % of what others published or computed for the same node."""
    sized = fit(replace(_replica(model, accelerator, devices), utilization=utilization))
    assert sized.tokens == pytest.approx(tokens, rel=0.01)


def test_a_measured_instance_is_within_one_percent() -> None:
    """The llm-d blog reports 307,328 KV tokens for Qwen3-32B on two H100."""
    assert fit(_replica(QWEN_32B, "nvidia-h100-80gb", 2)).tokens == pytest.approx(307_328, rel=0.01)


@pytest.mark.parametrize(
    ("model", "accelerator", "devices"),
    [
        (LLAMA_8B, "nvidia-t4", 1),
        (QWEN_8B, "nvidia-t4", 1),
        (QWEN_32B, "tpu-v6e", 1),
        (QWEN_30B_A3B, "tpu-v6e", 1),
        (MIXTRAL, "tpu-v6e", 1),
        (LLAMA_70B, "tpu-v6e", 4),
        (DEEPSEEK, "tpu-v6e", 8),
    ],
)
def test_what_is_known_not_to_fit_does_not(model: str, accelerator: str, devices: int) -> None:
    """Weights beyond the engine's share leave no tokens."""
    sized = fit(_replica(model, accelerator, devices))
    assert (sized.fits, sized.tokens, sized.context_for()) == (False, 0, 0)


@pytest.mark.parametrize(
    ("model", "accelerator", "devices", "utilization", "context"),
    [
        (QWEN_32B, "nvidia-h100-80gb", 1, 0.95, 32_768),
        (LLAMA_70B, "nvidia-h100-80gb", 4, 0.9, 131_072),
        (QWEN_32B, "tpu-v6e", 4, 0.95, 32_768),
        (QWEN_32B, "tpu-v5e", 8, 0.9, 32_768),
        (DEEPSEEK, "nvidia-h200-141gb", 8, 0.9, 163_840),
    ],
)
def test_what_is_known_to_run_fits(
    model: str, accelerator: str, devices: int, utilization: float, context: int
) -> None:
    """Settings that Google's reference architectures and llm-d's guides run are not refused."""
    own = replace(_replica(model, accelerator, devices), utilization=utilization, max_model_len=context)
    assert fit(own).fits


@pytest.mark.parametrize(
    ("model", "accelerator", "parts", "size"),
    [
        (LLAMA_8B, "nvidia-h100-80gb", 1, 131_072),
        (LLAMA_8B, "nvidia-h100-80gb", 8, 131_072 // 8),
        (LLAMA_8B, "nvidia-h100-80gb", 16, 131_072 // 8),
        (QWEN_3B, "tpu-v6e", 1, 36_864),
        (QWEN_3B, "tpu-v6e", 4, 36_864 // 2),
        (GEMMA_2B, "tpu-v6e", 4, 18_432),
        (PHI, "nvidia-t4", 1, 393_216),
        (PHI, "tpu-v6e", 1, 524_288),
        (GPT_OSS, "tpu-v6e", 1, 24_576),
        (GPT_OSS, "tpu-v6e", 8, 24_576 // 8 * 2),
        (DEEPSEEK, "nvidia-h200-141gb", 8, 70_272),
        (DEEPSEEK, "tpu7x", 8, 78_080 // 8),
    ],
)
def test_cache_per_token(model: str, accelerator: str, parts: int, size: int) -> None:
    """Heads are split or replicated, padded and packed as the engine does it."""
    assert kv_bytes_per_token(_replica(model, accelerator, parts)) == size


def test_an_eight_bit_cache_saves_half_on_gpus_only_where_tpus_pack_nothing_in_vain() -> None:
    """One head per TPU chip fills the same words in 8 bits as in 16."""
    small = {"kv_cache_dtype": "fp8"}
    for model, accelerator, parts, saved in (
        (GEMMA_2B, "nvidia-l4", 1, 2),
        (GEMMA_2B, "tpu-v6e", 1, 1),
        (QWEN_3B, "tpu-v6e", 1, 2),
    ):
        own = _replica(model, accelerator, parts)
        assert kv_bytes_per_token(own) == saved * kv_bytes_per_token(replace(own, **small))


def test_windows_stop_growing() -> None:
    """gpt-oss-20b keeps 24 KiB per token and 3 MiB per request, once the window is full."""
    own = _replica(GPT_OSS, "nvidia-h100-80gb")
    assert request_bytes(own, 100_000) == 24_576 * 100_000 + 3 * 2**20
    assert request_bytes(own, 64) == 2 * 24_576 * 64


def test_without_the_hybrid_cache_every_layer_keeps_everything() -> None:
    """Half of gpt-oss' layers have a window, so that a request needs nearly twice as much."""
    own = replace(_replica(GPT_OSS, "nvidia-h100-80gb"), hybrid_cache=False)
    assert request_bytes(own, 100_000) == 2 * 24_576 * 100_000


def test_mxfp4_is_unpacked_on_tpus_without_small_floats() -> None:
    """gpt-oss-120b takes 61 GiB on GPUs and TPU7x, and 218 GiB on v6e, where tpu-inference unpacks it."""
    sizes = [loaded_gib(_replica(GPT_OSS_LARGE, name)) for name in ("nvidia-h100-80gb", "tpu7x", "tpu-v6e")]
    assert sizes == pytest.approx([60.7, 60.7, 217.6], rel=0.001)


@pytest.mark.parametrize(
    ("model", "method", "gib"),
    [(LLAMA_8B, "awq", 5.35), (LLAMA_70B, "awq", 37.0), (QWEN_32B, "awq", 18.0), (QWEN_32B, "fp8", 31.9)],
)
def test_quantised_sizes_are_a_little_above_published_ones(model: str, method: str, gib: float) -> None:
    """The estimate errs on the safe side, by 8 % at most."""
    size = catalogue.model(model).weight_gib * quantized_share(catalogue.model(model), method)
    assert gib <= size <= 1.08 * gib


def test_expert_share_follows_from_active_parameters() -> None:
    """Mixtral's experts are 45.1 of 46.7 billion; a dense model has none."""
    assert expert_share(catalogue.model(MIXTRAL)) * 46.7 == pytest.approx(45.1, rel=0.005)
    assert expert_share(catalogue.model(QWEN_3B)) == 0


def test_data_parallel_ranks_share_experts_and_repeat_the_rest() -> None:
    """Sixteen ranks of DeepSeek-R1 hold a sixteenth of the experts each, and all of the attention."""
    alone = _replica(DEEPSEEK, "nvidia-h200-141gb")
    spread = fit(replace(alone, devices=16, data_parallel=16))
    experts = 642 * expert_share(alone.model)
    assert spread.weights_gib == pytest.approx(642 - experts + experts / 16)
    one_rank = spread.cache_gib * GIB / spread.request_bytes
    assert spread.requests == pytest.approx(16 * one_rank)
    assert spread.context_for(16) == spread.context_for(1)
    crowd = 16 * int(one_rank)
    assert spread.context_for(crowd + 1) < spread.context_for(crowd) == spread.replica.context


@pytest.mark.parametrize(
    ("model", "sizes"),
    [
        (GEMMA_2B, (1, 2, 4, 8)),
        (QWEN_3B, (1, 2, 4, 8, 16)),
        ("Qwen/Qwen2.5-7B-Instruct", (1, 2, 4)),
        (DEEPSEEK, (1, 2, 4, 8, 16)),
    ],
)
def test_tensor_parallel_sizes(model: str, sizes: tuple[int, ...]) -> None:
    """Query heads divide evenly; key and value heads evenly or by replication."""
    assert tensor_parallel_sizes(catalogue.model(model), 16) == sizes


def test_key_heads_that_neither_divide_nor_replicate_rule_a_size_out() -> None:
    """Twelve query heads go over six devices, four key heads do not."""
    model = catalogue.model(QWEN_3B).model_copy(update={"attention_heads": 12, "kv_heads": 4})
    assert [size for size in range(1, 13) if splits(model, size)] == [1, 2, 4, 12]


def test_more_tokens_per_step_need_more_memory_and_fewer_are_not_credited() -> None:
    """Activations grow with the step; CUDA graphs stay when it shrinks."""
    own = _replica(QWEN_3B, "nvidia-h100-80gb")
    by_step = {
        step: fit(replace(own, max_num_batched_tokens=step)).overhead_gib for step in (1024, 8192, 16384)
    }
    assert by_step[1024] == by_step[8192] == fit(own).overhead_gib
    assert by_step[16384] == pytest.approx(by_step[8192] + 5.6)


def test_a_tpu7x_chip_is_two_devices() -> None:
    """Each core has half of the chip's 189.5 GiB."""
    assert fit(_replica(QWEN_32B, "tpu7x", 2)).share_gib == pytest.approx(0.9 * 189.5 / 2)


def test_float32_doubles_weights_and_cache() -> None:
    """Of models published in 16 bits."""
    own = _replica(QWEN_3B, "nvidia-h100-80gb")
    plain, wide = fit(own), fit(replace(own, dtype="float32"))
    assert (wide.weights_gib, wide.request_bytes) == (2 * plain.weights_gib, 2 * plain.request_bytes)


def test_context_for_is_exact() -> None:
    """One token more than the longest context, and one request has no room."""
    own = replace(_replica(LLAMA_8B, "nvidia-l4"), max_model_len=None)
    longest = fit(own).context_for()
    assert fit(replace(own, max_model_len=longest)).fits
    assert not fit(replace(own, max_model_len=longest + 1)).fits


def _engine(pool: NodePool, model: str, settings: Engine, features: Features | None = None) -> VllmEngine:
    placement = place(pool)
    return VllmEngine(
        settings=settings,
        model=catalogue.model(model),
        placement=placement,
        image=resolve_image(settings, placement),
        source=model,
        features=features or Features(),
    )


TPU_POOL = NodePool.model_validate({"name": "tpu", "machineType": "tpu7x-standard-4t", "maxNodes": 1})
GPU_POOL = NodePool.model_validate({"name": "gpu", "machineType": "a3-highgpu-8g", "maxNodes": 2})


def test_a_replica_is_read_from_its_engine() -> None:
    """Devices count cores, and every setting that sizing needs is taken over."""
    settings = Engine.model_validate(
        {
            "maxModelLen": 4096,
            "gpuMemoryUtilization": 0.8,
            "kvCacheDtype": "fp8",
            "maxNumBatchedTokens": 1000,
            "maxNumSeqs": 7,
            "dtype": "half",
        }
    )
    own = replica(_engine(TPU_POOL, LLAMA_8B, settings))
    assert (own.devices, own.tensor_parallel, own.data_parallel) == (8, 8, 1)
    assert (own.context, own.utilization, own.kv_cache_dtype, own.dtype) == (4096, 0.8, "fp8", "half")
    assert (own.max_num_batched_tokens, own.max_num_seqs) == (1000, 7)


def test_several_nodes_with_data_parallelism_make_one_replica() -> None:
    """Two nodes of eight GPUs are sixteen ranks."""
    engine = replace(_engine(GPU_POOL, DEEPSEEK, Engine()), data_parallel=True)
    own = replica(engine, nodes=2)
    assert (own.devices, own.tensor_parallel, own.data_parallel) == (16, 1, 16)


def test_moving_the_cache_turns_the_hybrid_cache_off() -> None:
    """Unless a flag keeps it; and engines before 0.11 have none."""
    moved = kv_transfer(tpu=False, role="decode")
    kept = Engine.model_validate({"extraArgs": ["--no-disable-hybrid-kv-cache-manager"]})
    old = Engine(image="registry.redhat.io/rhaiis/vllm-cuda-rhel9:3.0.0")
    cases = [(Engine(), None, True), (Engine(), moved, False), (kept, moved, True), (old, None, False)]
    for settings, features, hybrid in cases:
        assert replica(_engine(GPU_POOL, GPT_OSS, settings, features)).hybrid_cache is hybrid


REPLICAS = st.builds(
    Replica,
    model=st.sampled_from(catalogue.ids("model")).map(catalogue.model),
    accelerator=st.sampled_from(catalogue.ids("accelerator")).map(catalogue.accelerator),
    devices=st.just(1),
    tensor_parallel=st.just(1),
    max_model_len=st.integers(128, 131_072),
    utilization=st.floats(0.5, 0.95),
    kv_cache_dtype=st.sampled_from([None, "fp8"]),
    quantization=st.sampled_from([None, "fp8", "bitsandbytes"]),
    max_num_batched_tokens=st.sampled_from([None, 512, 32_768]),
    hybrid_cache=st.booleans(),
)


@given(REPLICAS, st.sampled_from([1, 2, 4, 8]), st.sampled_from([2, 4]))
def test_more_devices_never_hold_fewer_tokens(own: Replica, parts: int, more: int) -> None:
    """Splitting over more devices only adds room."""
    assume(splits(own.model, parts) and splits(own.model, parts * more))
    few, many = (replace(own, devices=n, tensor_parallel=n) for n in (parts, parts * more))
    assert fit(few).tokens <= fit(many).tokens


@given(REPLICAS, st.integers(1, 131_072))
def test_a_longer_context_never_means_more_requests(own: Replica, more: int) -> None:
    """A request at full context only grows."""
    longer = replace(own, max_model_len=own.context + more)
    assert fit(longer).requests <= fit(own).requests


@given(REPLICAS, st.floats(0, 0.05))
def test_a_larger_share_never_holds_fewer_tokens(own: Replica, more: float) -> None:
    """Memory that the engine may take is memory for the cache."""
    assert fit(own).tokens <= fit(replace(own, utilization=own.utilization + more)).tokens


@given(REPLICAS)
def test_quantisation_never_makes_a_model_larger(own: Replica) -> None:
    """Neither of weights nor of the cache."""
    plain = replace(own, quantization=None, kv_cache_dtype=None)
    assert fit(plain).weights_gib >= fit(own).weights_gib
    assert fit(plain).request_bytes >= fit(own).request_bytes


@given(REPLICAS, st.integers(1, 64))
def test_the_longest_context_holds_as_many_requests_as_asked(own: Replica, requests: int) -> None:
    """And a replica that fits has room for one request of its own context."""
    sized = fit(own)
    longest = sized.context_for(requests)
    assert 0 <= longest <= own.context
    assert not longest or fit(replace(own, max_model_len=longest)).requests >= requests * (1 - 1e-9)
    assert sized.fits == (sized.context_for() == own.context)
