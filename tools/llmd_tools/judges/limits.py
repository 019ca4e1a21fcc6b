"""What no program judges here. It is told at the end of every run of the judges, so that nothing passes in silence."""

from collections.abc import Iterator

from llmd_tools.judges.crd_sets import NOT_SERVED

_NOT_RENDERED = "cloud.google.com/v1 ComputeClass, operator.openshift.io: no registry serves their CRDs, and no environment has one"
_STOOD_IN = (
    "GKE's gateway controller: its objects are judged by schema and CEL rules, and given the status of ones that work",
    "Istio: likewise; DestinationRule and EnvoyFilter are judged by schema",
    "cert-manager, trust-manager, External Secrets, LeaderWorkerSet: likewise, and not by their webhooks",
    "managed Prometheus and the Stackdriver adapter: nothing is collected; autoscalers are played at their most replicas",
    "KServe of OpenDataHub 0.15 and of upstream 0.18: no registry serves them; 0.16 and 0.19 judge in their place",
    "endpoint pickers other than v0.9.2: the catalogue of their plugins judges their configurations",
    "kubelets, images, drivers and devices: pods are scheduled, and then said to be ready",
)


def limits() -> Iterator[str]:
    """One line for each thing that no program here judges."""
    for kind, judge in NOT_SERVED.items():
        yield f"{kind}: no registry serves its CRD; {judge}"
    yield _NOT_RENDERED
    yield from _STOOD_IN
