from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmd_constructs import catalogue
from llmd_constructs.serving.fit import Replica, fit
from llmd_constructs.serving.fit_nearest import Market, cheaper, choices, nearest, node_sizes, usd_per_hour
from llmd_constructs.serving.fit_support import unsupported

EUROPE = Market("europe-west4")


def _replica(model: str, accelerator: str, devices: int, context: int | None = None) -> Replica:
    return Replica(
        catalogue.model(model), catalogue.accelerator(accelerator), devices, devices, max_model_len=context
    )


@pytest.mark.parametrize(
    ("model", "accelerator", "devices", "larger"),
    [
        ("Qwen/Qwen3-32B", "tpu-v6e", 1, "ct6e-standard-4t with topology 2x2"),
        ("meta-llama/Llama-3.3-70B-Instruct", "tpu-v6e", 4, "ct6e-standard-8t with topology 2x4"),
        ("Qwen/Qwen3-8B", "nvidia-t4", 1, "n1-standard-8 with 2 x nvidia-t4"),
        ("Qwen/Qwen3-32B", "nvidia-l4", 2, "g2-standard-48"),
        ("deepseek-ai/DeepSeek-R1", "nvidia-h100-80gb", 8, "a3-ultragpu-8g"),
        ("openai/gpt-oss-20b", "nvidia-t4", 1, "g2-standard-4"),
        ("google/gemma-3-27b-it", "nvidia-t4", 4, "g2-standard-48"),
    ],
)
def test_the_nearest_larger_node(model: str, accelerator: str, devices: int, larger: str) -> None:
    """The smallest of the same accelerator; where none is enough, the cheapest of the same kind."""
    choice = nearest(_replica(model, accelerator, devices), EUROPE).larger
    assert choice is not None
    assert choice.name == larger


def test_a_shorter_context_is_named_where_weights_have_room() -> None:
    """In whole thousands, and only where some context fits."""
    found = nearest(_replica("meta-llama/Llama-3.1-8B-Instruct", "tpu-v6e", 1), EUROPE)
    assert found.context == 105 * 1024
    assert nearest(_replica("Qwen/Qwen3-32B", "tpu-v6e", 1), EUROPE).context is None


@pytest.mark.parametrize(
    ("model", "accelerator", "context", "method"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", "nvidia-l4", 32_768, "fp8"),
        ("meta-llama/Llama-3.1-8B-Instruct", "nvidia-t4", 8192, "bitsandbytes"),
        ("meta-llama/Llama-3.1-8B-Instruct", "tpu-v5e", 8192, None),
        ("meta-llama/Llama-3.3-70B-Instruct", "nvidia-l4", 8192, None),
    ],
)
def test_quantisation_is_named_where_it_is_enough(
    model: str, accelerator: str, context: int, method: str | None
) -> None:
    """GPUs quantise at load as they can, TPUs do not; what is quantised is not quantised again."""
    own = _replica(model, accelerator, 1, context)
    assert nearest(own, EUROPE).quantization == method
    assert nearest(replace(own, quantization="fp8"), EUROPE).quantization is None


def test_the_seeds_model_is_held_by_a_quarter_of_the_chips() -> None:
    """Qwen2.5-3B on four v6e chips: one chip holds all requests that vLLM runs at once."""
    choice = cheaper(_replica("Qwen/Qwen2.5-3B-Instruct", "tpu-v6e", 4, 2048))
    assert choice is not None
    assert (choice.machine.name, choice.topology, choice.chips) == ("ct6e-standard-1t", "1x1", 1)
    whole, part = (usd_per_hour(choice.accelerator, chips, EUROPE) for chips in (4, 1))
    assert whole is not None
    assert part == whole / 4


@pytest.mark.parametrize(
    ("model", "accelerator", "devices", "context"),
    [
        ("Qwen/Qwen2.5-3B-Instruct", "tpu-v6e", 4, 8192),
        ("Qwen/Qwen3-32B", "tpu-v6e", 8, 8192),
        ("google/gemma-2b-it", "nvidia-t4", 1, 2048),
    ],
)
def test_nothing_cheaper_is_named_where_it_would_hold_less(
    model: str, accelerator: str, devices: int, context: int
) -> None:
    """The larger node is used: the smaller one holds fewer requests than run at once."""
    assert cheaper(_replica(model, accelerator, devices, context)) is None


def test_fewer_requests_at_once_need_a_smaller_node() -> None:
    """`maxNumSeqs` says how many have to have room."""
    own = _replica("Qwen/Qwen2.5-3B-Instruct", "tpu-v6e", 4, 8192)
    assert cheaper(replace(own, max_num_seqs=64)) is not None


def test_prices_of_the_region_and_of_spot_come_first() -> None:
    """A region without a price gets that of another; an accelerator without any gets none."""
    v6e = catalogue.accelerator("tpu-v6e")
    assert usd_per_hour(v6e, 4, EUROPE) == pytest.approx(4 * 2.97)
    assert usd_per_hour(v6e, 4, Market("us-central1")) == pytest.approx(4 * 2.7)
    assert usd_per_hour(v6e, 1, Market("europe-west4", spot=True)) == pytest.approx(1.03748)
    assert usd_per_hour(v6e, 1, Market("nowhere1")) == pytest.approx(2.7)
    assert usd_per_hour(catalogue.accelerator("tpu7x"), 4, EUROPE) is None


def test_every_accelerator_comes_in_some_size() -> None:
    """Sizes are distinct and ascending, and TPU sizes have a topology."""
    model = catalogue.model("Qwen/Qwen3-8B")
    for name in catalogue.ids("accelerator"):
        accelerator = catalogue.accelerator(name)
        sizes = node_sizes(accelerator, model)
        chips = [size[0] for size in sizes]
        assert chips, name
        assert chips == sorted(set(chips)), name
        assert all((topology is None) == (accelerator.kind == "gpu") for _, _, topology in sizes), name


def test_the_host_has_memory_to_load_the_weights() -> None:
    """A larger model gets a larger host where sizes with as many GPUs differ."""
    l4 = catalogue.accelerator("nvidia-l4")
    hosts = [node_sizes(l4, catalogue.model(name))[0][1].name for name in ("Qwen/Qwen3-4B", "Qwen/Qwen3-8B")]
    assert hosts == ["g2-standard-4", "g2-standard-8"]


REPLICAS = st.builds(
    _replica,
    st.sampled_from(catalogue.ids("model")),
    st.sampled_from(catalogue.ids("accelerator")),
    st.sampled_from([1, 2, 4, 8]),
    st.integers(128, 131_072),
)


@given(REPLICAS)
def test_what_is_named_fits(own: Replica) -> None:
    """Each remedy, taken as it stands, is enough; what is cheaper holds as much as runs at once."""
    found = nearest(own, EUROPE)
    if found.larger:
        assert found.larger.fit.fits
        assert not list(unsupported(found.larger.fit.replica))
    assert not found.context or fit(replace(own, max_model_len=min(found.context, own.context))).fits
    assert not found.quantization or fit(replace(own, quantization=found.quantization)).fits
    choice = cheaper(own)
    if choice:
        assert choice.fit.replica.devices < own.devices
        assert choice.fit.requests >= min(fit(own).requests, own.max_num_seqs)


def test_sizes_that_the_heads_rule_out_are_no_choice() -> None:
    """Twenty-eight heads go on one and on four chips, and not on eight."""
    own = _replica("Qwen/Qwen2.5-7B-Instruct", "tpu-v6e", 1)
    assert [choice.chips for choice in choices(own, own.accelerator)] == [1, 4]


@given(REPLICAS)
def test_choices_grow(own: Replica) -> None:
    """Choices come smallest first, so that the first that fits is the nearest."""
    devices = [choice.fit.replica.devices for choice in choices(own, own.accelerator)]
    assert devices == sorted(devices)
