"""Pattern 5: a long prompt is prefilled on one replica and answered by another."""

from collections.abc import Iterator

from llmd_tools.box.scenarios.caching import text
from llmd_tools.box.scenarios.world import World, expect, name_of

NAMESPACE, PREFILL, DECODE = (
    "disaggregated",
    "ms-disaggregated-llm-d-modelservice-prefill",
    "ms-disaggregated-llm-d-modelservice-decode",
)
_MODEL, _PATH = "Qwen/Qwen3-32B", "/disaggregated/disaggregated"
_LONG, _SHORT = 600, 10
"""Words: well above and below the 256 uncached tokens from which the picker's configuration asks for a prefill."""


def prefill_before_decode(world: World) -> Iterator[str]:
    """A long prompt visits a prefill replica first; a short one does not, and a prefix is prefilled once."""
    client = world.gateway.at(_PATH)
    document = text(("prefill", name_of(world.pods_of(NAMESPACE, DECODE)[0])), _LONG)
    for what, prompt, wanted in (
        ("a long prompt", f"{document} question 1", 1),
        ("the same text again", f"{document} question 2", 0),
        ("a short prompt", text("short", _SHORT), 0),
    ):
        before = _prefilled(world)
        answer = client.chat(_MODEL, prompt)
        expect(answer.good and answer.replica.startswith(DECODE), "a decode replica answers", answer)
        done = _prefilled(world) - before
        expect(done == wanted, f"{what} is prefilled elsewhere {wanted} times", done)
        yield f"{what}: {done} prefill, answered by {answer.replica}"


def _prefilled(world: World) -> int:
    """Prompts that the prefill replicas have handed on, by their own metrics."""
    series = [each for pod in world.pods_of(NAMESPACE, PREFILL) for each in world.metrics(pod, 8000)]
    handed = [value for name, value in series if name.startswith("vllm:request_success_total")]
    return int(sum(handed))
