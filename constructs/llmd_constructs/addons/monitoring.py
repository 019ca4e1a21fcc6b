"""Metrics: managed Prometheus collects them from every pod that has some."""

from collections.abc import Mapping

from llmd_constructs.application import Application, Component
from llmd_constructs.labels import recommended
from llmd_constructs.manifest import POD_MONITORING, compact

COLLECTOR_NAMESPACE = "gmp-system"
"""Where GKE runs the collectors (prometheus-engine v0.17.2, manifests/operator.yaml)."""
COLLECTOR = {"app.kubernetes.io/name": "collector"}
"""Labels of the collectors' pods."""
INTERVAL = "15s"
"""As often as the queue has to be known for scaling (GKE, autoscaling for inference on TPUs)."""


class Metrics(Component):
    """The metrics of one kind of pod."""

    def __init__(
        self,
        scope: Application | Component,
        id: str,
        *,
        name: str,
        namespace: str,
        selector: Mapping[str, str],
        port: int,
        part_of: str,
        secure: bool = False,
    ) -> None:
        """Render what is collected.

        Args:
            scope: The application, or a part of it.
            id: Name within it.
            name: Name of the PodMonitoring.
            namespace: Namespace of the pods.
            selector: Labels of the pods.
            port: Port that serves `/metrics`.
            part_of: The environment.
            secure: Whether that port speaks TLS, with a certificate that KServe makes and the collector cannot check.
        """
        super().__init__(scope, id)
        endpoint = compact(
            port=port,
            interval=INTERVAL,
            scheme="https" if secure else None,
            tls={"insecureSkipVerify": True} if secure else {},
        )
        self.add(
            POD_MONITORING.manifest(
                name,
                namespace,
                labels=recommended(name, "metrics", part_of),
                spec={"selector": {"matchLabels": dict(selector)}, "endpoints": [endpoint]},
            ),
        )
