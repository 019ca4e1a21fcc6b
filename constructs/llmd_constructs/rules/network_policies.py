"""Network policies: they select pods that exist, and let through what the models need."""

from collections.abc import Iterator
from ipaddress import IPv4Network

from llmd_constructs.catalogue import gke
from llmd_constructs.labels import GATEWAY_NAME
from llmd_constructs.rules.model import Offence, Where, rule
from llmd_constructs.rules.pods import Engine, Pod
from llmd_constructs.rules.reading import dig, entries, labels, mapping, text
from llmd_constructs.rules.resources import Resource
from llmd_constructs.rules.traffic import Direction, Firewall, Peer, firewall_of
from llmd_constructs.rules.view import Pool, View

PICKER_PORT = 9002
INTERNET = Peer("the internet", network=IPv4Network("203.0.113.1/32"))
DNS = Peer("DNS in kube-system", "kube-system", {"k8s-app": "kube-dns"})
ISTIOD_PORT = 15012
_POLICIES = "https://kubernetes.io/docs/concepts/services-networking/network-policies/"
_GKE = "https://docs.cloud.google.com/kubernetes-engine/docs/how-to/network-policy"


@rule(
    "NET-01",
    "Pods that may send little may still look up names",
    symptom='The download ends with "Name or service not known".',
    cause="A policy closes egress, and nothing opens port 53 to kube-dns and to NodeLocal DNSCache, by UDP and TCP.",
    instead="allow port 53, UDP and TCP, to kube-system and to 169.254.20.10/32",
    source=("F-36", "issues of the Istio seed", _GKE),
)
def names(view: View) -> Iterator[Offence]:
    """DNS for every pod whose egress is closed."""
    firewall = firewall_of(view)
    local = [
        Peer("NodeLocal DNSCache", network=IPv4Network(cidr))
        for cidr in gke().networks["node-local-dns"].cidrs
    ]
    for pod in view.pods:
        for peer in (DNS, *local):
            for protocol in ("UDP", "TCP"):
                if not firewall.allows(pod, "Egress", peer, 53, protocol):
                    message = f"keeps {_pods(pod)} from {peer.name} by {protocol}"
                    yield Offence(_place(firewall, pod, "Egress"), message)


@rule(
    "NET-02",
    "A network policy selects pods that exist",
    symptom="The policy does nothing, or everything stays closed that it was to open.",
    cause="Its labels are not those of the pods: guides name labels that KServe never sets.",
    instead="use the labels of the pod template, or those that KServe gives its pods",
    source=("F-37", "seeds 000, 001 and 002", _POLICIES),
)
def selected(view: View) -> Iterator[Offence]:
    """Pod selectors of every policy, and of peers in the same namespace."""
    for policy in view.of("NetworkPolicy"):
        selector = mapping(policy.manifest, "spec", "podSelector")
        if selector and not view.pods_behind(policy.namespace, selector):
            yield Offence(policy.at("spec", "podSelector"), f"selects no pod: {_said(selector)}")
        for direction, side in (("ingress", "from"), ("egress", "to")):
            for number, item in enumerate(entries(policy.manifest, "spec", direction)):
                for index, peer in enumerate(entries(item, side)):
                    chosen = mapping(peer, "podSelector")
                    local = "namespaceSelector" not in peer and "ipBlock" not in peer
                    if local and chosen and not view.pods_behind(policy.namespace, chosen):
                        where = policy.at("spec", direction, number, side, index, "podSelector")
                        yield Offence(where, f"selects no pod: {_said(chosen)}")


def _said(selector: dict[str, object]) -> str:
    return (
        ", ".join(f"{key}={value}" for key, value in labels(selector, "matchLabels").items())
        or "its expressions"
    )


@rule(
    "NET-03",
    "A policy for model servers leaves the endpoint picker out",
    symptom="Requests are spread at random: the gateway no longer reaches the picker, and FailOpen hides it.",
    cause="KServe gives the picker the same app.kubernetes.io/name, and the policy selects by that alone.",
    instead="select by app.kubernetes.io/name and kserve.io/component: workload",
    source=("F-38", "seed 004: network policies"),
)
def picker_left_out(view: View) -> Iterator[Offence]:
    """Policies that open something for some pods, and select both kinds."""
    every_picker = {pod for pool in view.pools for pod in _picker_pods(view, pool)}
    for policy in view.of("NetworkPolicy"):
        selector = mapping(policy.manifest, "spec", "podSelector")
        pods = view.pods_behind(policy.namespace, selector) if selector else ()
        engines = [pod for pod in pods if pod.engine]
        pickers = [pod for pod in pods if pod in every_picker]
        if engines and pickers and policy.get("spec", "ingress"):
            message = f"selects the model servers of {engines[0].owner.name} and their endpoint picker"
            yield Offence(policy.at("spec", "podSelector"), message)


@rule(
    "NET-04",
    "The gateway reaches model servers and endpoint pickers",
    symptom='Every request ends with 503: "no healthy upstream", or the picker is silently skipped.',
    cause="Istio's gateway is a pod in another namespace; GKE's is no pod at all, and comes from address ranges.",
    instead="allow the gateway's pods, or the proxy-only subnet and Google's health checks, to 8000 and 9002",
    source=("F-39", "seed 001", "https://docs.cloud.google.com/load-balancing/docs/firewall-rules"),
)
def gateway_reaches(view: View) -> Iterator[Offence]:
    """Servers and picker of every pool."""
    firewall = firewall_of(view)
    for pool in view.pools:
        for peer in _gateway_peers(view):
            for engine in _engines(view, pool):
                if pool.port and not firewall.allows(engine.pod, "Ingress", peer, pool.port):
                    message = f"keeps {peer.name} from port {pool.port} of {_pods(engine.pod)}"
                    yield Offence(_place(firewall, engine.pod, "Ingress"), message)
            for pod in _picker_pods(view, pool):
                port = pool.picker_port or PICKER_PORT
                if not firewall.allows(pod, "Ingress", peer, port):
                    message = f"keeps {peer.name} from port {port} of {_pods(pod)}"
                    yield Offence(_place(firewall, pod, "Ingress"), message)


@rule(
    "NET-05",
    "The endpoint picker reaches the servers that it scores",
    symptom="All replicas look alike to the picker, and one of them gets everything.",
    cause="Metrics are read from the servers' own port, and one side of that is closed.",
    instead="allow the picker's pods to the servers' port, in both policies",
    source=("F-40", "seed 004"),
)
def picker_reaches(view: View) -> Iterator[Offence]:
    """Picker and servers of every pool, both sides."""
    firewall = firewall_of(view)
    for pool in view.pools:
        for engine in _engines(view, pool) if pool.port else ():
            for pod in _picker_pods(view, pool):
                out = Peer(_pods(engine.pod), engine.pod.namespace, engine.pod.labels)
                back = Peer(_pods(pod), pod.namespace, pod.labels)
                if not firewall.allows(pod, "Egress", out, pool.port or 0):
                    yield Offence(_place(firewall, pod, "Egress"), f"keeps {_pods(pod)} from {out.name}")
                if not firewall.allows(engine.pod, "Ingress", back, pool.port or 0):
                    yield Offence(
                        _place(firewall, engine.pod, "Ingress"), f"keeps {back.name} from {out.name}"
                    )


@rule(
    "NET-06",
    "The endpoint picker reaches the API server by address",
    symptom="The picker never becomes ready: it cannot list its pool.",
    cause="GKE's control plane is outside the cluster, so that no pod selector ever matches it.",
    instead="allow port 443 to cluster.network.controlPlane as an ipBlock",
    source=("F-42", "seed: allow-epp-scheduler", _GKE),
)
def api_server(view: View) -> Iterator[Offence]:
    """Egress of every picker."""
    firewall = firewall_of(view)
    network = view.environment.cluster.network.control_plane
    for pool in view.pools:
        for pod in _picker_pods(view, pool):
            policies = firewall.selecting(pod, "Egress")
            if network:
                open_ = firewall.allows(pod, "Egress", Peer("the API server", network=network), 443)
            else:
                open_ = not policies or any(_has_addresses(policy) for policy in policies)
            if not open_:
                yield Offence(_place(firewall, pod, "Egress"), f"keeps {_pods(pod)} from the API server")


def _has_addresses(policy: Resource) -> bool:
    for item in entries(policy.manifest, "spec", "egress"):
        ports = {port.get("port", 443) for port in entries(item, "ports")} or {443}
        if 443 in ports and (not item.get("to") or any("ipBlock" in peer for peer in entries(item, "to"))):
            return True
    return False


@rule(
    "NET-07",
    "No policy opens a port to every pod of every namespace",
    severity="warning",
    symptom="The namespace looks closed, and any pod of the cluster reaches the models.",
    cause="An empty namespaceSelector matches all namespaces; it was added for probes, which need no policy.",
    instead="name the namespace and the pods; the kubelet reaches its own pods without a policy",
    source=("F-43", "seed: allow-gateway-to-vllm", _POLICIES),
)
def open_to_all(view: View) -> Iterator[Offence]:
    """Ingress rules of every policy."""
    for policy in view.of("NetworkPolicy"):
        for number, item in enumerate(entries(policy.manifest, "spec", "ingress")):
            where = policy.at("spec", "ingress", number)
            if not item.get("from"):
                yield Offence(where, "lets everybody in")
            for index, peer in enumerate(entries(item, "from")):
                everywhere = "namespaceSelector" in peer and not mapping(peer, "namespaceSelector")
                anywhere = text(peer, "ipBlock", "cidr") == "0.0.0.0/0" and not dig(peer, "ipBlock", "except")
                if (everywhere and not mapping(peer, "podSelector")) or anywhere:
                    yield Offence(policy.at("spec", "ingress", number, "from", index), "lets everybody in")


@rule(
    "NET-08",
    "A server that downloads its weights reaches the internet",
    symptom="The download hangs until the pod is restarted.",
    cause="Egress is closed, and `namespaceSelector: {}` never matches an address outside the cluster.",
    instead="allow port 443 to 0.0.0.0/0 as an ipBlock, private ranges excepted",
    source=("F-36", "F-35g", "seed: security model"),
)
def downloads(view: View) -> Iterator[Offence]:
    """Egress of every engine that reads from Hugging Face."""
    firewall = firewall_of(view)
    for engine in view.engines:
        uri = text(engine.pod.service.manifest, "spec", "model", "uri") if engine.pod.service else "hf://"
        if uri.startswith("hf://") and not firewall.allows(engine.pod, "Egress", INTERNET, 443):
            yield Offence(
                _place(firewall, engine.pod, "Egress"), f"keeps {_pods(engine.pod)} from {INTERNET.name}"
            )


@rule(
    "NET-09",
    "A pod with a Google identity reaches the metadata server",
    symptom="Google APIs answer 401 to the pod: it cannot fetch its token.",
    cause="Egress is closed, and tokens come from the node's metadata server.",
    instead="allow 169.254.169.254/32 port 80 and 169.254.169.252/32 port 988",
    source=("F-45", _GKE),
)
def metadata(view: View) -> Iterator[Offence]:
    """Egress of pods whose ServiceAccount stands for a Google service account."""
    firewall = firewall_of(view)
    servers = [("metadata-server", 80), ("workload-identity", 988)]
    for pod in view.pods:
        account = view.find("ServiceAccount", pod.namespace, text(pod.spec, "serviceAccountName"))
        if not account or not account.get("metadata", "annotations", "iam.gke.io/gcp-service-account"):
            continue
        for network, port in servers:
            for cidr in gke().networks[network].cidrs:
                if not firewall.allows(pod, "Egress", Peer(cidr, network=IPv4Network(cidr)), port):
                    yield Offence(_place(firewall, pod, "Egress"), f"keeps {_pods(pod)} from {cidr}:{port}")


@rule(
    "NET-10",
    "Sidecars reach istiod",
    symptom="Pods with a sidecar never become ready: the proxy gets no configuration.",
    cause="The namespace injects sidecars, and egress to istiod is closed.",
    instead=f"allow port {ISTIOD_PORT} to istio-system",
    source=("F-41", "seed 004", "https://istio.io/latest/docs/ops/deployment/application-requirements/"),
)
def istiod(view: View) -> Iterator[Offence]:
    """Egress of pods in namespaces with injection."""
    firewall = firewall_of(view)
    peer = Peer("istiod", "istio-system", {"app": "istiod"})
    injected = {item.name for item in view.of("Namespace") if _injects(item)}
    for pod in view.pods:
        if pod.namespace in injected and not firewall.allows(pod, "Egress", peer, ISTIOD_PORT):
            yield Offence(_place(firewall, pod, "Egress"), f"keeps the sidecars of {_pods(pod)} from istiod")


def _injects(namespace: Resource) -> bool:
    found = labels(namespace.manifest, "metadata", "labels")
    return found.get("istio-injection") == "enabled" or "istio.io/rev" in found


def _gateway_peers(view: View) -> list[Peer]:
    gateway = view.environment.platform.gateway
    if not view.on_gke:
        return [
            Peer(
                f"the gateway's pods in {gateway.namespace}", gateway.namespace, {GATEWAY_NAME: gateway.name}
            )
        ]
    subnet = view.environment.cluster.network.proxy_only_subnet
    blocks = [("the load balancer", subnet)] if subnet else []
    checks = [("Google's health checks", IPv4Network(cidr)) for cidr in gke().networks["health-checks"].cidrs]
    return [Peer(f"{name} ({network})", network=network) for name, network in (*blocks, *checks)]


def _engines(view: View, pool: Pool) -> list[Engine]:
    pods = view.pods_behind(pool.namespace, pool.selector) if pool.selector else ()
    return [pod.engine for pod in pods if pod.engine]


def _picker_pods(view: View, pool: Pool) -> list[Pod]:
    service = view.find("Service", pool.namespace, pool.picker)
    if service:
        return [pod for pod in view.service_pods(service) if not pod.engine]
    return view.kserve_pickers(pool)


def _pods(pod: Pod) -> str:
    what = "the endpoint picker" if "scheduler" in pod.path else "the pods"
    return f"{what} of {pod.owner.kind} {pod.owner.name}"


def _place(firewall: Firewall, pod: Pod, direction: Direction) -> Where:
    """The policy to mend: the one that says most about the pod."""
    policies = firewall.selecting(pod, direction)
    told = sorted(
        policies, key=lambda policy: len(mapping(policy.manifest, "spec", "podSelector", "matchLabels"))
    )
    return told[-1].at("spec", direction.lower())


RULES = (
    names,
    selected,
    picker_left_out,
    gateway_reaches,
    picker_reaches,
    api_server,
    open_to_all,
    downloads,
    metadata,
    istiod,
)
