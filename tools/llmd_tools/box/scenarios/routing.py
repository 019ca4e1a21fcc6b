"""Requests that find their model: pattern 1's endpoints, pattern 2's ways to choose among models, streams."""

from collections.abc import Iterator

from llmd_tools.box.client import Client
from llmd_tools.box.scenarios.world import World, expect

SMALL, LARGE, ADAPTER = "Qwen/Qwen2.5-3B-Instruct", "Qwen/Qwen3-8B", "support-tickets"
"""The catalogue's models, and the small one's adapter."""

ONE_MODEL = "/precise/precise"
"""Where a deployment of one model is routed by path."""

_PATHS = (
    (ONE_MODEL, SMALL, "ms-precise"),
    ("/disaggregated/disaggregated", "Qwen/Qwen3-32B", "ms-disaggregated"),
)
_STREAMED_TOKENS = 300
"""Enough for a replica to be at work for a second and a half."""


def endpoints(world: World) -> Iterator[str]:
    """One model answers on all of its endpoints."""
    yield from all_endpoints(world.gateway.at(ONE_MODEL), SMALL)


def all_endpoints(client: Client, model: str) -> Iterator[str]:
    """Ask a model on each of its endpoints, and tell what it answers.

    Args:
        client: A client of the model's path.
        model: The model's name.

    Raises:
        ScenarioError: If one does not answer as it should.
    """
    chat = client.chat(model, "hello")
    expect(chat.good and chat.body["object"] == "chat.completion", "a chat is answered", chat)
    yield f"POST /v1/chat/completions: {chat.body['choices'][0]['message']['content']!r} from {chat.replica}"
    text = client.complete(model, "hello")
    expect(text.good and text.body["object"] == "text_completion", "a completion is answered", text)
    yield f"POST /v1/completions: {text.body['choices'][0]['text']!r} from {text.replica}"
    models = client.get("/v1/models")
    expect(models.good and models.body["data"][0]["id"] == model, "the model is listed", models)
    yield f"GET /v1/models: {models.body['data'][0]['id']}"
    health = client.get("/health")
    expect(health.good, "health is 200", health)
    yield "GET /health: 200"


def by_body(world: World) -> Iterator[str]:
    """The model that a request names in its body decides which pool answers; no header, no path."""
    for model, server in ((SMALL, "ms-qwen25-3b"), (LARGE, "ms-qwen3-8b")):
        answer = world.gateway.chat(model, "hello")
        expect(answer.good and answer.replica.startswith(server), f"{server} answers for {model}", answer)
        expect(answer.body["model"] == model, f"the answer names {model}", answer)
        yield f"{model}: {answer.replica}"


def by_path(world: World) -> Iterator[str]:
    """Deployments of one model are told apart by path, whatever the body says besides."""
    for path, model, server in _PATHS:
        answer = world.gateway.at(path).chat(model, "hello")
        expect(answer.good and answer.replica.startswith(server), f"{server} answers at {path}", answer)
        yield f"{path}: {answer.replica}"


def by_adapter(world: World) -> Iterator[str]:
    """An adapter is asked for like a model, and answered where its base model is."""
    answer = world.gateway.chat(ADAPTER, "hello")
    expect(
        answer.good and answer.replica.startswith("ms-qwen25-3b"), "the base model's replica answers", answer
    )
    expect(answer.body["model"] == ADAPTER, f"the answer names {ADAPTER}", answer)
    yield f"{ADAPTER}: {answer.replica}"


def unknown_model(world: World) -> Iterator[str]:
    """A model that nobody serves is refused, by name."""
    answer = world.gateway.chat("nobody/serves-this", "hello")
    expect(answer.status == 404, "the answer is 404", answer)
    expect("nobody/serves-this" in answer.text, "the refusal names the model", answer)
    yield str(answer)


def streaming(world: World) -> Iterator[str]:
    """An answer arrives piece by piece, while its replica is still at work on it."""
    client = world.gateway.at(ONE_MODEL)
    with client.stream(SMALL, "tell me much", max_tokens=_STREAMED_TOKENS, to_the_end=True) as pieces:
        first = next(pieces)
        running = _running(world)
        rest = list(pieces)
    expect(running == 1, "a replica is at work when the first piece is here", f"{running} are")
    expect(1 + len(rest) == _STREAMED_TOKENS, f"{_STREAMED_TOKENS} pieces arrive", [first, *rest])
    yield f"{1 + len(rest)} pieces; the first one came while the replica was at work on the others"


def _running(world: World) -> int:
    """Requests that the replicas say they are at work on."""
    found = 0
    for pod in world.pods_of("precise", "ms-precise-llm-d-modelservice-decode"):
        metrics = world.metrics(pod, 8000)
        found += int(sum(value for name, value in metrics if name.startswith("vllm:num_requests_running")))
    return found
