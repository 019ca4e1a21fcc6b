"""What each client of a load run does, as locust reads it: one long text after the other, several questions to each."""

import time
from collections.abc import Iterator
from typing import Any, cast
from uuid import uuid4

from locust import HttpUser, constant, task

from llmd_tools.box.scenarios.caching import text
from llmd_tools.box.scenarios.routing import SMALL

FIRST = "first piece"
"""The kind of event that tells when an answer begins; it is named after the replica."""

_WORDS = 1500
"""Of a text: so many tokens, too, for the simulator's tokenizer."""
_QUESTIONS = 6
_ANSWER_TOKENS = 16


def _prompts() -> Iterator[str]:
    """A session after the other: each begins with a text that no other has."""
    while True:
        document = text(uuid4(), _WORDS)
        yield from (f"{document} question {number}" for number in range(_QUESTIONS))


class Reader(HttpUser):
    """Asks, reads the answer to its end, and asks the next question."""

    wait_time = constant(0)

    def on_start(self) -> None:
        """Begin with a session of its own."""
        self._prompts = _prompts()

    @task
    def ask(self) -> None:
        """One question."""
        body: dict[str, Any] = {
            "model": SMALL,
            "messages": [{"role": "user", "content": next(self._prompts)}],
            "max_tokens": _ANSWER_TOKENS,
            "ignore_eos": True,
            "stream": True,
        }
        begun, first = time.perf_counter(), 0.0
        path = "/v1/chat/completions"
        with self.client.post(path, json=body, stream=True, catch_response=True, name="answer") as response:
            for line in response.iter_lines():
                if not first and line.startswith(b"data: "):
                    first = time.perf_counter()
            if not first:
                cast("Any", response).failure(f"{response.status_code}: no stream")
                return
        events: Any = cast("Any", self.environment).events
        events.request.fire(
            request_type=FIRST,
            name=response.headers.get("x-inference-pod", "?"),
            response_time=(first - begun) * 1000,
            response_length=0,
            exception=None,
            context={},
        )
