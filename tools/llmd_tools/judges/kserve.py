"""KServe's own LLMInferenceService controller and webhooks, run from their module beside a control plane."""

import base64
import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import urllib3
import yaml

from llmd_tools.build import module_folder, tool
from llmd_tools.cluster import ControlPlane, wait_until
from llmd_tools.errors import ToolError
from llmd_tools.groups import group

NAMESPACE = "kserve"
"""Where the controller looks for its settings and presets."""

_MODULE = "github.com/kserve/kserve"
_CHARTS: Mapping[str, str] = {"kserve-0.16": "llmisvc-resources"}
"""The chart with settings and webhooks, where it is not the one of later releases."""
_CHART = "kserve-llmisvc-resources"

_SETTINGS = "inferenceservice-config"


@dataclass(frozen=True)
class _Release:
    """One release of KServe as its module holds it."""

    name: str

    @property
    def program(self) -> str:
        return self.name.replace("kserve", "llmisvc")

    @property
    def folder(self) -> Path:
        return module_folder(group(self.name), _MODULE)

    def chart(self) -> list[dict[str, Any]]:
        """What the release's chart renders."""
        chart = self.folder / "charts" / _CHARTS.get(self.name, _CHART)
        done = subprocess.run(
            [str(tool("helm")), "template", "kserve", str(chart), "--namespace", NAMESPACE],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ToolError(f"{chart.name} of {self.name} does not render: {done.stderr.strip()}")
        return [each for each in yaml.safe_load_all(done.stdout) if each]

    def presets(self) -> list[dict[str, Any]]:
        """Its LLMInferenceServiceConfigs."""
        files = sorted((self.folder / "config" / "llmisvcconfig").glob("config-*.yaml"))
        presets = [yaml.safe_load(file.read_text()) for file in files]
        return [{**each, "metadata": {**each["metadata"], "namespace": NAMESPACE}} for each in presets]


def start(cluster: ControlPlane, release: str, gateway: str | None = None) -> None:
    """Start the controller of a release, with its chart's settings and webhooks and its own presets.

    Args:
        cluster: Where it runs; the CRDs of the release must be installed.
        release: The group of tools that builds it, such as `kserve-0.20`.
        gateway: `<namespace>/<name>` of the Gateway for services that name none, where it is not the chart's own.

    Raises:
        ToolError: If it does not start, or the API server refuses what belongs to it.
    """
    it = _Release(release)
    rendered = it.chart()
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    settings = [
        each for each in rendered if each["kind"] == "ConfigMap" and each["metadata"]["name"] == _SETTINGS
    ]
    if gateway:
        settings = [_with_gateway(each, gateway) for each in settings]
    _accept(cluster, [namespace, *settings])
    webhook = _start_program(cluster, it)
    _accept(cluster, [_on_loopback(each, cluster, webhook) for each in rendered if _is_webhook(each)])
    _accept(cluster, it.presets())


def _with_gateway(settings: dict[str, Any], gateway: str) -> dict[str, Any]:
    """The settings with the Gateway, `<namespace>/<name>`, that routes of services which name none lead through."""
    ingress = json.loads(settings["data"]["ingress"])
    ingress["kserveIngressGateway"] = gateway
    return {**settings, "data": {**settings["data"], "ingress": json.dumps(ingress)}}


def _accept(cluster: ControlPlane, objects: list[dict[str, Any]]) -> None:
    verdicts = cluster.apply(objects, field_manager="kserve", validate="Warn")
    if refused := [str(each) for each in verdicts if not each.accepted]:
        raise ToolError("\n".join(refused))


def _start_program(cluster: ControlPlane, release: _Release) -> int:
    """The port of the webhooks of the running program."""
    certificates = cluster.folder / "k8s-webhook-server" / "serving-certs"  # below TMPDIR, where it looks
    certificates.mkdir(parents=True)
    for ending in ("crt", "key"):
        shutil.copy(cluster.certificates / f"apiserver.{ending}", certificates / f"tls.{ending}")
    webhook, health = cluster.ports.take(), cluster.ports.take()
    cluster.programs.start(
        release.program,
        [
            tool(release.program),
            f"--webhook-port={webhook}",
            "--metrics-addr=0",
            f"--health-probe-addr=127.0.0.1:{health}",
            "--zap-log-level=info",
        ],
        {"KUBECONFIG": str(cluster.kubeconfig), "POD_NAMESPACE": NAMESPACE},
    )
    authority = str(cluster.certificates / "apiserver.crt")
    with urllib3.PoolManager(ca_certs=authority, retries=False) as http:
        wait_until(
            "KServe's controller is ready",
            lambda: (
                _answers(http, f"http://127.0.0.1:{health}/readyz", HTTPStatus.OK)
                and _answers(http, f"https://127.0.0.1:{webhook}/", HTTPStatus.NOT_FOUND)
            ),
            programs=cluster.programs,
            seconds=120,
        )
    return webhook


def _answers(http: urllib3.PoolManager, url: str, status: HTTPStatus) -> bool:
    try:
        return http.request("GET", url).status == status
    except urllib3.exceptions.HTTPError:
        return False


def _is_webhook(manifest: Mapping[str, Any]) -> bool:
    return str(manifest["kind"]).endswith("WebhookConfiguration")


def _on_loopback(manifest: dict[str, Any], cluster: ControlPlane, port: int) -> dict[str, Any]:
    """The configuration with an address on this machine in place of a Service, which nothing serves here."""
    authority = base64.b64encode((cluster.certificates / "apiserver.crt").read_bytes()).decode()
    webhooks = [
        {
            **each,
            "clientConfig": {
                "url": f"https://127.0.0.1:{port}{each['clientConfig']['service']['path']}",
                "caBundle": authority,
            },
        }
        for each in manifest["webhooks"]
    ]
    return {**manifest, "metadata": {"name": manifest["metadata"]["name"]}, "webhooks": webhooks}
