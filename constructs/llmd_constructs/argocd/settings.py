"""Argo CD's own settings: how it tells the health of the custom resources that we sync."""

from functools import cache
from pathlib import Path

from llmd_constructs.labels import recommended
from llmd_constructs.manifest import CONFIG_MAP, JsonObject

HEALTH_FOLDER = Path(__file__).parent / "health"
"""One Lua file per kind, named `<group>_<Kind>.lua`."""


@cache
def health_checks() -> dict[str, str]:
    """Lua health check by `<group>_<Kind>`."""
    return {file.stem: file.read_text("utf-8") for file in sorted(HEALTH_FOLDER.glob("*.lua"))}


def settings(namespace: str) -> JsonObject:
    """The part of `argocd-cm` that is ours; server-side apply leaves the rest of it alone."""
    checks = {f"resource.customizations.health.{kind}": lua for kind, lua in health_checks().items()}
    labels = {**recommended("argocd-cm", "settings", "argocd"), "app.kubernetes.io/part-of": "argocd"}
    data = {"application.resourceTrackingMethod": "annotation", **checks}
    return CONFIG_MAP.manifest("argocd-cm", namespace, labels=labels, data=data)
