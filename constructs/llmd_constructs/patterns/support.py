"""What cannot work together, said before anything is built: each refusal names the nearest that works."""

from collections.abc import Iterator

from llmd_constructs import catalogue
from llmd_constructs.catalogue import KServeRelease, PickerRelease
from llmd_constructs.config.deployment import (
    Deployment,
    MixtureOfExperts,
    MultiModel,
    PrefillDecode,
    PrefixCache,
)
from llmd_constructs.config.errors import ValuePath, closest, dotted
from llmd_constructs.context import Context
from llmd_constructs.manifest import INFERENCE_POOL
from llmd_constructs.patterns.demand import node_demand, nodes_of
from llmd_constructs.patterns.disk import disk_refusals
from llmd_constructs.patterns.models import default_route
from llmd_constructs.patterns.refusal import Refusal
from llmd_constructs.patterns.reserved import reserved_refusals
from llmd_constructs.patterns.scaling import scaled, scaling_refusals
from llmd_constructs.serving.engine import resolve_image
from llmd_constructs.serving.features import NIXL_CONNECTOR, TPU_CONNECTOR
from llmd_constructs.serving.picker import PickerProfile, needed_plugins
from llmd_constructs.serving.placement import Placement, has_accelerator, place


def refusals(context: Context) -> Iterator[Refusal]:
    """Every combination of the environment that cannot work. References have to be checked before."""
    placements = list(_placements(context))
    broken = [refusal for refusal, _ in placements if refusal]
    yield from broken
    if broken:
        return
    yield from reserved_refusals(context)
    yield from _gateway(context)
    yield from _capacity(context)
    yield from _routes(context)
    yield from _names(context)
    yield from _bodies(context)
    for index, deployment in enumerate(context.environment.deployments):
        yield from _deployment(context, deployment, ("deployments", index))
    yield from disk_refusals(context)


def _placements(context: Context) -> Iterator[tuple[Refusal | None, str]]:
    for index, pool in enumerate(context.environment.cluster.node_pools):
        if not has_accelerator(pool):
            continue
        try:
            place(pool)
        except ValueError as error:
            message, _, instead = str(error).partition("; ")
            yield Refusal(("cluster", "nodePools", index, "topology"), message, instead), pool.name


def _gateway(context: Context) -> Iterator[Refusal]:
    """The API of the InferencePool is where gateway and controllers have to agree (failure F-61)."""
    read = context.read_pool.api_version
    stacks = {deployment.stack for deployment in context.environment.active}
    release = context.kserve
    if "kserve" in stacks and release and read not in release.pool_apis:
        other = next(
            one for one in catalogue.ids("kserve_release") if read in catalogue.kserve_release(one).pool_apis
        )
        yield Refusal(
            ("platform", "kserve"),
            f"{release.id} writes InferencePools of {', '.join(release.pool_apis)}, and the gateway reads {read}",
            f'write `kserve: {other}`, or `istio: "1.27"` or later',
        )
    if "llm-d" in stacks and read != INFERENCE_POOL.api_version:
        yield Refusal(
            ("platform", "istio"),
            f"reads InferencePools of {read}; llm-d without KServe writes {INFERENCE_POOL.api_version}",
            'write `istio: "1.27"` or later',
        )
    if "llm-d" in stacks and not _reads_pools(context.picker):
        able = [one for one in catalogue.ids("picker_release") if _reads_pools(catalogue.picker_release(one))]
        yield Refusal(
            ("platform", "picker"),
            f"{context.picker.id} does not read InferencePools of {INFERENCE_POOL.api_version}, "
            "which llm-d without KServe writes",
            f"write one of {', '.join(able)}",
        )
    yield from _managed_gateway(context, release if "kserve" in stacks else None)
    name = context.environment.platform.gateway.class_name
    if name and not catalogue.gateway_class(name).inference_pools:
        provider = context.environment.platform.gateway.provider
        fitting = [
            other
            for other in catalogue.ids("gateway_class")
            if catalogue.gateway_class(other).inference_pools
            and catalogue.gateway_class(other).provider == provider
        ]
        yield Refusal(
            ("platform", "gateway", "className"),
            f"{name} cannot send requests to an InferencePool",
            f"write one of {', '.join(fitting)}",
        )


def _reads_pools(picker: PickerRelease) -> bool:
    return any(rule.group == INFERENCE_POOL.group for rule in picker.rbac)


def _managed_gateway(context: Context, release: KServeRelease | None) -> Iterator[Refusal]:
    """Older releases attach the routes that they write to one Gateway only, and refuse to be told another."""
    gateway = context.environment.platform.gateway
    if release is None or release.default_gateway is None or gateway.provider == "gke":
        return
    if release.default_gateway != f"{gateway.namespace}/{gateway.name}":
        namespace, _, name = release.default_gateway.partition("/")
        yield Refusal(
            ("platform", "gateway"),
            f"KServe {release.id} attaches its routes to the Gateway {release.default_gateway} only",
            f"write `name: {name}` and `namespace: {namespace}`, or a later KServe",
        )


def _capacity(context: Context) -> Iterator[Refusal]:
    demand = node_demand(context.environment)
    for index, pool in enumerate(context.environment.cluster.node_pools):
        if demand[pool.name] > pool.max_nodes:
            fields = [f"`{dotted(path)}`" for path in _lowerable(context, pool.name)]
            other = f"lower {' or '.join(fields)}" if fields else "give a deployment another node pool"
            yield Refusal(
                ("cluster", "nodePools", index, "maxNodes"),
                f"is {pool.max_nodes}, and the deployments on {pool.name} need {demand[pool.name]} nodes",
                f"raise it to {demand[pool.name]}, or {other}",
            )


def _lowerable(context: Context, pool: str) -> Iterator[ValuePath]:
    """Fields that say how many replicas run on a node pool, where it is more than one."""
    for index, deployment in enumerate(context.environment.deployments):
        if not deployment.enabled:
            continue
        for (place_, settings), (name, _) in zip(scaled(deployment), nodes_of(deployment), strict=False):
            path: ValuePath = ("deployments", index, *place_)
            if name == pool and settings.autoscaling:
                yield (*path, "autoscaling", "maxReplicas")
            elif name == pool and settings.replicas > 1:
                yield (*path, "replicas")


def _routes(context: Context) -> Iterator[Refusal]:
    """Two routes for `/` on one Gateway: the older wins, and the other is silently without requests."""
    roots: list[tuple[ValuePath, str]] = []
    for index, deployment in enumerate(context.environment.deployments):
        if not deployment.enabled:
            continue
        path: ValuePath = ("deployments", index)
        if isinstance(deployment, MultiModel):
            if deployment.routing == "body":
                roots.append(((*path, "routing"), deployment.name))
        elif (deployment.route or default_route(deployment.stack)) == "root":
            roots.append(((*path, "route"), deployment.name))
    for path, name in roots[1:]:
        yield Refusal(
            path, f"{name} and {roots[0][1]} both answer at `/`", "write `route: path` for one of them"
        )


def _deployment(context: Context, deployment: Deployment, path: ValuePath) -> Iterator[Refusal]:
    yield from _scheduler(context, deployment, path)
    if deployment.stack == "kserve":
        release = context.kserve
        if release:
            yield from _kserve(context, release, deployment, path)
    else:
        yield from _llmd(context, deployment)
    for place_, model, placement in _workloads(context, deployment):
        yield from _multi_host(deployment, (*path, *place_, "nodePool"), placement)
        if isinstance(deployment, MixtureOfExperts) and catalogue.model(model).kind != "moe":
            yield Refusal(
                (*path, "model"),
                f"{model} is no mixture of experts",
                "write `pattern: prefix-cache` or single-replica",
            )
    yield from scaling_refusals(context, deployment, path)
    if isinstance(deployment, PrefixCache) and deployment.routing == "precise":
        yield from _precise(deployment, path)
    if isinstance(deployment, PrefillDecode):
        yield from _connectors(context, deployment, path)


def _precise(deployment: PrefixCache, path: ValuePath) -> Iterator[Refusal]:
    """Hashes have to be equal, and one picker has to see all of them (failure F-84)."""
    if deployment.engine.block_size:
        yield Refusal(
            (*path, "engine", "blockSize"),
            "is set by precise routing, for engine and picker alike",
            "leave it out",
        )
    if deployment.scheduler.replicas > 1:
        yield Refusal(
            (*path, "scheduler", "replicas"),
            "every picker has an index of its own, and precise routing needs one that knows all",
            "leave it out, or write `routing: approximate`",
        )


def _names(context: Context) -> Iterator[Refusal]:
    """Two models of one name would be two objects of one name."""
    deployments = context.environment.deployments
    taken = {deployment.name for deployment in deployments if not isinstance(deployment, MultiModel)}
    for index, deployment in enumerate(deployments):
        for position, served in enumerate(deployment.models if isinstance(deployment, MultiModel) else ()):
            if served.name in taken:
                path: ValuePath = ("deployments", index, "models", position, "name")
                yield Refusal(path, f"{served.name} is taken", "give every model its own name")
            taken.add(served.name)


def _bodies(context: Context) -> Iterator[Refusal]:
    """A request's body names a model: two that serve one model, or share an adapter's name, cannot be told apart."""
    seen: set[str] = set()
    for index, deployment in enumerate(context.environment.deployments):
        if not isinstance(deployment, MultiModel) or deployment.routing != "body" or not deployment.enabled:
            continue
        for position, served in enumerate(deployment.models):
            for name in (served.model, *(adapter.name for adapter in served.adapters)):
                if name in seen:
                    path: ValuePath = ("deployments", index, "models", position, "model")
                    yield Refusal(
                        path,
                        f"{name} is served twice, and a request cannot say which it means",
                        "raise `replicas`",
                    )
                seen.add(name)


def _scheduler(context: Context, deployment: Deployment, path: ValuePath) -> Iterator[Refusal]:
    picker = _picker(context, deployment)
    for scorer, weight in (deployment.scheduler.weights or {}).items():
        field: ValuePath = (*path, "scheduler", "weights", scorer)
        if scorer not in picker.plugins:
            scorers = [plugin for plugin in picker.plugins if plugin.endswith("-scorer")]
            near = closest(scorer, scorers)
            choice = f"did you mean '{near}'?" if near else f"write one of {', '.join(sorted(scorers))}"
            yield Refusal(field, f"the endpoint picker {picker.id} has no plugin '{scorer}'", choice)
        elif picker.weight_type == "int" and not float(weight).is_integer():
            yield Refusal(
                field, f"the endpoint picker {picker.id} takes whole weights only", f"write {round(weight)}"
            )


def _picker(context: Context, deployment: Deployment) -> PickerRelease:
    if deployment.stack == "kserve" and context.kserve:
        return catalogue.picker_release(context.kserve.picker)
    return context.picker


def _kserve(
    context: Context, release: KServeRelease, deployment: Deployment, path: ValuePath
) -> Iterator[Refusal]:
    scheduler = deployment.scheduler
    if scheduler.failure_mode == "FailClose":
        yield Refusal(
            (*path, "scheduler", "failureMode"),
            "KServe writes the pool, with FailOpen",
            "leave it out, or use llm-d",
        )
    if scheduler.replicas > 1 and not release.features.scheduler_replicas:
        yield Refusal(
            (*path, "scheduler", "replicas"),
            f"KServe {release.id} runs one picker",
            "leave it out, or use 0.17",
        )
    if deployment.route == "root":
        yield Refusal((*path, "route"), "KServe serves below /<namespace>/<name>", "write `route: path`")
    if isinstance(deployment, PrefixCache) and deployment.routing == "precise":
        yield Refusal(
            (*path, "routing"),
            "KServe's picker is not told where replicas publish their cache",
            "write `routing: approximate`, or `stack: llm-d`",
        )
    if isinstance(deployment, MixtureOfExperts) and deployment.nodes_per_replica > 1:
        placement = place(context.environment.node_pool(deployment.node_pool))
        if placement.is_tpu:
            yield Refusal(
                (*path, "stack"),
                "KServe's presets for several nodes are made for GPUs",
                "write `stack: llm-d`, or choose a machine type that holds the model on one node",
            )


def _llmd(context: Context, deployment: Deployment) -> Iterator[Refusal]:
    profile = PickerProfile(
        lora=isinstance(deployment, MultiModel) and any(served.adapters for served in deployment.models),
        render="url" if isinstance(deployment, PrefixCache) and deployment.routing == "precise" else None,
        disaggregated=isinstance(deployment, PrefillDecode),
    )
    missing = sorted(needed_plugins(profile) - context.picker.plugins.keys())
    if missing:
        able = [other for other in catalogue.ids("picker_release") if _has(other, needed_plugins(profile))]
        yield Refusal(
            ("platform", "picker"),
            f"{context.picker.id} lacks {', '.join(missing)}, which {deployment.name} needs",
            f"write one of {', '.join(able)}",
        )


def _has(picker: str, plugins: frozenset[str]) -> bool:
    return plugins <= catalogue.picker_release(picker).plugins.keys()


def _workloads(context: Context, deployment: Deployment) -> Iterator[tuple[ValuePath, str, Placement]]:
    environment = context.environment
    if isinstance(deployment, MultiModel):
        for index, served in enumerate(deployment.models):
            yield ("models", index), served.model, place(environment.node_pool(served.node_pool))
        return
    yield (), deployment.model, place(environment.node_pool(deployment.node_pool))
    if isinstance(deployment, PrefillDecode):
        for side, phase in (("prefill", deployment.prefill), ("decode", deployment.decode)):
            if phase.node_pool:
                yield (side,), deployment.model, place(environment.node_pool(phase.node_pool))


def _multi_host(deployment: Deployment, path: ValuePath, placement: Placement) -> Iterator[Refusal]:
    """The hosts of a TPU slice only work together, as one group (failure F-32b)."""
    nodes = deployment.nodes_per_replica if isinstance(deployment, MixtureOfExperts) else 1
    pool = placement.pool
    if placement.is_tpu and nodes != placement.hosts:
        count = f"{placement.hosts} nodes" if placement.hosts > 1 else "one node"
        instead = (
            f"write `nodesPerReplica: {placement.hosts}` with `pattern: mixture-of-experts`, "
            "or choose a pool with a single-host topology"
            if placement.hosts > 1
            else "write `nodesPerReplica: 1`, or choose a pool with a multi-host topology"
        )
        yield Refusal(
            path, f"a {placement.topology} slice of {pool.machine_type} is {count}, not {nodes}", instead
        )
    elif placement.hosts > 1 and isinstance(deployment, MixtureOfExperts) and deployment.replicas > 1:
        yield Refusal(
            path,
            f"{pool.name} is one slice of {placement.hosts} hosts, and holds one replica, not {deployment.replicas}",
            "write `replicas: 1`, and one deployment with a node pool of its own for each further replica",
        )


def _connectors(context: Context, deployment: PrefillDecode, path: ValuePath) -> Iterator[Refusal]:
    for side, phase in (("prefill", deployment.prefill), ("decode", deployment.decode)):
        engine = phase.engine or deployment.engine
        placement = place(context.environment.node_pool(phase.node_pool or deployment.node_pool))
        image = resolve_image(engine, placement)
        wanted = TPU_CONNECTOR if placement.is_tpu else NIXL_CONNECTOR
        if wanted not in image.kv_connectors:
            default = catalogue.default_engine(placement.accelerator.kind).image
            where: ValuePath = (side, "engine", "image") if phase.engine else ("engine", "image")
            yield Refusal(
                (*path, *where), f"{image.image} has no {wanted}", f"write {default}, or leave it out"
            )
