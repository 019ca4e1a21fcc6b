"""Which program stands for which container."""

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from llmd_tools.box import programs
from llmd_tools.box.programs import UnknownContainerError, program_for
from llmd_tools.judges.rendered import environments

_POD = {"metadata": {"name": "pod", "namespace": "space"}}


@pytest.fixture(autouse=True)
def _tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No tool is built for these tests."""
    monkeypatch.setattr(programs, "tool", Path("/tools").joinpath)
    template = tmp_path / "istio/tools/packaging/common/envoy_bootstrap.json"
    template.parent.mkdir(parents=True)
    template.write_text("{}")

    def module_folder(_group: object, module: str) -> Path:
        return tmp_path / module.rpartition("/")[2]

    monkeypatch.setattr(programs, "module_folder", module_folder)
    monkeypatch.setenv("LLMD_TOOLS_CACHE", str(tmp_path / "cache"))


def _container(image: str, *words: str, command: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"name": "main", "image": image, "command": list(command), "args": list(words)}


def _pods(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every pod spec inside of a value."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        if isinstance(fields.get("containers"), list):
            yield fields
        value = list(fields.values())
    if isinstance(value, list):
        for each in cast("list[Any]", value):
            yield from _pods(each)


@pytest.mark.parametrize("environment", environments())
def test_every_rendered_container_has_a_program(environment: str) -> None:
    """Nothing that this repository renders is unknown to the box."""
    for manifest in environments()[environment].objects.values():
        for pod in _pods(manifest.get("spec")):
            for container in (*pod.get("initContainers", []), *pod["containers"]):
                if "image" in container:
                    assert program_for(container, _POD).note


@pytest.mark.parametrize(
    ("image", "program"),
    [
        ("ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.9.2", "endpoint-picker"),
        ("ghcr.io/llm-d/llm-d-inference-scheduler:v0.4.0", "endpoint-picker"),
        ("ghcr.io/llm-d/llm-d-router-disagg-sidecar:v0.9.2", "pd-sidecar"),
        ("ghcr.io/llm-d/llm-d-routing-sidecar@sha256:00", "pd-sidecar"),
        ("registry.k8s.io/gateway-api-inference-extension/bbr:v1.5.0", "body-based-router"),
        ("docker.io/istio/pilot:1.31.1", "pilot-discovery"),
        ("docker.io/istio/proxyv2:1.31.1", "pilot-agent"),
    ],
)
def test_programs_run_with_the_arguments_that_were_rendered(image: str, program: str) -> None:
    """A program that is the real one takes what the manifest says; the image's own name for it is left out."""
    found = program_for(_container(image, "--flag", "$(POD_NAME)"), _POD)
    assert found.argv == (f"/tools/{program}", "--flag", "$(POD_NAME)")


def test_istios_agent_finds_its_template_where_containers_see_it(tmp_path: Path) -> None:
    """Go's modules may be in a folder that a container has for itself, such as /tmp or /var."""
    found = program_for(_container("docker.io/istio/proxyv2:1.31.1"), _POD)
    template = Path(found.env["ISTIO_BOOTSTRAP"])
    assert template.is_relative_to(tmp_path / "cache")
    assert template.read_text() == "{}"


def test_flags_in_the_command_are_kept() -> None:
    """KServe writes all of a picker's flags into its command."""
    found = program_for(_container("llm-d/epp:v1", command=("/app/epp", "--flag")), _POD)
    assert found.argv == ("/tools/endpoint-picker", "--flag")


@pytest.mark.parametrize("refused", [("--kv-cache-usage-percentage-metric", "x"), ("--lora-info-metric=x",)])
def test_flags_of_older_pickers_are_left_out(refused: tuple[str, ...]) -> None:
    """The picker that runs knows them only to refuse them."""
    found = program_for(_container("llm-d/epp:v1", "--pool-name", "p", *refused, "--tracing"), _POD)
    assert found.argv == ("/tools/endpoint-picker", "--pool-name", "p", "--tracing")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("vllm", "serve"), ("m", "--port=1")),
        (("vllm", "serve", "m"), ("--port=1",)),
        (("python3", "-m", "vllm.entrypoints.openai.api_server"), ("m", "--port=1")),
        ((), ("m", "--port=1")),
    ],
    ids=["command", "model in command", "api server", "entrypoint"],
)
def test_vllm_is_simulated_with_its_own_words(command: tuple[str, ...], words: tuple[str, ...]) -> None:
    """Every way to start vLLM ends in the same command line."""
    found = program_for(_container("docker.io/vllm/vllm-tpu:v1", *words, command=command), _POD)
    if command != ("python3", "-m", "vllm.entrypoints.openai.api_server"):
        assert found.argv[1:] == ("-m", "llmd_tools.box.vllm", "serve", "m", "--port=1")
    assert found.argv[3:] == ("serve", "m", "--port=1")
    assert (found.env["POD_NAME"], found.env["POD_NAMESPACE"]) == ("pod", "space")


def test_vllm_in_a_shell_script_is_simulated(tmp_path: Path) -> None:
    """A script that calls `vllm` gets the simulator, with what the shell made of the variables."""
    simulator = tmp_path / "simulator"
    simulator.write_text('#!/bin/sh\necho "$@"\n')
    simulator.chmod(0o755)
    script = 'eval "exec vllm serve m --port=${PORT}"'
    found = program_for(
        _container("docker.io/vllm/vllm-openai:v1", script, command=("/bin/bash", "-c")), _POD
    )
    env = {**found.env, "PORT": "8123", "LLMD_SIMULATOR": str(simulator)}
    said = subprocess.run(found.argv, env=env, capture_output=True, text=True, check=True).stdout
    assert "--model=m" in said
    assert "--port=8123" in said


def test_downloads_are_left_out_and_say_so() -> None:
    """KServe's download of a model ends well at once, and its log tells why."""
    found = program_for(_container("docker.io/kserve/storage-initializer:v1", "hf://m", "/mnt/models"), _POD)
    said = subprocess.run(found.argv, capture_output=True, text=True, check=True).stdout
    assert said == "nothing is downloaded in a cluster in a box: hf://m /mnt/models\n"


def test_unknown_image_is_named() -> None:
    """A container that nothing stands for is an error that names image, container and pod."""
    with pytest.raises(
        UnknownContainerError, match=r"'main' of pod space/pod, image docker.io/nginx:1: no program"
    ):
        program_for(_container("docker.io/nginx:1"), _POD)


def test_unknown_command_in_vllms_image_is_named() -> None:
    """What is neither vLLM nor a shell cannot be simulated."""
    with pytest.raises(UnknownContainerError, match="'ray' is neither vLLM nor a shell"):
        program_for(_container("docker.io/vllm/vllm-openai:v1", "start", command=("ray",)), _POD)
