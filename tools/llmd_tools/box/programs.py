"""Which program of this machine stands for a container: the simulator for vLLM, the real one for all others."""

import os
import re
import shutil
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmd_tools.box import vllm
from llmd_tools.build import module_folder, tool, versions
from llmd_tools.cache import cache_root, key, made_once
from llmd_tools.errors import ToolError
from llmd_tools.groups import group

_ROOT = Path(__file__).parents[2]
"""The source root that programs of ours are imported from."""

_SHIMS = Path(__file__).parent / "shims"
"""Programs of ours under the names that shell scripts of containers call."""

_SHELLS = frozenset({"bash", "sh"})
_API_SERVER = ("-m", "vllm.entrypoints.openai.api_server")


class UnknownContainerError(ToolError):
    """A container that no program here stands for; the message names its image and its pod."""


@dataclass(frozen=True)
class Program:
    """What to run in a container's place.

    Attributes:
        argv: The program's path and its arguments, with every `$(NAME)` of the manifest still in it.
        env: What it needs in its environment; it wins over what the container itself asks for.
        note: What runs, and how it differs from what the image would run, in one line.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    note: str


def program_for(container: Mapping[str, Any], pod: Mapping[str, Any]) -> Program:
    """The program that stands for a container of a pod.

    Args:
        container: The container, as it is in the pod.
        pod: The pod, as the API server has it.

    Raises:
        UnknownContainerError: If none does, or the container's command is none that its image has.
    """
    for image, make in _PROGRAMS:
        if image.search(container["image"]):
            return make(container, pod)
    raise _unknown(container, pod, "no program on this machine stands for its image")


def _unknown(container: Mapping[str, Any], pod: Mapping[str, Any], why: str) -> UnknownContainerError:
    metadata = pod["metadata"]
    place = f"container {container['name']!r} of pod {metadata['namespace']}/{metadata['name']}"
    return UnknownContainerError(f"{place}, image {container['image']}: {why}")


def _words(container: Mapping[str, Any]) -> tuple[Sequence[str], Sequence[str]]:
    return container.get("command") or (), container.get("args") or ()


def _vllm(container: Mapping[str, Any], pod: Mapping[str, Any]) -> Program:
    """The command line of vLLM, alone or in a shell script; the images' own entrypoint is `vllm serve`."""
    command, arguments = _words(container)
    words = [*(command or ("vllm", "serve")), *arguments]
    name, rest = Path(words[0]).name, words[1:]
    env = {
        "LLMD_PYTHON": sys.executable,
        "PATH": os.pathsep.join([str(_SHIMS), os.environ.get("PATH", os.defpath)]),
        "POD_NAME": pod["metadata"]["name"],  # with these two, every answer names its replica
        "POD_NAMESPACE": pod["metadata"]["namespace"],
        "PYTHONPATH": str(_ROOT),
        vllm.SIMULATOR: str(tool("llm-d-inference-sim")),
    }
    if name in _SHELLS:
        return Program(tuple(words), env, "the container's shell script, in which vLLM is llm-d's simulator")
    if name.startswith("python") and tuple(rest[:2]) == _API_SERVER:
        rest = ["serve", *rest[2:]]
    elif name != "vllm":
        raise _unknown(container, pod, f"its command {words[0]!r} is neither vLLM nor a shell script")
    return Program(
        (sys.executable, "-m", vllm.__name__, *rest),
        env,
        "llm-d's simulator of vLLM: no model, no accelerator",
    )


def _as_it_is(name: str) -> Callable[[Mapping[str, Any], Mapping[str, Any]], Program]:
    """A program of ours under the arguments of the container, whose command can only be that program."""

    def make(container: Mapping[str, Any], _: Mapping[str, Any]) -> Program:
        command, arguments = _words(container)
        return Program((str(tool(name)), *command[1:], *arguments), {}, f"{name}, as it is")

    return make


def _picker(container: Mapping[str, Any], _: Mapping[str, Any]) -> Program:
    """The picker, less the flags that it knows only to refuse them: older releases had them."""
    from llmd_constructs.catalogue import picker_release  # noqa: PLC0415 - the agent starts earlier without it

    command, arguments = _words(container)
    release = versions(group("picker"))["github.com/llm-d/llm-d-router"]
    refused = {f"--{each}" for each in picker_release(release).refused_flags}
    words = list(_without(refused, [*command[1:], *arguments]))
    return Program((str(tool("endpoint-picker")), *words), {}, f"endpoint-picker {release}, as it is")


def _without(refused: Collection[str], words: Iterable[str]) -> Iterator[str]:
    """Words of a command line without some flags, and without the values that follow them."""
    follows = False
    for word in words:
        flag, equals, _ = word.partition("=")
        if flag in refused:
            follows = not equals
        elif follows and not word.startswith("-"):
            follows = False
        else:
            follows = False
            yield word


def _istio_proxy(container: Mapping[str, Any], _: Mapping[str, Any]) -> Program:
    arguments = _words(container)[1]
    env = {"ISTIO_BOOTSTRAP": str(_bootstrap())}
    return Program((str(tool("pilot-agent")), *arguments), env, "Istio's agent, with a stock Envoy")


def _bootstrap() -> Path:
    """The template of Envoy's configuration, copied to where containers see it: Go's modules may be anywhere."""
    module = module_folder(group("istio"), "istio.io/istio")
    template = module / "tools/packaging/common/envoy_bootstrap.json"

    def copy(staging: Path) -> None:
        shutil.copyfile(template, staging / template.name)

    return made_once(cache_root() / "istio" / key(template.read_bytes()), copy) / template.name


def _no_download(container: Mapping[str, Any], _: Mapping[str, Any]) -> Program:
    command, arguments = _words(container)
    said = f"nothing is downloaded in a cluster in a box: {' '.join([*command, *arguments])}"
    return Program(
        ("/bin/sh", "-c", 'echo "$0"', said), {}, "does nothing: the simulator reads no model files"
    )


_PROGRAMS: Sequence[tuple[re.Pattern[str], Callable[[Mapping[str, Any], Mapping[str, Any]], Program]]] = (
    (re.compile(r"/pilot[:@]"), _as_it_is("pilot-discovery")),
    (re.compile(r"/proxyv2[:@]"), _istio_proxy),
    (re.compile(r"sidecar[:@]"), _as_it_is("pd-sidecar")),
    (re.compile(r"endpoint-picker[:@]|llm-d-inference-scheduler[:@]|/epp[:@]"), _picker),
    (re.compile(r"/bbr[:@]"), _as_it_is("body-based-router")),
    (re.compile(r"storage-initializer[:@]"), _no_download),
    (re.compile(r"/vllm|/llm-d-(cuda|dev|tpu)[:@]"), _vllm),
)
"""By image; the first that fits."""

GROUPS = ("picker", "istio", "simulator", "sidecar", "body-router")
"""The groups of tools that stand for containers, to be built before a pod needs one."""
