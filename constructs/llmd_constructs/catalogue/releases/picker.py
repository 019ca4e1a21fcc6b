"""Releases of the endpoint picker: its plugins, flags and ports."""

from collections.abc import Mapping
from functools import cache
from typing import Literal

from llmd_constructs.catalogue._table import Entry, Table, Value, read_table


class Ports(Value):
    """Ports of the picker's container."""

    grpc: int
    health: int
    metrics: int
    zmq: int | None = None


class HealthServices(Value):
    """gRPC health service names: one for a single replica, two with leader election.

    Attributes:
        single: For both probes of a single replica.
        liveness: For the liveness probe with leader election; None before leader election existed.
        readiness: For the readiness probe with leader election.
    """

    single: str
    liveness: str | None = None
    readiness: str | None = None


class RbacRule(Value):
    """What the picker must be allowed to read, and in which API group."""

    group: str
    resources: tuple[str, ...]


class Resources(Value):
    """Requests and limits, as Kubernetes quantities."""

    requests: Mapping[str, str]
    limits: Mapping[str, str]


class PrefixBlockSize(Value):
    """Where the size of a prefix block is set.

    Attributes:
        plugin: The plugin that has the parameter.
        parameter: The parameter.
        unit: What one block counts.
    """

    plugin: str
    parameter: str
    unit: Literal["characters", "tokens"]


class PickerRelease(Entry):
    """One release.

    Attributes:
        id: The release's tag.
        image: Image reference with tag.
        image_user: The user that the image runs as, where known.
        gie: The version of the Gateway API Inference Extension library in it.
        config_api_version: The API version to write in an EndpointPickerConfig.
        accepted_config_api_versions: All that its loader reads.
        weight_type: Whether scorer weights may have a fraction.
        strict_parameters: Whether an unknown plugin parameter stops it at start.
        plugins: Plugin types, each with the parameters that it takes.
        experimental_plugins: Plugin types that need `--allow-experimental-plugins`.
        feature_gates: Gates that the configuration may name.
        config_fields: Top-level fields of the configuration, beside `apiVersion` and `kind`.
        flags: Command line flags that it accepts, without dashes.
        deprecated_flags: Those of `flags` that it warns about.
        refused_flags: Flags that it knows, and stops at when they are set.
        inference_paths: Paths whose requests it can read a prompt from.
        kv_cache_flag: The flag that names the KV cache metric, where the built-in name is wrong for vLLM 0.10
            and later.
        tracing_default: Whether tracing is on unless `--tracing=false` says otherwise.
        prefix_block_size: Where the size of a prefix block is set.
        health_services: gRPC health service names.
        ports: Its ports.
        rbac: What it must be allowed to read.
        resources: What its chart asks for; None where the chart asks for nothing.
        note: What to know before relying on it.
    """

    id: str
    image: str
    image_user: int | None = None
    gie: str
    config_api_version: str
    accepted_config_api_versions: tuple[str, ...]
    weight_type: Literal["int", "float"]
    strict_parameters: bool
    plugins: Mapping[str, tuple[str, ...]]
    experimental_plugins: tuple[str, ...] = ()
    feature_gates: tuple[str, ...]
    config_fields: tuple[str, ...]
    flags: tuple[str, ...]
    deprecated_flags: tuple[str, ...] = ()
    refused_flags: tuple[str, ...] = ()
    inference_paths: tuple[str, ...]
    kv_cache_flag: str | None = None
    tracing_default: bool
    prefix_block_size: PrefixBlockSize
    health_services: HealthServices
    ports: Ports
    rbac: tuple[RbacRule, ...]
    resources: Resources | None = None
    note: str | None = None


@cache
def picker_releases() -> Table[PickerRelease]:
    """All picker releases, by id."""
    return read_table("releases/picker.yaml", PickerRelease)
