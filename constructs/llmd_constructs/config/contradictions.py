"""What contradicts itself or a fact of the catalogue: names given twice, node pools and versions that cannot be."""

from collections.abc import Iterable, Iterator

from llmd_constructs import catalogue
from llmd_constructs.catalogue import MachineType, reaches
from llmd_constructs.config.cluster import NodePool
from llmd_constructs.config.deployment import MultiModel
from llmd_constructs.config.environment import Environment
from llmd_constructs.config.errors import ValuePath, dotted
from llmd_constructs.config.references import Finding

_KUBERNETES: ValuePath = ("cluster", "kubernetes")


def contradictions(environment: Environment) -> Iterator[Finding]:
    """Everything that cannot be, whatever runs on the cluster."""
    pools = [
        (("cluster", "nodePools", index), pool) for index, pool in enumerate(environment.cluster.node_pools)
    ]
    yield from _twice((((*path, "name"), pool.name) for path, pool in pools), "node pool")
    yield from _deployments(environment)
    yield from _versions(environment)
    for path, pool in pools:
        if pool.machine_type in catalogue.ids("machine_type"):
            machine = catalogue.machine_type(pool.machine_type)
            yield from _topology(pool, machine, path)
            yield from _attached(pool, machine, path)
            yield from _first_version(environment, machine)


def _deployments(environment: Environment) -> Iterator[Finding]:
    deployments = list(enumerate(environment.deployments))
    yield from _twice(
        ((("deployments", index, "name"), each.name) for index, each in deployments), "deployment"
    )
    for index, deployment in deployments:
        for place, served in enumerate(deployment.models if isinstance(deployment, MultiModel) else ()):
            path: ValuePath = ("deployments", index, "models", place, "adapters")
            adapters = enumerate(served.adapters)
            yield from _twice((((*path, number, "name"), each.name) for number, each in adapters), "adapter")


def _twice(names: Iterable[tuple[ValuePath, str]], what: str) -> Iterator[Finding]:
    """Every name that stands in a list for the second time, where it does."""
    first: dict[str, ValuePath] = {}
    for path, name in names:
        before = first.setdefault(name, path)
        if before != path:
            yield Finding(
                path, f"{name} is the name of {dotted(before[:-1])} too", f"give each {what} its own name"
            )


def _versions(environment: Environment) -> Iterator[Finding]:
    """Minors that no release channel of GKE offers, and versions whose gateway knows no InferencePool."""
    cluster, gates = environment.cluster, catalogue.gke().version_gates
    oldest, newest = gates["oldest-minor"], gates["newest-minor"]
    if not reaches(cluster.minor, oldest.version):
        yield Finding(
            _KUBERNETES,
            f"is {cluster.kubernetes}, which GKE offered no more on {oldest.date}",
            f'write a minor from "{oldest.version}" to "{newest.version}", and upgrade the cluster first',
        )
    elif not reaches(newest.version, cluster.minor):
        yield Finding(
            _KUBERNETES,
            f"is {cluster.kubernetes}, and on {newest.date} GKE offered {newest.version} at most",
            f"write that or an older one, or add what is newer to {catalogue.VERSIONS_FILE}",
        )
    gate = gates["inference-gateway"]
    if environment.platform.gateway.provider == "gke" and not reaches(cluster.kubernetes, gate.version):
        yield Finding(
            _KUBERNETES,
            f"is {cluster.kubernetes}, and GKE's gateway knows InferencePools from {gate.version} on",
            f"write {gate.version} or later, and upgrade the cluster first",
        )


def _first_version(environment: Environment, machine: MachineType) -> Iterator[Finding]:
    accelerator = catalogue.accelerator(machine.accelerator) if machine.accelerator else None
    version = environment.cluster.kubernetes
    if accelerator and accelerator.min_gke and not reaches(version, accelerator.min_gke):
        yield Finding(
            _KUBERNETES,
            f"is {version}, and GKE has {machine.name} from {accelerator.min_gke} on",
            f"write {accelerator.min_gke} or later, and upgrade the cluster first",
        )


def _topology(pool: NodePool, machine: MachineType, path: ValuePath) -> Iterator[Finding]:
    if pool.topology and not machine.topologies:
        yield Finding(
            (*path, "topology"),
            f"is {pool.topology}, and {machine.name} has no TPUs",
            "leave it out, or choose a machine type with TPUs",
        )


def _attached(pool: NodePool, machine: MachineType, path: ValuePath) -> Iterator[Finding]:
    """GPUs that the machine type cannot have, or has in another number."""
    attached = pool.accelerator
    if attached is None or attached.type not in catalogue.ids("accelerator"):
        return
    if attached.type not in (machine.accelerator, *machine.attachable):
        built_in = f"has {machine.chips} x {machine.accelerator} built in" if machine.accelerator else ""
        yield Finding(
            (*path, "accelerator", "type"),
            f"is {attached.type}, and {machine.name} "
            + (built_in or f"takes {' or '.join(machine.attachable) or 'no GPUs'}"),
            f"leave `accelerator` out, or choose a machine type of {' or '.join(_families(attached.type))}",
        )
    elif machine.accelerator and "count" in attached.model_fields_set and attached.count != machine.chips:
        yield Finding(
            (*path, "accelerator", "count"),
            f"is {attached.count}, and {machine.name} has {machine.chips} x {machine.accelerator} built in",
            "leave `accelerator` out",
        )


def _families(accelerator: str) -> list[str]:
    """Families of machine types that have the accelerator or take it, such as `n1`."""
    machines = map(catalogue.machine_type, catalogue.ids("machine_type"))
    return sorted(
        {
            machine.name.partition("-")[0]
            for machine in machines
            if accelerator in (machine.accelerator, *machine.attachable)
        }
    )
