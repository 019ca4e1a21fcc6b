"""References inside an environment file: node pools that exist, ids that the catalogue holds.

These are checked before anything is built, so that no later room has to guess.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from llmd_constructs import catalogue
from llmd_constructs.catalogue import UnknownEntry
from llmd_constructs.config.cluster import NodePool
from llmd_constructs.config.deployment import Deployment, MultiModel, PrefillDecode
from llmd_constructs.config.environment import Environment
from llmd_constructs.config.errors import ValuePath, closest


class Finding(NamedTuple):
    """Something wrong with the value at `path`."""

    path: ValuePath
    message: str
    instead: str


def broken_references(environment: Environment) -> Iterator[Finding]:
    """Every reference that leads nowhere."""
    yield from _pools(environment)
    yield from _platform(environment)
    for index, deployment in enumerate(environment.deployments):
        yield from _deployment(environment, deployment, ("deployments", index))


def _pools(environment: Environment) -> Iterator[Finding]:
    for index, pool in enumerate(environment.cluster.node_pools):
        path: ValuePath = ("cluster", "nodePools", index)
        yield from _known((*path, "machineType"), catalogue.machine_type, pool.machine_type)
        if pool.accelerator:
            yield from _known((*path, "accelerator", "type"), catalogue.accelerator, pool.accelerator.type)


def _platform(environment: Environment) -> Iterator[Finding]:
    platform = environment.platform
    if platform.kserve:
        yield from _known(("platform", "kserve"), catalogue.kserve_release, platform.kserve)
    if platform.istio:
        yield from _known(("platform", "istio"), catalogue.istio_release, platform.istio)
    yield from _known(("platform", "picker"), catalogue.picker_release, platform.picker)
    gateway = platform.gateway
    if gateway.class_name:
        yield from _known(("platform", "gateway", "className"), catalogue.gateway_class, gateway.class_name)
    if gateway.provider == "istio" and not platform.istio:
        known = ", ".join(f'"{release}"' for release in catalogue.ids("istio_release"))
        yield Finding(
            ("platform", "gateway", "provider"),
            "is istio, and platform.istio names no release",
            f"add `istio:` with one of {known}",
        )
    if (
        platform.network_policies
        and gateway.provider == "gke"
        and not environment.cluster.network.proxy_only_subnet
    ):
        yield Finding(
            ("platform", "networkPolicies"),
            "is on, and the load balancer's address range is not known: GKE's gateway has no pods to select",
            "set cluster.network.proxyOnlySubnet to the range of the region's proxy-only subnet",
        )


def _deployment(environment: Environment, deployment: Deployment, path: ValuePath) -> Iterator[Finding]:
    if deployment.stack == "kserve" and not environment.platform.kserve:
        releases = ", ".join(catalogue.ids("kserve_release"))
        yield Finding(
            (*path, "stack"),
            "is kserve, and platform.kserve names no release",
            f"add `kserve:` under platform with one of {releases}, or write `stack: llm-d`",
        )
    for place, model, pool in _workloads(deployment):
        yield from _known((*path, *place, "model"), catalogue.model, model)
        yield from _pool(environment, (*path, *place, "nodePool"), pool)


def _workloads(deployment: Deployment) -> Iterator[tuple[ValuePath, str, str]]:
    """Every model with its node pool, and where in the deployment both are written."""
    if isinstance(deployment, MultiModel):
        for index, served in enumerate(deployment.models):
            yield ("models", index), served.model, served.node_pool
        return
    yield (), deployment.model, deployment.node_pool
    if isinstance(deployment, PrefillDecode):
        for side, phase in (("prefill", deployment.prefill), ("decode", deployment.decode)):
            if phase.node_pool:
                yield (side,), deployment.model, phase.node_pool


def _pool(environment: Environment, path: ValuePath, name: str) -> Iterator[Finding]:
    pools = environment.cluster.node_pools
    able = [pool.name for pool in pools if _has_accelerator(pool)]
    named = [pool for pool in pools if pool.name == name]
    if not named:
        names = [pool.name for pool in pools]
        near = closest(name, names)
        yield Finding(path, f"'{name}' is not a node pool of the cluster", _choice(near, names))
    elif name not in able:
        yield Finding(
            path,
            f"{name} ({named[0].machine_type}) has no accelerator",
            f"write one of {', '.join(able)}" if able else "add a node pool with TPUs or GPUs",
        )


def _known(path: ValuePath, look_up: Callable[[str], object], name: str) -> Iterator[Finding]:
    try:
        look_up(name)
    except UnknownEntry as unknown:
        near = unknown.near[0] if unknown.near else ""
        choice = _choice(near, unknown.known)
        added = f"{' If not,' if near else ', or'} add it to {unknown.file}"
        yield Finding(path, f"'{name}' is not a known {unknown.kind}", f"{choice}{added}")


def _has_accelerator(pool: NodePool) -> bool:
    """Whether the nodes have TPUs or GPUs, as far as the machine type is known."""
    known = pool.machine_type in catalogue.ids("machine_type")
    return bool(pool.accelerator or not known or catalogue.machine_type(pool.machine_type).accelerator)


def _choice(near: str, known: Iterable[str]) -> str:
    return f"did you mean '{near}'?" if near else f"write one of {', '.join(known)}"
