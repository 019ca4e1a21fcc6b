"""Names and labels of a model served without KServe, as llm-d's charts give them.

Source: seed 003 (releases infra-, gaie- and ms-), llm-d-modelservice and inferencepool charts.
"""

from dataclasses import dataclass

INFERENCE_SERVING = "llm-d.ai/inferenceServing"
ROLE = "llm-d.ai/role"


@dataclass(frozen=True)
class LlmdNames:
    """Names of the objects of one model."""

    name: str
    """Name of the deployment, or of one model of a multi-model deployment."""

    @property
    def model_server(self) -> str:
        """The Deployment that decodes, and its ServiceAccount."""
        return f"ms-{self.name}-llm-d-modelservice-decode"

    @property
    def model_service(self) -> str:
        """The Service in front of all replicas."""
        return f"ms-{self.name}-llm-d-modelservice"

    @property
    def prefill(self) -> str:
        """The Deployment that prefills, and its ServiceAccount."""
        return f"ms-{self.name}-llm-d-modelservice-prefill"

    @property
    def render(self) -> str:
        """The Deployment and Service that turn prompts into tokens."""
        return f"ms-{self.name}-render"

    @property
    def pool(self) -> str:
        """The InferencePool."""
        return f"gaie-{self.name}"

    @property
    def picker(self) -> str:
        """The endpoint picker's Deployment, Service, ServiceAccount, RBAC and ConfigMap."""
        return f"gaie-{self.name}-epp"

    @property
    def route(self) -> str:
        """The HTTPRoute."""
        return f"llm-d-{self.name}-inference-scheduling"

    @property
    def model_server_selector(self) -> dict[str, str]:
        """Labels of the pods that serve, and of nothing else in the namespace (failures F-75, F-76)."""
        return {INFERENCE_SERVING: "true", "app.kubernetes.io/instance": self.name}

    @property
    def group_selector(self) -> dict[str, object]:
        """Every pod that runs a part of the model: leaders, workers, prefill and decode."""
        components = ["model-server", "model-worker"]
        return {
            "matchLabels": {"app.kubernetes.io/name": self.name},
            "matchExpressions": [
                {"key": "app.kubernetes.io/component", "operator": "In", "values": components}
            ],
        }

    @property
    def render_selector(self) -> dict[str, str]:
        """Labels of the pods that turn prompts into tokens."""
        return {"llm-d.ai/render": self.name}

    @property
    def picker_selector(self) -> dict[str, str]:
        """Labels of the endpoint picker's pods."""
        return {"inferencepool": self.picker}
