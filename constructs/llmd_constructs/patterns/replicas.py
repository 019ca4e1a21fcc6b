"""Every model that an environment asks for, with its engine and the places of its settings in the file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from llmd_constructs import catalogue
from llmd_constructs.config.cluster import NodePool
from llmd_constructs.config.deployment import (
    Deployment,
    Engine,
    MixtureOfExperts,
    MultiModel,
    PrefillDecode,
    PrefixCache,
    most_replicas,
)
from llmd_constructs.config.environment import Environment
from llmd_constructs.config.errors import ValuePath
from llmd_constructs.serving.engine import VllmEngine, resolve_image
from llmd_constructs.serving.features import Features, Role, kv_transfer
from llmd_constructs.serving.fit import Replica, replica
from llmd_constructs.serving.placement import Placement


@dataclass(frozen=True)
class Asked:
    """One kind of replica, as the environment file asks for it."""

    model_path: ValuePath
    """Where the model is named."""
    pool_path: ValuePath
    """Where the node pool is named."""
    engine_path: ValuePath
    """Where the engine's settings are, or would be."""
    pool: NodePool
    engine: VllmEngine
    replica: Replica


@dataclass(frozen=True)
class _Request:
    """What a deployment says about one kind of replica."""

    model: str
    pool: str
    settings: Engine
    model_path: ValuePath
    pool_path: ValuePath
    engine_path: ValuePath
    prefix_caching: bool = False
    nodes: int = 1
    role: Role = "both"


def asked(environment: Environment, placements: Mapping[str, Placement | None]) -> Iterator[Asked]:
    """Every kind of replica whose node pool has an accelerator, disabled deployments included.

    Args:
        environment: The environment.
        placements: Its node pools by name, as pods see them; `None` for those without accelerator.
    """
    for index, deployment in enumerate(environment.deployments):
        for request in _requests(deployment, ("deployments", index)):
            placement = placements.get(request.pool)
            if placement:
                engine = _engine(request, placement)
                yield Asked(
                    request.model_path,
                    request.pool_path,
                    request.engine_path,
                    placement.pool,
                    engine,
                    replica(engine, request.nodes),
                )


def _engine(request: _Request, placement: Placement) -> VllmEngine:
    """The engine as far as its size depends on it."""
    tpu = placement.is_tpu
    return VllmEngine(
        settings=request.settings,
        model=catalogue.model(request.model),
        placement=placement,
        image=resolve_image(request.settings, placement),
        source=request.model,
        prefix_caching=request.prefix_caching,
        features=Features() if request.role == "both" else kv_transfer(tpu=tpu, role=request.role),
        data_parallel=request.nodes > 1 and not tpu,
    )


def _requests(deployment: Deployment, path: ValuePath) -> Iterator[_Request]:
    match deployment:
        case MultiModel():
            for index, served in enumerate(deployment.models):
                own = (*path, "models", index)
                yield _Request(
                    served.model,
                    served.node_pool,
                    served.engine,
                    *_paths(own),
                    prefix_caching=most_replicas(served) > 1,
                )
        case PrefillDecode():
            yield from _sides(deployment, path)
        case _:
            yield _Request(
                deployment.model,
                deployment.node_pool,
                deployment.engine,
                *_paths(path),
                prefix_caching=isinstance(deployment, PrefixCache),
                nodes=deployment.nodes_per_replica if isinstance(deployment, MixtureOfExperts) else 1,
            )


def _sides(deployment: PrefillDecode, path: ValuePath) -> Iterator[_Request]:
    roles: tuple[Role, Role] = ("prefill", "decode")
    for role, phase in zip(roles, (deployment.prefill, deployment.decode), strict=True):
        model_path, pool_path, engine_path = _paths(path)
        yield _Request(
            deployment.model,
            phase.node_pool or deployment.node_pool,
            phase.engine or deployment.engine,
            model_path,
            (*path, role, "nodePool") if phase.node_pool else pool_path,
            (*path, role, "engine") if phase.engine else engine_path,
            role=role,
        )


def _paths(path: ValuePath) -> tuple[ValuePath, ValuePath, ValuePath]:
    return (*path, "model"), (*path, "nodePool"), (*path, "engine")
