"""Plays vLLM's command line: `vllm serve` and `vllm launch render` start llm-d's simulator of vLLM.

It runs in a container's place, so that the container's own command, a shell script included, decides what is served.
What the simulator cannot play is named on standard error; nothing is downloaded.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Never

from llmd_tools.box import kv_events

SIMULATOR = "LLMD_SIMULATOR"
"""Names the variable with the simulator's path."""

_SERVE, _RENDER = ("serve",), ("launch", "render")
_DEFAULT_PORT = 8000
_CONTEXT_LENGTH = 32768
"""Tokens, where nothing is said: vLLM would read the model's own length from a file that is not here."""

_LATENCY = (
    "--latency-calculator=per-token",
    "--prefill-overhead=5ms",
    "--prefill-time-per-token=300us",
    "--inter-token-latency=5ms",
    "--kv-cache-transfer-time-per-token=5us",
)
"""Made up, and small so that tests are quick; in proportion, a cached prefix and a transfer cost less than a prefill."""

_CACHE_BLOCKS = 16384
"""Blocks of KV cache; with 16 tokens each, eight contexts of the default length."""


@dataclass(frozen=True)
class Simulation:
    """What runs in place of one vLLM.

    Attributes:
        arguments: The simulator's.
        env: What is added to its environment.
        events_to: Where vLLM would publish events of its KV cache; empty if it does not.
        ignored: Words of the command line that are not played.
    """

    arguments: tuple[str, ...]
    env: Mapping[str, str]
    events_to: str
    ignored: tuple[str, ...]


def simulation(words: Sequence[str], env: Mapping[str, str]) -> Simulation:
    """The simulation of a vLLM with this command line.

    Args:
        words: What follows `vllm`, or `python3 -m vllm.entrypoints.openai.api_server`, which is the same as `serve`.
        env: The container's environment.

    Raises:
        SystemExit: If vLLM has no such command or flag value; the message says so.
    """
    model, rest = _command(words)
    asked, ignored = _parser().parse_known_args(rest)
    model = asked.model or model or sys.exit("vllm: no model; give one after `serve` or with --model")
    names = asked.served_model_name or [model]
    events = _events(asked.kv_events_config)
    told = events.get("topic", "").split("@")  # kv@<address>:<port>@<model>
    address, model = (told[1], told[2]) if len(told) == 3 else (env.get("POD_IP", "127.0.0.1"), model)
    arguments = [
        f"--model={model}",
        "--served-model-name",
        *names,
        f"--port={asked.port}",
        f"--max-model-len={asked.max_model_len}",
        f"--max-num-seqs={asked.max_num_seqs}",
        "--force-dummy-tokenizer",
        *_LATENCY,
        *_adapters(asked.lora_modules, model),
        *_copied(asked),
        *_cache(asked, events),
    ]
    return Simulation(tuple(arguments), {"POD_IP": address}, str(events.get("endpoint", "")), tuple(ignored))


def _command(words: Sequence[str]) -> tuple[str, list[str]]:
    """The model that stands after the command, and the words after that."""
    for command in (_SERVE, _RENDER):
        if tuple(words[: len(command)]) == command:
            words = words[len(command) :]
            return (
                (words[0], list(words[1:])) if words and not words[0].startswith("-") else ("", list(words))
            )
    if words and not words[0].startswith("-"):
        sys.exit(f"vllm: no command {words[0]!r} is simulated here; there are `serve` and `launch render`")
    return "", list(words)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="vllm", add_help=False, allow_abbrev=False)
    parser.add_argument("--model", default="")
    parser.add_argument("--served-model-name", nargs="+")
    parser.add_argument("--port", type=int, default=_DEFAULT_PORT)
    parser.add_argument("--max-model-len", type=int, default=_CONTEXT_LENGTH)
    parser.add_argument("--max-num-seqs", type=int, default=256)
    parser.add_argument("--max-loras", type=int)
    parser.add_argument("--max-cpu-loras", type=int)
    parser.add_argument("--lora-modules", nargs="+", default=[])
    parser.add_argument("--ssl-certfile")
    parser.add_argument("--ssl-keyfile")
    parser.add_argument("--block-size", type=int, default=16)
    parser.add_argument("--kv-events-config", default="{}")
    parser.add_argument("--enable-prefix-caching", action=argparse.BooleanOptionalAction, default=True)
    return parser


def _events(config: str) -> dict[str, Any]:
    try:
        events: dict[str, Any] = json.loads(config)
    except ValueError as error:
        sys.exit(f"vllm: --kv-events-config is not JSON: {error}")
    return events if events.get("enable_kv_cache_events") else {}


def _adapters(modules: Sequence[str], model: str) -> list[str]:
    """Adapters in the simulator's form; vLLM takes `name=path` as well as JSON."""
    if not modules:
        return []
    parts = [module.partition("=") for module in modules]
    return ["--lora-modules"] + [
        module
        if module.startswith("{")
        else json.dumps({"name": name, "path": path, "base_model_name": model})
        for module, (name, _, path) in zip(modules, parts, strict=True)
    ]


def _copied(asked: argparse.Namespace) -> list[str]:
    """Flags that the simulator has under the same name, if they are given."""
    names = ("max_loras", "max_cpu_loras", "ssl_certfile", "ssl_keyfile")
    return [f"--{name.replace('_', '-')}={value}" for name in names if (value := getattr(asked, name))]


def _cache(asked: argparse.Namespace, events: Mapping[str, Any]) -> list[str]:
    if not asked.enable_prefix_caching:
        return []
    return [
        "--enable-kvcache",
        f"--kv-cache-size={_CACHE_BLOCKS * 16 // asked.block_size}",
        f"--block-size={asked.block_size}",
        "--event-batch-size=1",
        f"--zmq-endpoint={kv_events.COLLECTED_AT if events else ''}",
    ]


def main() -> Never:
    """Become the simulator, or run it behind a relay of its events."""
    found = simulation(sys.argv[1:], os.environ)
    if found.ignored:
        print("vllm: not simulated:", *found.ignored, file=sys.stderr, flush=True)  # noqa: T201  # a program's log
    env = {**os.environ, **found.env}
    command = [os.environ[SIMULATOR], *found.arguments]
    if found.events_to:
        sys.exit(kv_events.run_behind_relay(command, env, found.events_to))
    os.execve(command[0], command, env)  # noqa: S606  # a program of ours, no shell


if __name__ == "__main__":
    main()
