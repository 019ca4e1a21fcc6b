"""llm-d's endpoint picker, run from its module: what it says of a configuration, and whether it gets ready."""

import json
import re
import subprocess
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from llmd_constructs.catalogue.releases.picker import PickerRelease
from llmd_tools.build import tool
from llmd_tools.cluster import ControlPlane
from llmd_tools.judges.rendered import Manifest

RELEASE = "v0.9.2"
"""The release that is built, the newest that a registry serves."""

_LOADED = "loaded configuration from file/text successfully"
_POD_ADDED = re.compile(r'"msg":"Pod added".*?"name":"([^"]+)"')
_KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{name: none, cluster: {server: "http://127.0.0.1:1"}}]
contexts: [{name: none, context: {cluster: none, user: none}}]
users: [{name: none, user: {}}]
current-context: none
"""
"""A cluster that does not answer: the picker reads its configuration first."""


@dataclass(frozen=True)
class Configured:
    """A rendered configuration of a picker.

    Attributes:
        name: Of the pool, or of the LLMInferenceService.
        namespace: Of both.
        release: The picker release that it is written for.
        text: The EndpointPickerConfig.
        flags: The rendered command line, without the configuration; empty where KServe writes it.
    """

    name: str
    namespace: str
    release: str
    text: str
    flags: tuple[str, ...] = ()


def configurations(
    manifests: Collection[Manifest], picker: str, kserve_picker: str | None
) -> Iterator[Configured]:
    """Every picker configuration that an environment renders.

    Args:
        manifests: Its objects.
        picker: The release of pickers that stand on their own.
        kserve_picker: The release that its KServe starts, if it has one.
    """
    maps = {_key(each): each for each in manifests if each["kind"] == "ConfigMap"}
    for deployment in (each for each in manifests if each["kind"] == "Deployment"):
        arguments = deployment["spec"]["template"]["spec"]["containers"][0].get("args", [])
        if _key(deployment) in maps and any(each.startswith("--pool-name") for each in arguments):
            [text] = maps[_key(deployment)]["data"].values()
            flags = tuple(each for each in arguments if not each.startswith("--config-file"))
            namespace, name = _key(deployment)
            yield Configured(name, namespace, picker, text, flags)
    for service in (each for each in manifests if each["kind"] == "LLMInferenceService"):
        yield from _of_kserve(service, kserve_picker or "")


def _key(manifest: Manifest) -> tuple[str, str]:
    return manifest["metadata"]["namespace"], manifest["metadata"]["name"]


def _of_kserve(service: Manifest, release: str) -> Iterator[Configured]:
    scheduler: Mapping[str, Any] = service["spec"]["router"].get("scheduler", {})
    namespace, name = _key(service)
    if inline := scheduler.get("config", {}).get("inline"):
        yield Configured(name, namespace, release, yaml.safe_dump(inline, sort_keys=False))
    for container in scheduler.get("template", {}).get("containers", []):
        arguments: list[str] = container.get("args", [])
        if "--config-text" in arguments:
            index = arguments.index("--config-text")
            flags = (*arguments[:index], *arguments[index + 2 :])
            yield Configured(name, namespace, release, arguments[index + 1], flags)


def flag_names(flags: Sequence[str]) -> list[str]:
    """The names of flags, without dashes and values."""
    return [each.removeprefix("--").partition("=")[0] for each in flags if each.startswith("--")]


def unknown_words(configured: Configured, release: PickerRelease) -> Iterator[str]:
    """Words of a configuration that the catalogue does not know of a release: plugins, parameters, fields, flags."""
    config = yaml.safe_load(configured.text)
    if config["apiVersion"] not in release.accepted_config_api_versions:
        yield f"apiVersion {config['apiVersion']}"
    yield from (f"field {each}" for each in config.keys() - {"apiVersion", "kind", *release.config_fields})
    yield from (f"flag --{each}" for each in flag_names(configured.flags) if each not in release.flags)
    yield from (
        f"refused flag --{each}" for each in flag_names(configured.flags) if each in release.refused_flags
    )
    for plugin in config["plugins"]:
        if plugin["type"] not in release.plugins:
            yield f"plugin {plugin['type']}"
            continue
        known = release.plugins[plugin["type"]]
        yield from (
            f"parameter {plugin['type']}.{each}" for each in plugin.get("parameters", {}) if each not in known
        )


def adapted(configured: Configured, release: PickerRelease) -> Configured:
    """The configuration for the release that runs: what differs between the two is the API version and the flags."""
    config = yaml.safe_load(configured.text)
    config["apiVersion"] = release.config_api_version
    known = tuple(each for each in configured.flags if flag_names([each])[0] in release.flags)
    return Configured(
        configured.name, configured.namespace, RELEASE, yaml.safe_dump(config, sort_keys=False), known
    )


def judge(text: str) -> str:
    """What the picker has against a configuration; empty if nothing. No cluster is needed."""
    with TemporaryDirectory() as folder:
        kubeconfig = Path(folder) / "kubeconfig"
        kubeconfig.write_text(_KUBECONFIG)
        done = subprocess.run(
            [
                tool("endpoint-picker"),
                "--pool-name=none",
                "--pool-namespace=none",
                "--zap-encoder=json",
                "--tracing=false",
                "--metrics-port=0",
                "--config-text",
                text,
            ],
            env={"HOME": folder, "KUBECONFIG": str(kubeconfig), "NAMESPACE": "none", "POD_NAME": "none"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    said = done.stdout + done.stderr
    return "" if _LOADED in said else _error(said)


def _error(said: str) -> str:
    """The last error among the lines of a log."""
    errors = [json.loads(line) for line in said.splitlines() if line.startswith('{"level":"error"')]
    return str(errors[-1]["error"]) if errors else said.strip().rpartition("\n")[2]


class RunningPicker:
    """The picker of one pool, beside a control plane that has the pool.

    Attributes:
        health_port: Where its gRPC health checks are.
        program: The running picker.
    """

    def __init__(self, cluster: ControlPlane, configured: Configured) -> None:
        """Start it with its rendered flags, but free ports; `Programs.stop` or the control plane's end stops it."""
        self.health_port = cluster.ports.take()
        ports = {
            "grpc-port": cluster.ports.take(),
            "grpc-health-port": self.health_port,
            "metrics-port": cluster.ports.take(),
        }
        # A certificate is mounted into a pod; here the picker makes its own.
        own = {*ports, "cert-path"}
        flags = [flag for flag in configured.flags if flag_names([flag])[0] not in own]
        self.program = cluster.programs.start(
            f"picker-{configured.name}",
            [
                tool("endpoint-picker"),
                *flags,
                *(f"--{name}={port}" for name, port in ports.items()),
                "--config-text",
                configured.text,
            ],
            {
                "KUBECONFIG": str(cluster.kubeconfig),
                "NAMESPACE": configured.namespace,
                "POD_NAME": configured.name,
            },
        )

    def pods(self) -> set[str]:
        """The names of the pods that it has found in its pool, by its own log: those that came after the pool."""
        return set(_POD_ADDED.findall(self.program.log.read_text(errors="replace")))
