"""Metrics and what follows them: they are collected where they are served, and scale what runs."""

from collections.abc import Iterator

from llmd_constructs.addons.autoscaling import COLLECTED, METRICS_ADAPTER
from llmd_constructs.addons.monitoring import COLLECTOR, COLLECTOR_NAMESPACE
from llmd_constructs.manifest import DEPLOYMENT, HORIZONTAL_POD_AUTOSCALER, LEADER_WORKER_SET, POD_MONITORING
from llmd_constructs.rules.model import Offence, Where, rule
from llmd_constructs.rules.pods import Pod
from llmd_constructs.rules.reading import entries, mapping, number, text
from llmd_constructs.rules.resources import Resource
from llmd_constructs.rules.traffic import Peer, firewall_of
from llmd_constructs.rules.view import View

_HPA = "https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/"
_MANAGED = "https://docs.cloud.google.com/stackdriver/docs/managed-prometheus/setup-managed"
_ON_METRICS = "https://cloud.google.com/stackdriver/docs/managed-prometheus/hpa"
_API_VERSIONS = {kind.kind: kind.api_version for kind in (DEPLOYMENT, LEADER_WORKER_SET)}
_PEER = Peer("managed Prometheus", COLLECTOR_NAMESPACE, COLLECTOR)


@rule(
    "MON-01",
    "An autoscaler scales something that runs",
    symptom="FailedGetScale: the load grows, and the replicas do not.",
    cause="The target has another kind or name; KServe names what it makes after the service, with a suffix.",
    instead="name the Deployment or LeaderWorkerSet that runs the pods",
    source=("F-93", _HPA),
)
def targets(view: View) -> Iterator[Offence]:
    """The target of every HorizontalPodAutoscaler."""
    for scaler in view.of(HORIZONTAL_POD_AUTOSCALER.kind):
        if not _scaled(view, scaler):
            target = mapping(scaler.manifest, "spec", "scaleTargetRef")
            said = " ".join(text(target, each) for each in ("apiVersion", "kind", "name"))
            yield Offence(scaler.at("spec", "scaleTargetRef"), f"is {said}, which nothing runs")


@rule(
    "MON-02",
    "What an autoscaler follows is collected",
    symptom="FailedGetPodsMetric: the metric is not there, and replicas stay as they are.",
    cause="Cloud Monitoring has a metric of a pod only where a PodMonitoring selects the pod.",
    instead="write platform.monitoring: true, or a PodMonitoring that selects the pods",
    source=("F-93", _ON_METRICS),
)
def followed(view: View) -> Iterator[Offence]:
    """Metrics of pods, by every HorizontalPodAutoscaler."""
    for scaler, where, name in _followed(view):
        if not all(_is_collected(view, pod) for pod in _scaled(view, scaler)):
            yield Offence(where, f"is {name}, and nothing collects metrics of these pods")


@rule(
    "MON-03",
    "Metrics are collected where they are served",
    symptom="The target is down in Cloud Monitoring; dashboards stay empty, and autoscalers do nothing.",
    cause="A decode replica serves its metrics behind the routing sidecar, and KServe's servers may speak TLS.",
    instead="name vLLM's own port, and https where it serves TLS",
    source=("F-87", _MANAGED),
)
def served(view: View) -> Iterator[Offence]:
    """Port and scheme of every endpoint of a PodMonitoring."""
    for resource, index, endpoint in _endpoints(view):
        port, scheme = number(endpoint, "port"), text(endpoint, "scheme") or "http"
        for pod in _selected(view, resource):
            place = ("spec", "endpoints", index)
            if port and pod.ports and port not in pod.ports:
                yield Offence(resource.at(*place, "port"), f"is {port}, where {_name(pod)} does not listen")
            elif pod.engine and pod.engine.explicit and port == pod.engine.port:
                spoken = pod.engine.scheme.lower()
                if scheme != spoken:
                    yield Offence(
                        resource.at(*place, "scheme"), f"is {scheme}, and {_name(pod)} speaks {spoken}"
                    )


@rule(
    "MON-04",
    "Network policies let metrics be collected",
    symptom="The target is down in Cloud Monitoring: context deadline exceeded.",
    cause="A policy closes the pods, and nothing lets the collectors in.",
    instead=f"allow pods of {COLLECTOR_NAMESPACE} to the port that serves metrics",
    source=("F-87", _MANAGED),
)
def reached(view: View) -> Iterator[Offence]:
    """Ingress of every pod that a PodMonitoring selects."""
    firewall = firewall_of(view)
    for resource, index, endpoint in _endpoints(view):
        port = number(endpoint, "port")
        for pod in _selected(view, resource) if port else ():
            if not firewall.allows(pod, "Ingress", _PEER, port or 0):
                yield Offence(
                    resource.at("spec", "endpoints", index, "port"),
                    f"is {port}, and network policies keep {_PEER.name} from it",
                )


@rule(
    "MON-05",
    "An autoscaler has room between its fewest and its most",
    symptom="The load grows, and the replicas do not; or the API server refuses the autoscaler.",
    cause="maxReplicas is no more than minReplicas.",
    instead="write a higher maxReplicas, or leave the autoscaler out",
    source=("F-93", _HPA),
)
def room(view: View) -> Iterator[Offence]:
    """Bounds of every HorizontalPodAutoscaler."""
    for scaler in view.of(HORIZONTAL_POD_AUTOSCALER.kind):
        least, most = scaler.number("spec", "minReplicas") or 1, scaler.number("spec", "maxReplicas")
        if most is not None and most <= least:
            yield Offence(scaler.at("spec", "maxReplicas"), f"is {most}, and {least} is the fewest already")


@rule(
    "MON-06",
    "KServe leaves to an autoscaler what it scales",
    symptom="Replicas that an autoscaler added go away at every change of the service.",
    cause="Controllers before 0.17 write the number of replicas, whether the service names one or not.",
    instead="write a later platform.kserve, or leave the autoscaler out",
    source=("F-93", "kserve pkg/controller/llmisvc/workload.go, PreserveDeploymentReplicas"),
)
def left_alone(view: View) -> Iterator[Offence]:
    """Autoscalers of what KServe makes."""
    release = view.context.kserve
    if release is None or release.features.replicas_left_alone:
        return
    for scaler in view.of(HORIZONTAL_POD_AUTOSCALER.kind):
        if any(pod.made_by_kserve for pod in _scaled(view, scaler)):
            where = scaler.at("spec", "scaleTargetRef")
            yield Offence(where, f"is made by KServe {release.id}, which sets replicas back")


@rule(
    "MON-07",
    "Somebody answers an autoscaler that asks for metrics of Cloud Monitoring",
    severity="warning",
    symptom="FailedGetPodsMetric: no custom metrics API, and replicas stay as they are.",
    cause="The API server hands such questions to an adapter, which a cluster does not have by itself.",
    instead=f"write `autoscaling` in a deployment, which installs {METRICS_ADAPTER}; or waive this where another "
    "repository installs it",
    source=("F-93", _ON_METRICS),
)
def answered(view: View) -> Iterator[Offence]:
    """Metrics of pods, by every HorizontalPodAutoscaler."""
    if any(application.name == METRICS_ADAPTER for application in view.plan.applications):
        return
    for _, where, name in _followed(view):
        yield Offence(where, f"is {name}, and no application installs {METRICS_ADAPTER}")


def _followed(view: View) -> Iterator[tuple[Resource, Where, str]]:
    """Every metric of Cloud Monitoring: its autoscaler, where it is named, its name."""
    for scaler in view.of(HORIZONTAL_POD_AUTOSCALER.kind):
        for index, metric in enumerate(entries(scaler.manifest, "spec", "metrics")):
            name = text(metric, "pods", "metric", "name")
            if name.startswith(COLLECTED):
                yield scaler, scaler.at("spec", "metrics", index, "pods", "metric", "name"), name


def _scaled(view: View, scaler: Resource) -> list[Pod]:
    """The pods whose number an autoscaler sets."""
    target = mapping(scaler.manifest, "spec", "scaleTargetRef")
    wanted = (text(target, "kind"), text(target, "name"))
    if text(target, "apiVersion") != _API_VERSIONS.get(wanted[0], text(target, "apiVersion")):
        return []
    return [pod for pod in view.pods if pod.namespace == scaler.namespace and pod.workload == wanted]


def _is_collected(view: View, pod: Pod) -> bool:
    """Whether a pod's metrics are; workers of a group serve none."""
    return not pod.ports or any(pod in _selected(view, each) for each in view.of(POD_MONITORING.kind))


def _endpoints(view: View) -> Iterator[tuple[Resource, int, dict[str, object]]]:
    for resource in view.of(POD_MONITORING.kind):
        for index, endpoint in enumerate(entries(resource.manifest, "spec", "endpoints")):
            yield resource, index, endpoint


def _selected(view: View, resource: Resource) -> tuple[Pod, ...]:
    return view.pods_behind(resource.namespace, mapping(resource.manifest, "spec", "selector"))


def _name(pod: Pod) -> str:
    return "/".join(pod.workload)


RULES = (targets, followed, served, reached, room, left_alone, answered)
