"""Releases of Istio, as the Sail operator installs them."""

from functools import cache

from llmd_constructs.catalogue._table import Entry, Table, read_table


class IstioRelease(Entry):
    """One minor release.

    Attributes:
        id: The minor version.
        version: The exact patch version, as `spec.version` of the Sail operator's Istio object wants it.
        sail_operator: The version of the Sail operator's chart that installs `version`.
        inference_pool_api: The InferencePool API that its gateway resolves.
        inference_env: Environment variables of istiod that turn the inference extension on.
        body_forwarding_filter: Whether its gateway needs an EnvoyFilter so that the picker gets request bodies.
        note: What to know before relying on it.
    """

    id: str
    version: str
    sail_operator: str
    inference_pool_api: str
    inference_env: tuple[str, ...]
    body_forwarding_filter: bool
    note: str | None = None


@cache
def istio_releases() -> Table[IstioRelease]:
    """All Istio releases, by minor version."""
    return read_table("releases/istio.yaml", IstioRelease)
