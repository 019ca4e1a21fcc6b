"""An environment of GKE's gateway, with a stand-in for it: the same objects, and what GKE would refuse of them."""

from collections.abc import Iterator
from typing import Any

from llmd_tools.box.scenarios.world import World, expect

_LLAMA, _PHI, _GPT = (
    "meta-llama/Llama-3.1-8B-Instruct",
    "microsoft/Phi-3-mini-4k-instruct",
    "openai/gpt-oss-20b",
)
_ROUTES, _ROUTE = "gateway.networking.k8s.io/v1", ("gpt-oss", "llm-d-gpt-oss-inference-scheduling")
_PATH = "/gpt-oss/gpt-oss"


def by_body(world: World) -> Iterator[str]:
    """A routing extension reads the model from the body, and the route for it leads to the pool's pick."""
    for model, server in ((_LLAMA, "ms-llama31-8b"), (_PHI, "ms-phi3-mini")):
        answer = world.gateway.chat(model, "hello")
        expect(answer.good and answer.replica.startswith(server), f"{server} answers for {model}", answer)
        yield f"{model}: {answer.replica}"


def by_path(world: World) -> Iterator[str]:
    """A path leads to its pool, and what is no prompt leads to the Service."""
    client = world.gateway.at(_PATH)
    answer = client.chat(_GPT, "hello")
    expect(answer.good and answer.replica.startswith("ms-gpt-oss"), f"gpt-oss answers at {_PATH}", answer)
    models = client.get("/v1/models")
    expect(models.good and models.body["data"][0]["id"] == _GPT, "the model is listed", models)
    yield f"{_PATH}: {answer.replica}"


def refused_timeouts(world: World) -> Iterator[str]:
    """A route with timeouts is refused as a whole: its status says why, and its path leads nowhere."""
    rules: list[dict[str, Any]] = _live(world)["spec"]["rules"]
    patch = {"spec": {"rules": [{**rule, "timeouts": {"request": "0s"}} for rule in rules]}}
    with world.patched(_ROUTE[0], "httproute", _ROUTE[1], patch):
        world.until("the route is refused", lambda: _accepted(world)["status"] == "False")
        why = _accepted(world)
        world.until("its path is gone", lambda: not _serves(world))
        yield f"{why['reason']}: {why['message'][:120]}"
    world.until("the route is back", lambda: _serves(world))


def _live(world: World) -> dict[str, Any]:
    return world.cluster.server.get(_ROUTES, "HTTPRoute", _ROUTE[1], _ROUTE[0]) or {}


def _accepted(world: World) -> dict[str, Any]:
    [parent] = _live(world)["status"]["parents"]
    return next(each for each in parent["conditions"] if each["type"] == "Accepted")


def _serves(world: World) -> bool:
    return world.gateway.at(_PATH).chat(_GPT, "hello").replica.startswith("ms-gpt-oss")
