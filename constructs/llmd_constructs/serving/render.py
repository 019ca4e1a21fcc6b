"""The Service that turns prompts into tokens, so that the picker can compare them with cache contents.

Source: llm-d guide precise-prefix-cache-routing.
"""

from llmd_constructs.application import Application, Component
from llmd_constructs.catalogue import default_engine
from llmd_constructs.catalogue import model as catalogue_model
from llmd_constructs.labels import recommended, spread_over_nodes
from llmd_constructs.manifest import DEPLOYMENT, SERVICE, JsonObject
from llmd_constructs.serving.engine import HEALTH_PATH, MODEL_SERVER_PORT
from llmd_constructs.serving.features import hugging_face_token
from llmd_constructs.serving.llmd import CACHE_FOLDER, LlmdService, cache_environment
from llmd_constructs.serving.llmd_names import LlmdNames

REPLICAS = 2


def render_url(names: LlmdNames, namespace: str) -> str:
    """Where the picker finds the render Service."""
    return f"http://{names.render}.{namespace}.svc:{MODEL_SERVER_PORT}"


class RenderService(Component):
    """vLLM's templates and tokenizer, on CPUs."""

    def __init__(
        self, scope: Application | Component, id: str, service: LlmdService, model: str, part_of: str
    ) -> None:
        """Render the Deployment and the Service of one model."""
        super().__init__(scope, id)
        name, namespace = service.names.render, service.namespace
        labels = recommended(service.name, "render", part_of)
        selector = service.names.render_selector
        image = default_engine("render")
        container: JsonObject = {
            "name": "render",
            "image": image.image,
            "command": list(image.command),
            "args": [model, f"--port={MODEL_SERVER_PORT}"],
            "env": [
                *cache_environment(),
                hugging_face_token(service.secrets, optional=not catalogue_model(model).gated),
            ],
            "ports": [{"name": "http", "containerPort": MODEL_SERVER_PORT, "protocol": "TCP"}],
            "resources": {"requests": {"cpu": "1", "memory": "4Gi"}, "limits": {"memory": "8Gi"}},
            "readinessProbe": {
                "httpGet": {"path": HEALTH_PATH, "port": MODEL_SERVER_PORT},
                "periodSeconds": 5,
            },
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
            "volumeMounts": [{"name": "cache", "mountPath": CACHE_FOLDER}],
        }
        pod: JsonObject = {
            "automountServiceAccountToken": False,
            "topologySpreadConstraints": spread_over_nodes(selector),
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [container],
            "volumes": [{"name": "cache", "emptyDir": {}}],
        }
        self.add(
            DEPLOYMENT.manifest(
                name,
                namespace,
                labels=labels,
                spec={
                    "replicas": REPLICAS,
                    "selector": {"matchLabels": selector},
                    "template": {"metadata": {"labels": {**labels, **selector}}, "spec": pod},
                },
            ),
        )
        port = {"name": "http", "port": MODEL_SERVER_PORT, "targetPort": MODEL_SERVER_PORT, "protocol": "TCP"}
        self.add(
            SERVICE.manifest(name, namespace, labels=labels, spec={"selector": selector, "ports": [port]})
        )
