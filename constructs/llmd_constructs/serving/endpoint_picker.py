"""The endpoint picker of an InferencePool that KServe does not manage."""

from llmd_constructs.application import Application, Component
from llmd_constructs.emit.yaml_text import yaml_text
from llmd_constructs.labels import recommended
from llmd_constructs.manifest import (
    CONFIG_MAP,
    DEPLOYMENT,
    INFERENCE_POOL,
    ROLE,
    ROLE_BINDING,
    SERVICE,
    SERVICE_ACCOUNT,
    JsonObject,
    compact,
)
from llmd_constructs.serving.llmd import LlmdService
from llmd_constructs.serving.picker import grpc_probe, picker_args, picker_config

CONFIG_FILE = "default-plugins.yaml"
CONFIG_FOLDER = "/config"
DRAIN_SECONDS = 130
"""Longer than the gateway holds an ext_proc stream open (inferencepool chart)."""


class EndpointPicker(Component):
    """Deployment, Service, configuration and permissions of the picker of one pool."""

    def __init__(self, scope: Application | Component, id: str, service: LlmdService, part_of: str) -> None:
        """Render the picker of one model."""
        super().__init__(scope, id)
        self._service = service
        self._labels = recommended(service.name, "endpoint-picker", part_of)
        name, namespace, labels = service.names.picker, service.namespace, self._labels
        self.add(SERVICE_ACCOUNT.manifest(name, namespace, labels=labels))
        self._permissions()
        config = picker_config(service.picker, service.profile)
        self.add(CONFIG_MAP.manifest(name, namespace, labels=labels, data={CONFIG_FILE: yaml_text(config)}))
        self.add(DEPLOYMENT.manifest(name, namespace, labels=labels, spec=self._deployment()))
        self.add(SERVICE.manifest(name, namespace, labels=labels, spec=self._service_spec()))

    def _permissions(self) -> None:
        """The picker watches its pool, the pool's pods, and objectives; with replicas it also elects a leader."""
        service = self._service
        rules: list[JsonObject] = [
            {"apiGroups": [rule.group], "resources": list(rule.resources), "verbs": ["get", "list", "watch"]}
            for rule in service.picker.rbac
        ]
        if service.scheduler.replicas > 1:
            verbs = ["get", "list", "watch", "create", "update", "patch", "delete"]
            rules.append({"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": verbs})
            rules.append({"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]})
        name, namespace = service.names.picker, service.namespace
        self.add(ROLE.manifest(name, namespace, labels=self._labels, rules=rules))
        self.add(
            ROLE_BINDING.manifest(
                name,
                namespace,
                labels=self._labels,
                roleRef={"apiGroup": ROLE.group, "kind": ROLE.kind, "name": name},
                subjects=[{"kind": SERVICE_ACCOUNT.kind, "name": name, "namespace": namespace}],
            ),
        )

    def _deployment(self) -> JsonObject:
        service = self._service
        selector = service.names.picker_selector
        # One picker keeps the prefix index in memory: two at once, as in a rolling update, would split it.
        strategy = {"type": "Recreate"} if service.scheduler.replicas == 1 else None
        return compact(
            replicas=service.scheduler.replicas,
            selector={"matchLabels": selector},
            strategy=strategy,
            template={
                "metadata": {"labels": {**self._labels, **selector}},
                "spec": {
                    "serviceAccountName": service.names.picker,
                    "terminationGracePeriodSeconds": DRAIN_SECONDS,
                    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
                    "containers": [self._container()],
                    "volumes": [{"name": "config", "configMap": {"name": service.names.picker}}],
                },
            },
        )

    def _container(self) -> JsonObject:
        service = self._service
        release = service.picker
        ports = {
            "grpc": release.ports.grpc,
            "grpc-health": release.ports.health,
            "metrics": release.ports.metrics,
        }
        elected = service.scheduler.replicas > 1
        health = release.health_services
        return compact(
            name="epp",
            image=service.scheduler.image or release.image,
            args=self._args(elected=elected),
            env=[
                {"name": "NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
                {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            ],
            ports=[{"name": name, "containerPort": port, "protocol": "TCP"} for name, port in ports.items()],
            resources=picker_resources(),
            livenessProbe=grpc_probe(
                release,
                health.liveness if elected else None,
                initialDelaySeconds=5,
                periodSeconds=10,
            ),
            readinessProbe=grpc_probe(
                release,
                health.readiness if elected else None,
                initialDelaySeconds=5,
                periodSeconds=10,
            ),
            securityContext={
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
            volumeMounts=[{"name": "config", "mountPath": CONFIG_FOLDER, "readOnly": True}],
        )

    def _args(self, *, elected: bool) -> list[str]:
        service = self._service
        more: dict[str, str | bool] = {
            "config-file": f"{CONFIG_FOLDER}/{CONFIG_FILE}",
            "metrics-endpoint-auth": "false",
        }
        if elected:
            more["ha-enable-leader-election"] = True
        return picker_args(
            service.picker,
            pool=service.names.pool,
            namespace=service.namespace,
            pool_group=INFERENCE_POOL.group,
            metrics_scheme="http",
            more=more,
        )

    def _service_spec(self) -> JsonObject:
        ports = self._service.picker.ports
        return {
            "selector": self._service.names.picker_selector,
            "ports": [
                {
                    "name": "grpc-ext-proc",
                    "port": ports.grpc,
                    "targetPort": ports.grpc,
                    "protocol": "TCP",
                    "appProtocol": "kubernetes.io/h2c",
                },
                {
                    "name": "http-metrics",
                    "port": ports.metrics,
                    "targetPort": ports.metrics,
                    "protocol": "TCP",
                },
            ],
        }


def picker_resources() -> JsonObject:
    """One core and 2 GiB, as KServe 0.20 asks for; half to one core per request per second at long prompts."""
    return {"requests": {"cpu": "1", "memory": "2Gi"}, "limits": {"memory": "4Gi"}}
