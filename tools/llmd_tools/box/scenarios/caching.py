"""Pattern 3: prompts go where their prefix is cached, and replicas come and go unnoticed."""

import itertools
import random
import threading
from collections import Counter
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from llmd_tools.box.client import Answer, Client
from llmd_tools.box.scenarios.routing import ONE_MODEL, SMALL
from llmd_tools.box.scenarios.world import World, expect, name_of

NAMESPACE, REPLICAS = "precise", "ms-precise-llm-d-modelservice-decode"
"""The deployment with prefix-aware routing."""

_WORDS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta")
_CLIENTS = 4
_MORE = 2


def text(seed: object, words: int) -> str:
    """A text of so many words, always the same for a seed."""
    chosen = random.Random(str(seed))  # noqa: S311  # a text to repeat, not a secret
    return " ".join(f"{chosen.choice(_WORDS)}{chosen.randrange(1000)}" for _ in range(words))


def same_prefix(world: World) -> Iterator[str]:
    """Questions about the same long text go to the replica that has it in its cache."""
    client = world.gateway.at(ONE_MODEL)
    replicas = world.ready(NAMESPACE, REPLICAS)
    for name in ("first", "second", "third"):
        document = text(("same prefix", name, sorted(replicas)), 600)
        first = client.chat(SMALL, f"{document} question 0")
        expect(first.good, "the first question is answered", first)
        rest = [client.chat(SMALL, f"{document} question {number}") for number in range(1, 6)]
        others = [str(each) for each in rest if each.replica != first.replica]
        expect(not others, f"all questions about the {name} text go to {first.replica}", others)
        cached = [_cached(each) for each in rest]
        expect(min(cached) > 0, "what is cached is not computed anew", f"{cached} tokens of {name} text")
        yield f"{name} text: {1 + len(rest)} questions, all to {first.replica}; {min(cached)} tokens from its cache"


def _cached(answer: Answer) -> int:
    """Tokens of a prompt that were in the replica's cache, as its answer says."""
    return answer.body["usage"]["prompt_tokens_details"]["cached_tokens"]


def distinct_prompts(world: World) -> Iterator[str]:
    """Prompts that have nothing in common are spread over all replicas."""
    replicas = world.ready(NAMESPACE, REPLICAS)
    answers = _in_parallel(world.gateway.at(ONE_MODEL), 60)
    failed = [str(each) for each in answers if not each.good]
    expect(not failed, "every request is answered", failed)
    counts = Counter(each.replica for each in answers)
    expect(counts.keys() == replicas, f"every one of {len(replicas)} replicas has a share", dict(counts))
    yield ", ".join(f"{name}: {count}" for name, count in sorted(counts.items()))


def scale(world: World) -> Iterator[str]:
    """Replicas are added and taken away under load, and no request fails."""
    before = world.ready(NAMESPACE, REPLICAS)
    with _load(world.gateway.at(ONE_MODEL)) as answers:
        added = world.scale(NAMESPACE, REPLICAS, len(before) + _MORE) - before
        world.until("the new replicas answer", lambda: added <= {each.replica for each in list(answers)})
        world.scale(NAMESPACE, REPLICAS, len(before))
        ending = {name_of(pod) for pod in world.all_pods(NAMESPACE, REPLICAS)}
        world.until("the pods are gone", lambda: len(world.all_pods(NAMESPACE, REPLICAS)) == len(before))
        gone = ending - {name_of(pod) for pod in world.all_pods(NAMESPACE, REPLICAS)}
    failed = [str(each) for each in answers if not each.good]
    expect(not failed, "no request fails", f"{len(failed)} of {len(answers)}: {failed[:3]}")
    yield f"{len(answers)} requests from {_CLIENTS} clients, all answered"
    yield f"added: {', '.join(sorted(added))}; taken away: {', '.join(sorted(gone))}"


def _in_parallel(client: Client, number: int) -> list[Answer]:
    def ask(which: int) -> Answer:
        return client.chat(SMALL, text(("distinct", which), 40))

    with ThreadPoolExecutor(_CLIENTS) as pool:
        return list(pool.map(ask, range(number)))


@contextmanager
def _load(client: Client) -> Generator[list[Answer]]:
    """Clients that ask one distinct question after the other; their answers so far."""
    answers: list[Answer] = []
    ended = threading.Event()

    def ask(who: int) -> None:
        for number in itertools.count():
            if ended.is_set():
                return
            answers.append(client.chat(SMALL, text(("load", who, number), 40)))

    with ThreadPoolExecutor(_CLIENTS) as pool:
        done = [pool.submit(ask, who) for who in range(_CLIENTS)]
        try:
            yield answers
        finally:
            ended.set()
    for each in done:
        each.result()
