"""Accelerators: pods that land on the right nodes, whole, and tell libtpu the truth."""

import json
from collections.abc import Iterator

from llmd_constructs.catalogue.accelerators import accelerators
from llmd_constructs.catalogue.machine_types import machine_types
from llmd_constructs.manifest import JsonObject
from llmd_constructs.rules.capacity import accelerated, node_demand, scaled, waits_for_a_node
from llmd_constructs.rules.model import Offence, rule
from llmd_constructs.rules.pods import Engine, Pod
from llmd_constructs.rules.reading import entries, mapping, text
from llmd_constructs.rules.replicas import asked
from llmd_constructs.rules.view import Nodes, View
from llmd_constructs.serving.features import NIXL_CONNECTOR
from llmd_constructs.serving.fit import MIB, kv_bytes_per_token
from llmd_constructs.serving.placement import GKE_NODE_POOL

INTERFACES = "networking.gke.io/interfaces"
"""Annotation of a pod that names the cluster's networks it is attached to."""
EXCLUSIVE = "leaderworkerset.sigs.k8s.io/exclusive-topology"
SINGLE_HOST_BOUNDS = "1,1,1"
PLAN_TPUS = "https://docs.cloud.google.com/kubernetes-engine/docs/concepts/plan-tpus"
TPUS = "https://docs.cloud.google.com/kubernetes-engine/docs/how-to/tpus"
GPU_NETWORKS = "https://docs.cloud.google.com/kubernetes-engine/docs/how-to/gpu-bandwidth-gpudirect-tcpx"
DRANET = "https://docs.cloud.google.com/kubernetes-engine/docs/how-to/allocate-network-resources-dra"
GPUS = "https://docs.cloud.google.com/kubernetes-engine/docs/how-to/gpus"


@rule(
    "ACC-01",
    "An accelerator pod names its accelerator by the label that GKE puts on nodes",
    symptom="The pod stays Pending: node(s) didn't match Pod's node affinity/selector.",
    cause="The label's value is not the name that gcloud uses: nodes of v6e say tpu-v6e-slice, not tpu-v6e.",
    instead="select by the accelerator's label, and on TPUs by the topology's too",
    source=("F-15", "seed 002 against seed 001", PLAN_TPUS),
)
def node_label(view: View) -> Iterator[Offence]:
    """Node selectors of pods that ask for chips."""
    for pod in accelerated(view):
        where, wanted = pod.at("nodeSelector"), pod.node_selector
        keys = {item.node_label_key for item in accelerators().values() if item.resource == pod.resource}
        key = next(iter(keys & wanted.keys()), "")
        if not key:
            yield Offence(
                where,
                f"asks for {pod.resource} without naming the accelerator by {' or '.join(sorted(keys))}",
            )
        elif pod.accelerator is None or pod.accelerator.node_label_key != key:
            known = [item.node_label_value for item in accelerators().values() if item.node_label_key == key]
            message = f"is {wanted[key]}, which no node carries"
            yield Offence(pod.at("nodeSelector", key), message, f"write one of {', '.join(known)}")
        elif (topology := pod.accelerator.topology_label_key) and topology not in wanted:
            yield Offence(where, f"lacks {topology}, and GKE refuses a TPU pod without it")


@rule(
    "ACC-02",
    "A node pool of the cluster has the labels that a pod asks for",
    symptom="The pod stays Pending, and the autoscaler says that no node pool would fit it.",
    cause="No node pool has this accelerator in this topology.",
    instead="name a node pool of the cluster, or add one under cluster.nodePools",
    source=("F-15", "F-26", TPUS),
)
def node_pool(view: View) -> Iterator[Offence]:
    """Node selectors against the declared node pools."""
    for pod in view.pods:
        named = not pod.resource or pod.accelerator  # else ACC-01 says more
        if pod.node_selector and named and not view.nodes_for(pod):
            wanted = ", ".join(f"{key}={value}" for key, value in pod.node_selector.items())
            yield Offence(pod.at("nodeSelector"), f"is {wanted}, and no node pool of the cluster has that")


@rule(
    "ACC-03",
    "A pod takes all chips of its node, and requests what it limits",
    symptom="The pod is refused at admission (Warden), or stays Pending with chips left over.",
    cause="TPU chips of a node cannot be shared, and extended resources do not take a request below the limit.",
    instead="write the chips of the machine type as request and as limit",
    source=("F-16", "seeds 001 and 002", TPUS),
)
def whole_node(view: View) -> Iterator[Offence]:
    """Chips of each container, and of each pod against its node."""
    for pod in accelerated(view):
        for container in pod.containers:
            requested, limit = container.chips(pod.resource)
            if (requested is not None or limit is not None) and requested not in (None, limit):
                message = f"requests {requested} and limits {limit} {pod.resource}"
                yield Offence(container.at("resources"), message, "write the same number twice")
        yield from _chips_of(view, pod)


def _chips_of(view: View, pod: Pod) -> Iterator[Offence]:
    places = [nodes.placement for nodes in view.nodes_for(pod) if nodes.placement]
    sizes = {place.chips_per_node for place in places}
    tpu = any(place.is_tpu for place in places)
    fits = pod.chips in sizes if tpu else any(pod.chips <= size for size in sizes)
    if sizes and not fits:
        machines = ", ".join(sorted({place.machine.name for place in places}))
        number = " or ".join(str(size) for size in sorted(sizes))
        message = f"takes {pod.chips} {pod.resource}, and a node ({machines}) has {number}"
        yield Offence(pod.at("containers"), message, f"write {number}")


@rule(
    "ACC-04",
    "libtpu is told the shape that its host has",
    symptom="vLLM stops at start: TPU initialisation fails, or finds another number of chips.",
    cause="TPU_CHIPS_PER_HOST_BOUNDS and TPU_HOST_BOUNDS contradict the machine type.",
    instead="leave them out, or write the host's own shape",
    source=(
        "F-17",
        "seed 001",
        "https://docs.cloud.google.com/kubernetes-engine/docs/how-to/tpus#privileged-mode",
    ),
)
def host_bounds(view: View) -> Iterator[Offence]:
    """Variables of every container on TPU nodes."""
    for pod in accelerated(view):
        places = [
            nodes.placement for nodes in view.nodes_for(pod) if nodes.placement and nodes.placement.is_tpu
        ]
        if not places:
            continue
        shapes = {place.machine.chips_per_host_bounds for place in places if place.hosts == 1}
        for container in pod.containers:
            bounds = container.environment.get("TPU_CHIPS_PER_HOST_BOUNDS")
            if bounds is not None and bounds not in shapes:
                right = " or ".join(sorted(shape for shape in shapes if shape)) or "nothing on several hosts"
                yield Offence(
                    container.at("env"), f"sets TPU_CHIPS_PER_HOST_BOUNDS={bounds}", f"write {right}"
                )
            hosts = container.environment.get("TPU_HOST_BOUNDS")
            if hosts is not None and (hosts != SINGLE_HOST_BOUNDS or not shapes):
                message = f"sets TPU_HOST_BOUNDS={hosts}"
                instead = f"write {SINGLE_HOST_BOUNDS}" if shapes else "leave it to GKE on several hosts"
                yield Offence(container.at("env"), message, instead)


@rule(
    "ACC-05",
    "The engine splits the model over exactly the devices it has",
    symptom="vLLM waits for devices that are not there, or leaves paid chips idle.",
    cause="Tensor, pipeline and data parallelism multiply to another number than the replica's devices.",
    instead="leave tensorParallelSize out, so that it follows the node pool",
    source=("F-18", "https://docs.vllm.ai/en/stable/serving/parallelism_scaling/"),
)
def parallelism(view: View) -> Iterator[Offence]:
    """Flags of every engine against its nodes."""
    for engine in view.engines:
        devices = _devices(view, engine.pod)
        if not devices or not engine.explicit:
            continue
        tensor, wanted = engine.count("tensor-parallel-size"), _parts(engine)
        tpu = engine.pod.resource == "google.com/tpu"
        if wanted > devices or (tpu and wanted != devices):
            yield Offence(
                engine.at_flag("tensor-parallel-size"),
                f"splits over {wanted} devices, and the replica has {devices}",
                f"write --tensor-parallel-size={max(devices * tensor // wanted, 1)}",
            )


def _devices(view: View, pod: Pod) -> int:
    places = [nodes.placement for nodes in view.nodes_for(pod) if nodes.placement]
    return pod.chips * places[0].accelerator.cores_per_chip * _group_nodes(pod) if places else 0


def _group_nodes(pod: Pod) -> int:
    """Nodes of one replica, leader and workers together."""
    if pod.owner.kind == "LeaderWorkerSet":
        return pod.owner.number("spec", "leaderWorkerTemplate", "size") or 1
    return pod.nodes


def _parts(engine: Engine) -> int:
    local = engine.count("data-parallel-size-local", 0)
    data = engine.count("data-parallel-size")
    whole = data if local == 0 or engine.pod.owner.kind == "LeaderWorkerSet" else local
    return engine.count("tensor-parallel-size") * engine.count("pipeline-parallel-size") * whole


@rule(
    "ACC-06",
    "An accelerator pod tolerates the taint of its nodes",
    symptom="The pod stays Pending: node(s) had untolerated taint.",
    cause="GKE taints TPU and GPU nodes, so that nothing else lands on them.",
    instead="add the toleration {key: google.com/tpu or nvidia.com/gpu, operator: Exists, effect: NoSchedule}",
    source=("F-20", "seed 001 against seed 002", GPUS),
)
def toleration(view: View) -> Iterator[Offence]:
    """Tolerations of pods that select tainted nodes."""
    for pod in view.pods:
        for nodes in view.nodes_for(pod) if pod.resource or _selects_accelerator(pod) else ():
            taint = nodes.taint
            if taint and not any(_tolerates(item, nodes) for item in entries(pod.spec, "tolerations")):
                what = f"{taint.key}={taint.value}:{taint.effect}"
                yield Offence(pod.at("tolerations"), f"has none for {what} of {nodes.pool.name}")


def _tolerates(toleration: dict[str, object], nodes: Nodes) -> bool:
    taint = nodes.taint
    if taint is None or text(toleration, "effect") not in ("", taint.effect):
        return False
    if text(toleration, "operator") == "Exists":
        return text(toleration, "key") in ("", taint.key)
    return (text(toleration, "key"), text(toleration, "value")) == (taint.key, taint.value)


@rule(
    "ACC-07",
    "The engine's image is made for the accelerator",
    symptom="vLLM stops at start: no CUDA devices, or no TPU platform.",
    cause="A CUDA image on a TPU node, or the other way round; KServe's presets name a CUDA image.",
    instead="name a vllm-tpu image on TPUs and a CUDA image on GPUs",
    source=("F-22", "https://docs.vllm.ai/projects/tpu/en/latest/"),
)
def engine_image(view: View) -> Iterator[Offence]:
    """Images of every engine."""
    for engine in view.engines:
        image = engine.container.image
        tpu = engine.pod.resource == "google.com/tpu"
        if not engine.pod.resource or (not image and not tpu):
            continue
        made_for_tpu = engine.known.kind == "tpu" if engine.known else "tpu" in image
        if made_for_tpu != tpu:
            said = image or "the preset's, which is a CUDA image"
            yield Offence(engine.at("image"), f"is {said}, and the pod takes {engine.pod.resource}")


@rule(
    "ACC-08",
    "A node pool can grow to all replicas at once",
    symptom='The last replica stays Pending: "Insufficient google.com/tpu", and the autoscaler is at its maximum.',
    cause="Replicas times nodes per replica exceed the node pool's maxNodes.",
    instead="raise maxNodes, or lower the replicas",
    source=("F-23", "seed 004: the third replica"),
)
def capacity(view: View) -> Iterator[Offence]:
    """Nodes that all pods of a node pool take, with autoscalers at their maximum."""
    for pools, nodes in node_demand(view).items():
        chosen = [item for item in view.nodes if item.pool.name in pools]
        most = sum(item.pool.max_nodes for item in chosen)
        if chosen and nodes > most:
            where = view.setting("cluster", "nodePools", chosen[0].index, "maxNodes")
            message = f"is {most}, and the pods on {' and '.join(pools)} need {nodes} nodes"
            yield Offence(where, message, f"raise it to {nodes}, or lower replicas")


@rule(
    "ACC-09",
    "The accelerator is offered where the cluster is",
    severity="warning",
    symptom="The node pool cannot be made or does not grow: ZONE_RESOURCE_POOL_EXHAUSTED, GCE_STOCKOUT.",
    cause="Zones of Cloud TPU and of GKE's TPU node pools differ, and not every zone has every chip.",
    instead="choose a zone from the accelerator's list, and ask for quota there",
    source=("F-25", "https://docs.cloud.google.com/tpu/docs/regions-zones"),
)
def zone(view: View) -> Iterator[Offence]:
    """Node pools with accelerators whose zones are known."""
    location = view.environment.cluster.location
    for nodes in view.nodes:
        zones = nodes.placement.accelerator.zones if nodes.placement else ()
        if zones and not any(item == location or item.startswith(f"{location}-") for item in zones):
            title = nodes.placement.accelerator.title if nodes.placement else ""
            message = f"needs {title} in {location}, where nobody reports it"
            where = view.setting("cluster", "nodePools", nodes.index, "machineType")
            yield Offence(where, message, f"known zones are {', '.join(zones)}")


@rule(
    "ACC-10",
    "There are nodes for everything that needs no accelerator, and it stays there",
    symptom="Controllers and endpoint pickers stay Pending, or take a paid accelerator node for themselves.",
    cause="Accelerator nodes are tainted, and only CPU node pools take ordinary pods.",
    instead="add a node pool without accelerator, and no accelerator selector on pods that ask for none",
    source=("F-27", "seed 000"),
)
def cpu_nodes(view: View) -> Iterator[Offence]:
    """Node pools, and pods without chips."""
    if all(nodes.placement for nodes in view.nodes):
        yield Offence(view.setting("cluster", "nodePools"), "has accelerator pools only")
    for pod in view.pods:
        if not pod.resource and _selects_accelerator(pod) and not pod.engine:
            yield Offence(pod.at("nodeSelector"), "selects accelerator nodes, and asks for no accelerator")


@rule(
    "ACC-11",
    "A rollout fits on the nodes that are there",
    symptom="The update hangs: the new pod waits for a node that the old one holds.",
    cause="maxSurge starts a new pod first, and a whole-node pod has no room beside the old one.",
    instead="write strategy.rollingUpdate {maxSurge: 0, maxUnavailable: 1}",
    source=("F-32", "https://kubernetes.io/docs/concepts/workloads/controllers/deployment/"),
)
def rollout(view: View) -> Iterator[Offence]:
    """Deployments whose pods take whole nodes, on node pools without a spare one."""
    for pod in accelerated(view):
        owner = pod.owner
        if owner.kind != "Deployment" or owner.get("spec", "strategy", "type") == "Recreate":
            continue
        rolling = mapping(owner.manifest, "spec", "strategy", "rollingUpdate")
        if waits_for_a_node(view, pod, rolling):
            said = rolling.get("maxSurge", "25 % by default")
            yield Offence(
                owner.at("spec", "strategy"), f"has maxSurge {said}, and the node pool has no spare node"
            )


@rule(
    "ACC-12",
    "A TPU slice of several hosts is one LeaderWorkerSet on one node pool",
    symptom="Every pod waits for its neighbours, and TPU initialisation times out.",
    cause="The hosts of a slice only work together; a Deployment places its pods one by one.",
    instead="use a LeaderWorkerSet of as many pods as the slice has hosts, with "
    f"{EXCLUSIVE}: {GKE_NODE_POOL}",
    source=(
        "F-32b",
        "F-88",
        "https://docs.cloud.google.com/kubernetes-engine/docs/tutorials/deploy-multihost-gpu",
    ),
)
def slices(view: View) -> Iterator[Offence]:
    """Pods on multi-host topologies, and every LeaderWorkerSet."""
    for pod in accelerated(view):
        places = [nodes.placement for nodes in view.nodes_for(pod) if nodes.placement]
        hosts = max((place.hosts for place in places), default=1)
        if hosts == 1:
            continue
        size = _group_nodes(pod)
        if pod.owner.kind != "LeaderWorkerSet":
            yield Offence(
                pod.at("nodeSelector"), f"is a slice of {hosts} hosts, and {pod.owner.kind} knows no groups"
            )
        elif size != hosts:
            where = pod.owner.at("spec", "leaderWorkerTemplate", "size")
            yield Offence(where, f"is {size}, and the slice has {hosts} hosts", f"write {hosts}")
        elif not pod.owner.get("metadata", "annotations", EXCLUSIVE):
            yield Offence(pod.owner.at("metadata", "annotations"), f"lacks {EXCLUSIVE}")


@rule(
    "ACC-13",
    "A LeaderWorkerSet starts its group anew when one pod dies",
    symptom="After one pod restarts, the group hangs: the others wait for a rank that has gone.",
    cause="Ranks find each other once, at start.",
    instead="write restartPolicy: RecreateGroupOnPodRestart",
    source=("F-88", "https://lws.sigs.k8s.io/docs/concepts/"),
)
def group_restart(view: View) -> Iterator[Offence]:
    """Every LeaderWorkerSet with more than one pod."""
    for group in view.of("LeaderWorkerSet"):
        policy = group.get("spec", "leaderWorkerTemplate", "restartPolicy")
        size = group.number("spec", "leaderWorkerTemplate", "size") or 1
        if size > 1 and policy != "RecreateGroupOnPodRestart":
            where = group.at("spec", "leaderWorkerTemplate", "restartPolicy")
            yield Offence(where, f"is {policy or 'missing'}, with {size} pods in a group")


def _selects_accelerator(pod: Pod) -> bool:
    keys = {item.node_label_key for item in accelerators().values()}
    return bool(keys & pod.node_selector.keys())


@rule(
    "ACC-14",
    "An update that KServe makes fits on the nodes that are there",
    severity="warning",
    symptom="The update hangs: the new pod is Pending for want of a node, and the old one serves on.",
    cause="KServe's Deployments add 25 % of their replicas and take away 25 %, rounded to one and, below four "
    "replicas, to none; no release up to 0.20 lets an LLMInferenceService say otherwise.",
    instead="raise maxNodes by one, a node that runs only while an update does; or delete one old pod by hand "
    "whenever an update waits",
    source=(
        "F-32",
        "kserve workload_single_node.go, expectedSingleNodeMainDeployment",
        "https://github.com/kserve/kserve/issues/5452",
        "https://github.com/kserve/kserve/pull/5916",
    ),
)
def kserve_rollout(view: View) -> Iterator[Offence]:
    """Deployments that KServe makes, on node pools without a spare node; its LeaderWorkerSets need none."""
    for pod in accelerated(view):
        workload = pod.path[:-1]
        if not pod.made_by_kserve or pod.owner.get(*workload, "worker"):
            continue
        if waits_for_a_node(view, pod, mapping(pod.owner.manifest, *workload, "rolloutStrategy")):
            pools = view.nodes_for(pod)
            names = " and ".join(nodes.pool.name for nodes in pools)
            most = sum(nodes.pool.max_nodes for nodes in pools)
            bounds = scaled(view, pod)
            yield Offence(
                bounds.place if bounds else pod.owner.at(*workload, "replicas"),
                f"is {bounds.most if bounds else pod.replicas}, and no node of {names} is left for the replica that an update adds first",
                f"raise maxNodes of {names} to {most + 1}, a node that runs only while an update does; "
                "or delete one old pod by hand whenever an update waits",
            )


@rule(
    "ACC-15",
    "GPUs of one replica on several nodes have a network of their own",
    severity="warning",
    symptom="The replica starts, and answers at a fraction of the speed: NCCL says NET/Socket in its log.",
    cause="A pod sees one network, on which the GPUs of two nodes talk TCP. Those for GPUs belong to the cluster; "
    "a pod has to ask for them, and to mount their libraries.",
    instead=f"give the cluster networks for GPUs, and the pods, in patches under extras, the annotation {INTERFACES} "
    "or a resource claim, and the libraries",
    source=(GPU_NETWORKS, DRANET),
)
def gpu_network(view: View) -> Iterator[Offence]:
    """Groups of pods on GPU nodes, whoever makes them."""
    for pod in accelerated(view):
        places = [nodes.placement for nodes in view.nodes_for(pod) if nodes.placement]
        if not _in_group(pod) or _asks_for_networks(pod) or not places or places[0].is_tpu:
            continue
        machine, where = places[0].machine, pod.owner.at("spec")
        if machine.gpu_network:
            yield Offence(
                where, f"spreads a replica over several {machine.name} without {machine.gpu_network}"
            )
        else:
            message = f"spreads a replica over several {machine.name}, which have no network for GPUs"
            yield Offence(
                where, message, f"choose {_with_gpu_network()}, or a machine type that holds the model"
            )


@rule(
    "ACC-16",
    "Prefill hands the KV cache to decode over a network of the GPUs' own",
    severity="note",
    symptom="Answers begin later than without disaggregation, the more so the longer the prompt is.",
    cause="Decode waits until it has the KV cache of the whole prompt. A pod sees one network, on which NIXL talks TCP.",
    instead=f"give the cluster networks for GPUs, and the pods, in patches under extras, the annotation {INTERFACES} "
    "or a resource claim; or serve short prompts from replicas that do both",
    source=(GPU_NETWORKS, DRANET, "https://docs.vllm.ai/en/stable/features/nixl_connector_usage/"),
)
def kv_network(view: View) -> Iterator[Offence]:
    """GPU engines that take a KV cache from others."""
    for engine in view.engines:
        transfer = _kv_transfer(engine)
        takes = transfer.get("kv_connector") == NIXL_CONNECTOR and transfer.get("kv_role") != "kv_producer"
        machines = [nodes.placement.machine for nodes in view.nodes_for(engine.pod) if nodes.placement]
        if takes and machines and not _asks_for_networks(engine.pod):
            size = _kv_bytes_per_token(view, engine.model)
            amount = f", {1000 * size / MIB:.0f} MiB for 1000 tokens of it" if size else ""
            yield Offence(
                engine.at_flag("kv-transfer-config"),
                f"takes the KV cache of every prompt{amount}, over the network that all pods share",
                ""
                if machines[0].gpu_network
                else f"choose {_with_gpu_network()}, or serve from replicas that do both",
            )


def _kv_bytes_per_token(view: View, model: str) -> int:
    """KV cache of a token on all devices of a replica; 0 where nobody asks for the model."""
    sizes = {
        item.engine.source: kv_bytes_per_token(item.replica) * item.replica.tensor_parallel
        for item in asked(view)
    }
    return sizes.get(model, 0)


def _with_gpu_network() -> str:
    return " or ".join(name for name, machine in machine_types().items() if machine.gpu_network)


def _kv_transfer(engine: Engine) -> JsonObject:
    """What an engine is told about handing over KV caches; nothing where that is no JSON object."""
    try:
        return mapping(json.loads(engine.flags.get("kv-transfer-config", "{}")))
    except ValueError:
        return {}


def _asks_for_networks(pod: Pod) -> bool:
    """Whether a pod is attached to more than the network that all pods share."""
    return INTERFACES in pod.annotations or "resourceClaims" in pod.spec


def _in_group(pod: Pod) -> bool:
    """Whether several pods are one replica."""
    if pod.made_by_kserve:
        return bool(pod.owner.get(*pod.path[:-1], "worker"))
    return _group_nodes(pod) > 1


RULES = (
    node_label,
    node_pool,
    whole_node,
    host_bounds,
    parallelism,
    toleration,
    engine_image,
    capacity,
    zone,
    cpu_nodes,
    rollout,
    slices,
    group_restart,
    kserve_rollout,
    gpu_network,
    kv_network,
)
