"""Replicas that follow the load."""

from llmd_constructs.application import Application, Component
from llmd_constructs.config.deployment import Autoscaling
from llmd_constructs.labels import recommended
from llmd_constructs.manifest import HORIZONTAL_POD_AUTOSCALER, JsonObject, Kind

METRICS_ADAPTER = "custom-metrics-stackdriver-adapter"
"""Third-party software that answers autoscalers from Cloud Monitoring; also its account."""
METRICS_ADAPTER_NAMESPACE = "custom-metrics"
METRICS_APIS = ("custom.metrics.k8s.io", "external.metrics.k8s.io")
"""The APIs that it registers itself for, both of them, as KEDA does for the second."""
COLLECTED = "prometheus.googleapis.com|"
"""What the names of metrics begin with that managed Prometheus has collected."""
WAITING_REQUESTS = f"{COLLECTED}vllm:num_requests_waiting|gauge"
"""Requests waiting in vLLM, as the Stackdriver adapter calls them.

The queue says best what throughput costs; memory stays taken once vLLM has it
(https://cloud.google.com/kubernetes-engine/docs/best-practices/machine-learning/inference/autoscaling-tpu).
"""
SECONDS_FOR_ONE = 180
"""A replica loads for minutes: adding more before it answers would overshoot (llm-d, workload autoscaling)."""


class Autoscaler(Component):
    """The HorizontalPodAutoscaler of one workload, whose own manifest names no replicas."""

    def __init__(
        self,
        scope: Application | Component,
        id: str,
        *,
        name: str,
        namespace: str,
        target: Kind,
        least: int,
        settings: Autoscaling,
        part_of: str,
    ) -> None:
        """Render the autoscaler.

        Args:
            scope: The application, or a part of it.
            id: Name within it.
            name: Name of the workload, and of the autoscaler.
            namespace: Their namespace.
            target: Kind of the workload.
            least: Fewest replicas.
            settings: Most replicas, and when there have to be more.
            part_of: The environment.
        """
        super().__init__(scope, id)
        one = {"policies": [{"type": "Pods", "value": 1, "periodSeconds": SECONDS_FOR_ONE}]}
        target_value = {"type": "AverageValue", "averageValue": str(settings.waiting_requests)}
        metric: JsonObject = {"metric": {"name": WAITING_REQUESTS}, "target": target_value}
        self.add(
            HORIZONTAL_POD_AUTOSCALER.manifest(
                name,
                namespace,
                labels=recommended(name, "autoscaler", part_of),
                spec={
                    "scaleTargetRef": {"apiVersion": target.api_version, "kind": target.kind, "name": name},
                    "minReplicas": least,
                    "maxReplicas": settings.max_replicas,
                    "metrics": [{"type": "Pods", "pods": metric}],
                    "behavior": {"scaleUp": one, "scaleDown": one},
                },
            ),
        )
