"""The same questions to an environment of KServe's: what runs there is what its controller made of our objects."""

import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from llmd_tools.box.scenarios.caching import text
from llmd_tools.box.scenarios.routing import all_endpoints
from llmd_tools.box.scenarios.world import World, expect, name_of

_LLAMA, _QWEN, _GPT = "meta-llama/Llama-3.1-8B-Instruct", "Qwen/Qwen3-30B-A3B", "openai/gpt-oss-20b"
_PATHS = (
    ("/catalogue/llama31-8b", _LLAMA, "llama31-8b-kserve-"),
    ("/catalogue/qwen3-30b-a3b", _QWEN, "qwen3-30b-a3b-kserve-"),
    ("/gpt-oss/gpt-oss", _GPT, "gpt-oss-kserve-"),
    ("/deepseek/deepseek-r1", "deepseek-ai/DeepSeek-R1", "deepseek-r1-kserve-mn-"),
)
_PREFILL = {"app.kubernetes.io/component": "llminferenceservice-workload-prefill"}
_PORT, _LONG = 8000, 600
_SEEDS, _SMALL = "llm-d-inference-scheduling", "Qwen/Qwen2.5-3B-Instruct"
"""Namespace and model of the environments that name OpenDataHub's KServe."""


def by_path(world: World) -> Iterator[str]:
    """Each LLMInferenceService answers at its path, from pods that KServe has made, alone or as a group."""
    for path, model, pods in _PATHS:
        answer = world.gateway.at(path).chat(model, "hello")
        expect(
            answer.good and answer.replica.startswith(pods), f"a pod of KServe's answers at {path}", answer
        )
        yield f"{path}: {answer.replica}"


def by_adapter(world: World) -> Iterator[str]:
    """An adapter is asked for by its name, at the path of its base model."""
    path, _, pods = _PATHS[0]
    answer = world.gateway.at(path).chat("legal", "hello")
    expect(answer.good and answer.replica.startswith(pods), "the base model's pod answers", answer)
    expect(answer.body["model"] == "legal", "the answer names the adapter", answer)
    yield f"legal: {answer.replica}"


def prefill_before_decode(world: World) -> Iterator[str]:
    """A long prompt visits a prefill pod, which the sidecar that KServe has injected asks first."""
    path, model, pods = _PATHS[2]
    before = _prefilled(world)
    answer = world.gateway.at(path).chat(model, text("kserve prefill", _LONG))
    expect(answer.good and answer.replica.startswith(pods), "a decode pod answers", answer)
    expect("prefill" not in answer.replica, "the answer is not the prefill pod's", answer)
    done = _prefilled(world) - before
    expect(done == 1, "one prefill pod has handed the prompt on", done)
    yield f"{done} prefill, answered by {answer.replica}"


def one_replica(world: World) -> Iterator[str]:
    """Pattern 1 answers on all of its endpoints, where KServe is OpenDataHub's."""
    yield from all_endpoints(world.gateway.at(f"/{_SEEDS}/qwen2-3b-pattern1"), _SMALL)


def over_tls(world: World) -> Iterator[str]:
    """The gateway reaches models of OpenDataHub's KServe, which speak TLS."""
    for name in ("qwen2-3b-pattern1", "qwen2-3b-pattern3"):
        answer = world.gateway.at(f"/{_SEEDS}/{name}").chat(_SMALL, "hello")
        expect(answer.good and answer.replica.startswith(f"{name}-kserve-"), f"{name} answers", answer)
        [pod] = [each for each in world.pods(_SEEDS, {}) if name_of(each) == answer.replica]
        address = urlsplit(world.reach(pod["status"]["podIP"], _PORT))
        certificate = ssl.get_server_certificate((address.hostname or "", address.port or 0))
        yield f"{answer.replica} answers, with a certificate of {len(certificate)} bytes"


def _prefilled(world: World) -> int:
    """Prompts that prefill pods have handed on, by their own metrics."""
    series = [each for pod in world.pods("gpt-oss", _PREFILL) for each in world.metrics(pod, _PORT)]
    return int(sum(value for name, value in series if name.startswith("vllm:request_success_total")))
