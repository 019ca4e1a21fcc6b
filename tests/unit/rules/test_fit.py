from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmd_constructs.config.load import LoadedEnvironment, load_environments
from llmd_constructs.plan.model import EnvironmentPlan
from llmd_constructs.rules.fit import RULES
from llmd_constructs.rules.replicas import asked
from llmd_constructs.rules.view import View

ROOT = Path(__file__).parents[3]
QWEN_3B = "Qwen/Qwen2.5-3B-Instruct"
QWEN_7B = "Qwen/Qwen2.5-7B-Instruct"
QWEN_32B = "Qwen/Qwen3-32B"
LLAMA_8B = "meta-llama/Llama-3.1-8B-Instruct"
GEMMA_2B = "google/gemma-2b-it"
MIXTRAL = "mistralai/Mixtral-8x7B-Instruct-v0.1"
DEEPSEEK = "deepseek-ai/DeepSeek-R1"
OLD_TPU_IMAGE = "registry.redhat.io/rhaiis/vllm-tpu-rhel9:3.2.5"

POOLS: dict[str, dict[str, Any]] = {
    "default": {"machineType": "e2-standard-4"},
    "v6e-1": {"machineType": "ct6e-standard-1t"},
    "v6e-4": {"machineType": "ct6e-standard-4t"},
    "v6e-8": {"machineType": "ct6e-standard-8t"},
    "t4": {"machineType": "n1-standard-4", "accelerator": {"type": "nvidia-t4"}},
    "l4": {"machineType": "g2-standard-8"},
    "h200": {"machineType": "a3-ultragpu-8g"},
}


def _view(folder: Path, *deployments: dict[str, Any]) -> View:
    values = {
        "cluster": {
            "name": "fit",
            "project": "example-project",
            "location": "europe-west4-a",
            "kubernetes": "1.34",
            "nodePools": [{"name": name, "maxNodes": 9, **pool} for name, pool in POOLS.items()],
        },
        "gitops": {"repository": {"url": "https://example.com/repository.git"}},
        "platform": {
            "gateway": {
                "provider": "gke",
                "className": "gke-l7-rilb",
                "name": "gateway",
                "namespace": "gateways",
            },
            "secrets": {"provider": "manual", "huggingFaceToken": {"name": "hf", "key": "token"}},
        },
        "deployments": [
            {
                "name": f"d{index}",
                "pattern": "single-replica",
                "stack": "llm-d",
                "namespace": "models",
                **deployment,
            }
            for index, deployment in enumerate(deployments)
        ],
    }
    path = folder / "environments" / "fit.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return _of(load_environments(folder)[0])


def _of(loaded: LoadedEnvironment) -> View:
    return View(EnvironmentPlan(loaded.name, loaded.environment, ()), loaded.source)


def _found(view: View) -> Iterator[tuple[str, str, str]]:
    for rule in RULES:
        for offence in rule.check(view):
            yield rule.id, offence.where.field, f"{offence.message}; {offence.instead}"


def _deployment(model: str, pool: str, **engine: object) -> dict[str, Any]:
    return {"model": model, "nodePool": pool, "engine": engine}


@pytest.mark.parametrize(
    ("deployment", "rule", "field", "words"),
    [
        (
            _deployment(QWEN_32B, "v6e-1"),
            "FIT-01",
            "model",
            (
                "needs 61.0 GiB per device (1 x Cloud TPU v6e (Trillium)) for weights, and vLLM may take 28.1 GiB; "
                "use ct6e-standard-4t with topology 2x2"
            ),
        ),
        (
            _deployment(LLAMA_8B, "v6e-1"),
            "FIT-01",
            "model",
            (
                "one request of 131072 tokens needs 16.0 GiB; vLLM may take 28.1 GiB; "
                "use ct6e-standard-4t with topology 2x2, or set engine.maxModelLen to 107520 or less"
            ),
        ),
        (
            _deployment(LLAMA_8B, "l4", maxModelLen=32768),
            "FIT-01",
            "model",
            "use g2-standard-24, or set engine.maxModelLen to 17408 or less, or set engine.quantization to fp8",
        ),
        (
            _deployment(LLAMA_8B, "t4", maxModelLen=2048, gpuMemoryUtilization=0.85),
            "FIT-01",
            "model",
            "for weights and activations, and vLLM may take 12.4 GiB; use n1-standard-8 with 2 x nvidia-t4",
        ),
        (
            _deployment(QWEN_7B, "v6e-8"),
            "FIT-02",
            "nodePool",
            (
                "28 query and 4 key and value heads, which cannot be split over 8 devices; "
                "use a node with 1, 2 or 4 devices"
            ),
        ),
        (
            _deployment(QWEN_3B, "v6e-4", tensorParallelSize=3),
            "FIT-02",
            "engine.tensorParallelSize",
            "cannot be split over 3 devices; leave tensorParallelSize out, which splits it over 4",
        ),
        (
            _deployment(GEMMA_2B, "v6e-4", image=OLD_TPU_IMAGE),
            "FIT-02",
            "nodePool",
            (
                "single key and value head, which vLLM 0.11.0 does not split on TPUs; "
                "use a node with one device, or a newer image"
            ),
        ),
        (
            _deployment(QWEN_3B, "v6e-4", maxModelLen=2048),
            "FIT-03",
            "nodePool",
            (
                "hold 759 requests of 2048 tokens of Qwen/Qwen2.5-3B-Instruct at once, and vLLM runs 256; "
                "ct6e-standard-1t with topology 1x1 holds 318, for 25% of the price"
            ),
        ),
        (
            _deployment(QWEN_3B, "v6e-4", maxModelLen=65536),
            "FIT-04",
            "engine.maxModelLen",
            "is 65536, and Qwen/Qwen2.5-3B-Instruct reads 32768 tokens at most; write 32768 or less",
        ),
        (
            _deployment(LLAMA_8B, "v6e-1", maxModelLen=262144),
            "FIT-04",
            "engine.maxModelLen",
            "write 131072 or less",
        ),
        (
            _deployment(GEMMA_2B, "t4", maxModelLen=2048, gpuMemoryUtilization=0.85, dtype="bfloat16"),
            "FIT-05",
            "engine.dtype",
            "bfloat16 does not work on NVIDIA T4; write half, or leave it out",
        ),
        (
            _deployment("openai/gpt-oss-20b", "t4", gpuMemoryUtilization=0.85),
            "FIT-05",
            "model",
            "published in mxfp4, which NVIDIA T4 cannot run",
        ),
        (
            _deployment(QWEN_3B, "v6e-1", maxModelLen=4096, kvCacheDtype="auto", quantization="awq"),
            "FIT-05",
            "engine.quantization",
            "awq needs weights published so, and Qwen/Qwen2.5-3B-Instruct is published in bfloat16; leave it out",
        ),
        (
            _deployment("Qwen/Qwen3-8B", "v6e-1"),
            "FIT-06",
            "model",
            (
                "room for 2.3 requests of 40960 tokens on 1 x Cloud TPU v6e (Trillium); "
                "use a larger node, or set engine.maxModelLen to 23420 for 4 requests"
            ),
        ),
        (
            _deployment(GEMMA_2B, "t4", maxModelLen=2048),
            "FIT-07",
            "engine.gpuMemoryUtilization",
            "is 0.9, which leaves 1.5 GiB of NVIDIA T4; CUDA graphs need 2.0 GiB; write 0.85",
        ),
    ],
)
def test_one_finding_with_its_way_out(
    tmp_path: Path, deployment: dict[str, Any], rule: str, field: str, words: str
) -> None:
    """Each mistake is found once, by one rule, at the setting to change."""
    ((found, where, text),) = _found(_view(tmp_path, deployment))
    assert (found, where) == (rule, f"deployments[0].{field}")
    assert words in text


def test_prefix_caching_on_a_t4_needs_more_room(tmp_path: Path) -> None:
    """0.85 is enough without, 0.75 with it."""
    common = {**_deployment(GEMMA_2B, "t4", maxModelLen=2048, gpuMemoryUtilization=0.85)}
    cached = {**common, "pattern": "prefix-cache", "replicas": 2}
    assert not list(_found(_view(tmp_path, common)))
    ((rule, _, text),) = _found(_view(tmp_path, cached))
    assert rule == "FIT-07"
    assert text.endswith("write 0.75")
    cached["engine"] = {"maxModelLen": 2048, "gpuMemoryUtilization": 0.75}
    assert not list(_found(_view(tmp_path, cached)))


def test_each_side_of_a_disaggregated_deployment_is_sized(tmp_path: Path) -> None:
    """The finding is at the side's own settings where it has some, else at the deployment's."""
    deployment = {
        **_deployment(QWEN_3B, "v6e-1", maxModelLen=65536),
        "pattern": "prefill-decode",
        "prefill": {"engine": {"maxModelLen": 40000}},
    }
    found = [(rule, field) for rule, field, _ in _found(_view(tmp_path, deployment))]
    assert found == [
        ("FIT-04", "deployments[0].prefill.engine.maxModelLen"),
        ("FIT-04", "deployments[0].engine.maxModelLen"),
    ]


def test_each_of_several_models_is_sized(tmp_path: Path) -> None:
    """The finding names the model's own place."""
    deployment = {
        "pattern": "multi-model",
        "models": [
            {"name": "small", **_deployment(QWEN_3B, "v6e-1", maxModelLen=4096)},
            {"name": "large", **_deployment(MIXTRAL, "v6e-1", maxModelLen=4096)},
        ],
    }
    assert [(rule, field) for rule, field, _ in _found(_view(tmp_path, deployment))] == [
        ("FIT-01", "deployments[0].models[1].model")
    ]


def test_a_mixture_over_several_nodes_is_one_replica(tmp_path: Path) -> None:
    """Sixteen GPUs hold experts once and attention sixteen times."""
    deployment = {**_deployment(DEEPSEEK, "h200"), "pattern": "mixture-of-experts", "nodesPerReplica": 2}
    (item,) = asked(_view(tmp_path, deployment))
    assert (item.replica.devices, item.replica.data_parallel) == (16, 16)


def test_no_size_is_guessed_where_devices_do_not_add_up(tmp_path: Path) -> None:
    """Two of four chips: another rule says so, and no second error follows from it."""
    assert not list(_found(_view(tmp_path, _deployment(QWEN_32B, "v6e-4", tensorParallelSize=2))))


def test_the_committed_environments_fit() -> None:
    """No error; and the seeds' model on four chips is noted as oversized."""
    by_name = {
        item.name: {(rule.id, rule.severity) for rule in RULES for _ in rule.check(_of(item))}
        for item in load_environments(ROOT)
    }
    assert {
        name for name, found in by_name.items() if any(severity == "error" for _, severity in found)
    } == set()
    assert by_name["nvidia-test-cluster"] == set()
    assert by_name["tpu-test-cluster"] == {("FIT-03", "note")}
