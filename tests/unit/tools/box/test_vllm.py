"""The simulator's command line, made from that of vLLM."""

import json

import pytest

from llmd_tools.box import kv_events
from llmd_tools.box.vllm import simulation


def _values(words: list[str], flag: str) -> list[str]:
    """The values of a flag of the simulator, given as `--flag=value`."""
    return [each.partition("=")[2] for each in simulation(words, {}).arguments if each.startswith(f"{flag}=")]


def _after(words: list[str], flag: str) -> list[str]:
    """The words that follow a flag of the simulator, up to the next flag."""
    arguments = simulation(words, {}).arguments
    rest = arguments[arguments.index(flag) + 1 :]
    end = next((index for index, each in enumerate(rest) if each.startswith("--")), len(rest))
    return list(rest[:end])


@pytest.mark.parametrize(
    "words",
    [
        ["serve", "org/model", "--port=8200"],
        ["serve", "org/model", "--port", "8200"],
        ["--model=org/model", "--port", "8200"],
        ["serve", "--dtype", "half", "--model", "org/model", "--port=8200"],
        ["launch", "render", "org/model", "--port=8200"],
    ],
    ids=["positional", "two words", "api server", "after other flags", "render"],
)
def test_model_and_port_are_those_of_the_command(words: list[str]) -> None:
    """However vLLM is told its model and port, the simulator has the same."""
    assert _values(words, "--model") == ["org/model"]
    assert _values(words, "--port") == ["8200"]
    assert _after(words, "--served-model-name") == ["org/model"]


def test_served_names_replace_the_name_of_the_model() -> None:
    """A model under /mnt/models is served under the names given."""
    words = ["serve", "/mnt/models", "--served-model-name", "org/model", "alias", "--port=8000"]
    assert _after(words, "--served-model-name") == ["org/model", "alias"]


def test_context_length_is_that_of_the_command() -> None:
    """A prompt that is too long for the model is too long for the simulator."""
    assert _values(["serve", "m", "--max-model-len=4096"], "--max-model-len") == ["4096"]


def test_adapters_have_the_simulators_form() -> None:
    """Adapters are served under their names, in whichever of vLLM's two forms they are given."""
    as_json = json.dumps({"name": "b", "path": "org/b"})
    words = ["serve", "m", "--lora-modules", "a=org/a", as_json, "--max-loras=2"]
    assert [json.loads(each)["name"] for each in _after(words, "--lora-modules")] == ["a", "b"]
    assert _values(words, "--max-loras") == ["2"]


def test_certificate_is_passed_on() -> None:
    """A replica that serves HTTPS is simulated by one that does."""
    words = ["serve", "m", "--ssl-certfile=/tls/tls.crt", "--ssl-keyfile=/tls/tls.key"]
    assert _values(words, "--ssl-certfile") == ["/tls/tls.crt"]
    assert _values(words, "--ssl-keyfile") == ["/tls/tls.key"]


def test_cache_events_are_told_under_the_topic_of_the_command() -> None:
    """The picker finds a replica's events by the address, port and model in the topic."""
    config = {
        "enable_kv_cache_events": True,
        "endpoint": "tcp://*:5556",
        "topic": "kv@10.0.0.1:8000@org/model",
    }
    words = ["serve", "/mnt/models", "--block-size=64", f"--kv-events-config={json.dumps(config)}"]
    found = simulation(words, {"POD_IP": "10.0.0.1"})
    assert found.events_to == "tcp://*:5556"
    assert found.env["POD_IP"] == "10.0.0.1:8000"
    assert _values(words, "--model") == ["org/model"]
    assert _values(words, "--block-size") == ["64"]
    assert _values(words, "--zmq-endpoint") == [kv_events.COLLECTED_AT]


def test_without_events_nothing_is_published() -> None:
    """The simulator's own default would have it look for a collector for ever."""
    found = simulation(["serve", "m"], {"POD_IP": "10.0.0.1"})
    assert found.events_to == ""
    assert _values(["serve", "m"], "--zmq-endpoint") == [""]


def test_prefix_caching_can_be_switched_off() -> None:
    """A vLLM without prefix caching forgets every prompt."""
    assert "--enable-kvcache" in simulation(["serve", "m"], {}).arguments
    assert "--enable-kvcache" not in simulation(["serve", "m", "--no-enable-prefix-caching"], {}).arguments


def test_flags_that_are_not_played_are_named() -> None:
    """Whoever reads the log sees what the simulation leaves out."""
    words = ["serve", "m", "--tensor-parallel-size=8", "--dtype", "half"]
    assert simulation(words, {}).ignored == ("--tensor-parallel-size=8", "--dtype", "half")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["bench", "m"], "no command 'bench' is simulated"),
        (["serve", "--port=8000"], "no model"),
        (["serve", "m", "--kv-events-config={"], "not JSON"),
    ],
)
def test_commands_that_cannot_be_played_are_refused(words: list[str], message: str) -> None:
    """A container that could not run ends at once, and says why."""
    with pytest.raises(SystemExit, match=message):
        simulation(words, {})
