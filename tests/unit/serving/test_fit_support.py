from dataclasses import replace

import pytest

from llmd_constructs import catalogue
from llmd_constructs.serving.fit import Replica
from llmd_constructs.serving.fit_support import unsupported

QWEN = "Qwen/Qwen2.5-3B-Instruct"
GEMMA_3 = "google/gemma-3-27b-it"
GPT_OSS = "openai/gpt-oss-20b"
DEEPSEEK = "deepseek-ai/DeepSeek-R1"


def _replica(model: str, accelerator: str) -> Replica:
    return Replica(catalogue.model(model), catalogue.accelerator(accelerator), 1, 1)


@pytest.mark.parametrize(
    ("model", "accelerator", "settings", "field", "words"),
    [
        (QWEN, "nvidia-t4", {"dtype": "bfloat16"}, "dtype", "write half"),
        (GEMMA_3, "nvidia-t4", {"dtype": "bfloat16"}, "dtype", "use an accelerator with bfloat16"),
        (GEMMA_3, "nvidia-t4", {}, "dtype", "overflows in float16"),
        (GEMMA_3, "nvidia-l4", {"dtype": "half"}, "dtype", "write bfloat16"),
        (GPT_OSS, "nvidia-t4", {}, "model", "compute capability 8.0"),
        (DEEPSEEK, "nvidia-t4", {}, "model", "published in fp8"),
        (QWEN, "nvidia-t4", {"quantization": "fp8"}, "quantization", "at load: bitsandbytes"),
        (QWEN, "nvidia-t4", {"kv_cache_dtype": "fp8"}, "kvCacheDtype", "16 bits"),
        (QWEN, "nvidia-h100-80gb", {"quantization": "awq"}, "quantization", "at load: fp8 or bitsandbytes"),
        (QWEN, "nvidia-h100-80gb", {"quantization": "mxfp4"}, "quantization", "published in bfloat16"),
        (
            GPT_OSS,
            "nvidia-h100-80gb",
            {"quantization": "fp8"},
            "quantization",
            "published in mxfp4; leave it out",
        ),
        (QWEN, "tpu-v6e", {"quantization": "fp8"}, "quantization", "Cloud TPU v6e (Trillium); leave it out"),
        (QWEN, "tpu-v6e", {"quantization": "bitsandbytes"}, "quantization", "leave it out"),
    ],
)
def test_what_does_not_work_is_named_with_a_way_out(
    model: str, accelerator: str, settings: dict[str, str], field: str, words: str
) -> None:
    """One problem, at the setting that asks for it."""
    own = replace(_replica(model, accelerator), **settings)
    assert [problem.field for problem in unsupported(own)] == [field]
    assert words in "; ".join(f"{problem.message}; {problem.instead}" for problem in unsupported(own))


@pytest.mark.parametrize(
    ("model", "accelerator", "settings"),
    [
        (QWEN, "nvidia-t4", {"dtype": "half"}),
        (QWEN, "nvidia-t4", {"dtype": "auto"}),
        (QWEN, "nvidia-t4", {"quantization": "bitsandbytes", "kv_cache_dtype": "auto"}),
        (GEMMA_3, "nvidia-t4", {"dtype": "float32"}),
        (GEMMA_3, "tpu-v6e", {}),
        (QWEN, "tpu-v6e", {"dtype": "half", "kv_cache_dtype": "fp8_e5m2"}),
        (GPT_OSS, "nvidia-l4", {"quantization": "mxfp4"}),
        (GPT_OSS, "tpu-v6e", {}),
        (DEEPSEEK, "nvidia-a100-80gb", {}),
        (QWEN, "nvidia-a100-80gb", {"quantization": "fp8", "kv_cache_dtype": "fp8"}),
    ],
)
def test_what_works_is_left_alone(model: str, accelerator: str, settings: dict[str, str]) -> None:
    """No problem with formats that the accelerator has."""
    assert list(unsupported(replace(_replica(model, accelerator), **settings))) == []
