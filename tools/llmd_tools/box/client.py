"""A client of OpenAI's API, as it is behind a gateway."""

import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import urllib3

_SECONDS = 30
_CHUNK = 1 << 16
_EVENT = b"data: "
_END = b"[DONE]"


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        status: The HTTP status.
        text: The body.
        replica: The pod that answered, as the simulator names itself; empty if another did.
    """

    status: int
    text: str
    replica: str

    @property
    def good(self) -> bool:
        """Whether the request was answered, not refused or lost."""
        return self.status == HTTPStatus.OK

    @property
    def body(self) -> Any:
        """The body, parsed."""
        return json.loads(self.text)

    def __str__(self) -> str:
        return f"{self.status} from {self.replica or 'no replica'}: {self.text.strip()[:200]}"


class Client:
    """Connections to one base address, kept open; threads may share it."""

    def __init__(self, url: str, *, connections: int = 8) -> None:
        """Describe it; the first request connects.

        Args:
            url: What comes before `/v1`, such as `http://127.0.0.1:8080/precise`.
            connections: How many are kept at most.
        """
        self.url = url.rstrip("/")
        timeout = urllib3.Timeout(connect=5, read=_SECONDS)
        self._http = urllib3.PoolManager(retries=False, timeout=timeout, maxsize=connections)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.clear()

    def at(self, path: str) -> Self:
        """A client of another path of the same server, with connections of its own."""
        return type(self)(f"{self.url}{path}")

    def get(self, path: str) -> Answer:
        """The answer to a GET; status 0 if there is none."""
        return self._request("GET", path)

    def chat(self, model: str, prompt: str, *, max_tokens: int = 8) -> Answer:
        """The answer to a chat of one message; status 0 if there is none."""
        return self._request("POST", "/v1/chat/completions", _chat(model, prompt, max_tokens))

    def complete(self, model: str, prompt: str, *, max_tokens: int = 8) -> Answer:
        """The answer to a prompt without a template; status 0 if there is none."""
        body = {"model": model, "prompt": prompt, "max_tokens": max_tokens}
        return self._request("POST", "/v1/completions", body)

    @contextmanager
    def stream(
        self, model: str, prompt: str, *, max_tokens: int = 64, to_the_end: bool = False
    ) -> Generator[Iterator[str]]:
        """A chat as a stream: the pieces of text, each as soon as it is there.

        Args:
            model: The model's name, or an adapter's.
            prompt: What it is asked.
            max_tokens: How long the answer may be.
            to_the_end: Have an answer just that long.

        Raises:
            urllib3.exceptions.HTTPError: If there is no answer, or it breaks off.
            ValueError: If the answer is not a stream, with what it is.
        """
        body = _chat(model, prompt, max_tokens) | {"stream": True, "ignore_eos": to_the_end}
        response = self._http.request(
            "POST", f"{self.url}/v1/chat/completions", json=body, preload_content=False
        )
        try:
            kind = response.headers.get("content-type", "")
            if response.status != HTTPStatus.OK or "text/event-stream" not in kind:
                raise ValueError(f"no stream but {response.status} {kind}: {response.read(200)!r}")
            yield _pieces(response)
        finally:
            response.close()

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        try:
            response = self._http.request(method, f"{self.url}{path}", json=body)
        except urllib3.exceptions.HTTPError as error:
            return Answer(0, str(error), "")
        return Answer(response.status, response.data.decode(), response.headers.get("x-inference-pod", ""))


def _chat(model: str, prompt: str, max_tokens: int) -> dict[str, Any]:
    messages = [{"role": "user", "content": prompt}]
    return {"model": model, "messages": messages, "max_tokens": max_tokens}


def _pieces(response: urllib3.BaseHTTPResponse) -> Iterator[str]:
    rest = b""
    for read in response.stream(_CHUNK):  # a chunk of the answer is here as soon as it has been sent
        *lines, rest = (rest + read).split(b"\n")
        yield from filter(None, map(_text, lines))


def _text(line: bytes) -> str:
    """The piece of text in a line of the stream; empty if it has none."""
    event = line.removeprefix(_EVENT).strip()
    if not line.startswith(_EVENT) or event == _END:
        return ""
    choices: list[dict[str, Any]] = json.loads(event).get("choices", [])
    return "".join(each.get("delta", {}).get("content") or "" for each in choices)
