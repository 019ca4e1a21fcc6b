"""A client of OpenAI's API."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from llmd_tools.box.client import Client

_EVENTS: list[dict[str, Any]] = [
    {"choices": [{"delta": {"role": "assistant"}}]},
    {"choices": [{"delta": {"content": "one "}}]},
    {"choices": [{"delta": {"content": "two"}}]},
    {"choices": [], "usage": {}},
]


class _Server(BaseHTTPRequestHandler):
    """Streams if it is asked to, and otherwise says what it was asked."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        streams = body.get("stream") and body["model"] != "plain"
        self.send_response(200)
        self.send_header("content-type", "text/event-stream" if streams else "application/json")
        self.send_header("x-inference-pod", "pod-a")
        self.end_headers()
        lines = [f"data: {json.dumps(each)}\n\n" for each in _EVENTS] if streams else [json.dumps(body)]
        self.wfile.write("".join([*lines, "data: [DONE]\n\n" if streams else ""]).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def client() -> Iterator[Client]:
    """A client of a small server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with server, Client(f"http://127.0.0.1:{server.server_port}/some/path/") as found:
        yield found
        server.shutdown()


def test_chat_is_one_message_to_a_model(client: Client) -> None:
    """The answer tells who gave it."""
    answer = client.chat("model-a", "hello", max_tokens=3)
    assert answer.good
    assert answer.replica == "pod-a"
    assert answer.body == {
        "model": "model-a",
        "messages": [{"role": "user", "content": "hello"}],
        "max_tokens": 3,
    }


def test_stream_is_its_pieces_of_text(client: Client) -> None:
    """Roles, usage and the end are no text."""
    with client.stream("model-a", "hello") as pieces:
        assert list(pieces) == ["one ", "two"]


def test_an_answer_that_is_no_stream_is_told(client: Client) -> None:
    """A server that does not stream does not look like one with nothing to say."""
    with (
        pytest.raises(ValueError, match="no stream but 200 application/json"),
        client.stream("plain", "hello"),
    ):
        pass


def test_no_answer_has_status_0() -> None:
    """A connection that fails is counted like every other answer that is not good."""
    with Client("http://127.0.0.1:1") as nobody:
        answer = nobody.get("/health")
    assert (answer.status, answer.good) == (0, False)
