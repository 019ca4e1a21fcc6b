"""What KServe makes of an LLMInferenceService: names, labels and ports of objects that are not in git.

Source: kserve pkg/controller/llmisvc at release-v0.15 of the Open Data Hub fork and at v0.16 to v0.20
(workload_single_node.go, workload.go, scheduler.go, router.go, workload_tls_self_signed.go).
"""

from dataclasses import dataclass

PART_OF = "llminferenceservice"
COMPONENT_LABEL = "kserve.io/component"


@dataclass(frozen=True)
class KServeNames:
    """Names of the children of one LLMInferenceService."""

    name: str
    """Name of the LLMInferenceService."""

    @property
    def workload(self) -> str:
        """The Deployment; on multi-node workloads the LeaderWorkerSet is `workload_group`."""
        return f"{self.name}-kserve"

    @property
    def prefill(self) -> str:
        """The Deployment of the prefill side."""
        return f"{self.name}-kserve-prefill"

    @property
    def workload_group(self) -> str:
        """The LeaderWorkerSet."""
        return f"{self.name}-kserve-mn"

    @property
    def workload_service(self) -> str:
        """The Service in front of the workload."""
        return f"{self.name}-kserve-workload-svc"

    @property
    def pool(self) -> str:
        """The InferencePool."""
        return f"{self.name}-inference-pool"

    @property
    def picker(self) -> str:
        """The endpoint picker's Deployment."""
        return f"{self.name}-kserve-router-scheduler"

    @property
    def picker_service(self) -> str:
        """The endpoint picker's Service."""
        return f"{self.name}-epp-service"

    @property
    def route(self) -> str:
        """The HTTPRoute that KServe writes when it is asked to."""
        return f"{self.name}-kserve-route"

    @property
    def own_route(self) -> str:
        """The HTTPRoute that we write on gateways that refuse KServe's."""
        return f"{self.name}-route"

    @property
    def own_service(self) -> str:
        """The plain-HTTP Service that we write beside KServe's, whose `appProtocol: https` cannot be changed."""
        return f"{self.name}-http"

    @property
    def certificate_secret(self) -> str:
        """The Secret with the certificate that KServe issues to workload and picker."""
        return f"{self.name}-kserve-self-signed-certs"

    @property
    def model_server_selector(self) -> dict[str, str]:
        """Labels of the pods that serve; the pool selects by them. The picker's pods do not carry the last one."""
        return {
            "app.kubernetes.io/name": self.name,
            "app.kubernetes.io/part-of": PART_OF,
            COMPONENT_LABEL: "workload",
        }

    @property
    def group_selector(self) -> dict[str, object]:
        """Every pod of the model but the picker's: leaders, workers, prefill and decode."""
        component = "app.kubernetes.io/component"
        return {
            "matchLabels": {"app.kubernetes.io/name": self.name, "app.kubernetes.io/part-of": PART_OF},
            "matchExpressions": [
                {"key": component, "operator": "NotIn", "values": [self.picker_selector[component]]}
            ],
        }

    @property
    def picker_selector(self) -> dict[str, str]:
        """Labels of the endpoint picker's pods."""
        return {
            "app.kubernetes.io/name": self.name,
            "app.kubernetes.io/part-of": PART_OF,
            "app.kubernetes.io/component": "llminferenceservice-router-scheduler",
        }
