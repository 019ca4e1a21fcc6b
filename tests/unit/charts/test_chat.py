"""The script of `helm test`, run by a shell against a server of ours."""

import shutil
import subprocess
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from llmd_constructs.charts.hook import BUDGET_SECONDS, SCRIPT

pytestmark = pytest.mark.skipif(
    shutil.which("curl") is None, reason="the script is run by the machine's own curl, and there is none"
)

Answer = tuple[int, str]
ANSWER = '{"choices": [{"message": {"role": "assistant", "content": "Blue."}}]}'
THOUGHTS = '{"choices":[{"message":{"role":"assistant","content":null,"reasoning":"The user"}}]}'
NOTHING = '{"choices": [{"message": {"role": "assistant", "content": ""}}]}'
Ask = Callable[..., subprocess.CompletedProcess[str]]


@contextmanager
def _server(answers: Iterator[Answer], asked: list[str]) -> Generator[str]:
    class _Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            status, text = next(answers)
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    with HTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def _ask(*answers: Answer, asked: list[str] | None = None) -> subprocess.CompletedProcess[str]:
    script = SCRIPT.replace("--retry-delay 5", "--retry-delay 1").replace(
        f"--retry-max-time {BUDGET_SECONDS}", "--retry-max-time 1"
    )
    assert script != SCRIPT
    with _server(iter((*answers, *[answers[-1]] * 9)), asked if asked is not None else []) as url:
        environment = {"URL": url, "QUESTION": '{"model": "any"}', "PATH": "/usr/local/bin:/usr/bin:/bin"}
        return subprocess.run(
            ["/bin/sh", "-c", script], env=environment, capture_output=True, text=True, check=False
        )


@pytest.mark.parametrize("answer", [ANSWER, THOUGHTS], ids=["an answer", "thoughts"])
def test_words_are_enough(answer: str) -> None:
    """A model that says something, or is still thinking aloud, works; its words are shown."""
    asked: list[str] = []
    done = _ask((200, answer), asked=asked)
    assert done.returncode == 0, done.stderr
    assert answer in done.stdout
    assert asked == ['{"model": "any"}']


def test_a_model_that_is_not_ready_is_asked_again() -> None:
    """An error within the budget is not the end."""
    asked: list[str] = []
    assert _ask((503, "no backend"), (200, ANSWER), asked=asked).returncode == 0
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((404, "unknown model"), "unknown model"),
        ((200, NOTHING), "the answer is empty"),
        ((201, ANSWER), "not answered with 200"),
        ((200, "<html>"), "the answer is empty"),
    ],
)
def test_anything_else_fails_and_is_shown(answer: Answer, told: str) -> None:
    """Another status, no words, or no JSON at all fails the test, and its log says what came."""
    done = _ask(answer)
    assert done.returncode == 1
    assert told in done.stdout
