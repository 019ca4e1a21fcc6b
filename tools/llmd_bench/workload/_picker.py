"""The endpoint picker."""

from textwrap import dedent

from llmd_bench.workload.values import (
    COMPONENT,
    GRPC,
    HEALTH,
    METRICS,
    OBJECTIVE,
    PICKER,
    Values,
    labels,
    resource,
)
from llmd_constructs.manifest import (
    CONFIG_MAP,
    DEPLOYMENT,
    INFERENCE_POOL,
    ROLE,
    ROLE_BINDING,
    SERVICE,
    SERVICE_ACCOUNT,
    JsonObject,
)


def picker(values: Values) -> list[JsonObject]:
    """The picker with its account, rights, configuration and Service."""
    config = """\
        apiVersion: inference.networking.x-k8s.io/v1alpha1
        kind: EndpointPickerConfig
        plugins:
          - type: queue-scorer
          - type: kv-cache-utilization-scorer
          - type: prefix-cache-scorer
          - type: max-score-picker
          - type: single-profile-handler
        schedulingProfiles:
          - name: default
            plugins:
              - pluginRef: queue-scorer
                weight: 2
              - pluginRef: kv-cache-utilization-scorer
                weight: 2
              - pluginRef: prefix-cache-scorer
                weight: 3
              - pluginRef: max-score-picker
        """
    subject = {"kind": "ServiceAccount", "name": PICKER, "namespace": values.name}
    reference = {"apiGroup": ROLE.group, "kind": ROLE.kind, "name": PICKER}
    ports = [
        {"name": "grpc", "port": GRPC, "targetPort": "grpc", "protocol": "TCP", "appProtocol": "http2"},
        {"name": "metrics", "port": METRICS, "targetPort": "metrics", "protocol": "TCP"},
    ]
    service = {"selector": {COMPONENT: PICKER}, "ports": ports}
    return [
        resource(SERVICE_ACCOUNT, values, PICKER, PICKER, automountServiceAccountToken=True),
        resource(ROLE, values, PICKER, PICKER, rules=_picker_rules()),
        resource(ROLE_BINDING, values, PICKER, PICKER, subjects=[subject], roleRef=reference),
        resource(CONFIG_MAP, values, PICKER, PICKER, data={"config.yaml": dedent(config)}),
        resource(DEPLOYMENT, values, PICKER, PICKER, spec=_picker_deployment(values)),
        resource(SERVICE, values, PICKER, PICKER, spec=service),
    ]


def _picker_rules() -> list[JsonObject]:
    read = ["get", "list", "watch"]
    return [
        {"apiGroups": [""], "resources": ["pods"], "verbs": read},
        {"apiGroups": [INFERENCE_POOL.group], "resources": ["inferencepools"], "verbs": read},
        {"apiGroups": [OBJECTIVE.group], "resources": ["inferenceobjectives"], "verbs": read},
        {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]},
    ]


def _picker_deployment(values: Values) -> JsonObject:
    grpc = {"grpc": {"port": HEALTH, "service": "inference-extension"}, "periodSeconds": 10}
    container = {
        "name": "picker",
        "image": f"ghcr.io/llm-d/llm-d-inference-scheduler:{values.image_tag}",
        "args": [
            "--pool-name=pool",
            "--pool-namespace=$(NAMESPACE)",
            f"--pool-group={INFERENCE_POOL.group}",
            f"--grpc-port={GRPC}",
            f"--grpc-health-port={HEALTH}",
            f"--metrics-port={METRICS}",
            "--model-server-metrics-scheme=http",
            "--config-file=/config/config.yaml",
            "--zap-encoder=json",
        ],
        "env": [{"name": "NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}],
        "ports": [
            {"name": "grpc", "containerPort": GRPC, "protocol": "TCP"},
            {"name": "health", "containerPort": HEALTH, "protocol": "TCP"},
            {"name": "metrics", "containerPort": METRICS, "protocol": "TCP"},
        ],
        "resources": {"requests": {"cpu": "500m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}},
        "livenessProbe": {**grpc, "initialDelaySeconds": 5},
        "readinessProbe": {**grpc, "initialDelaySeconds": 2},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
        },
        "volumeMounts": [{"name": "config", "mountPath": "/config", "readOnly": True}],
    }
    return {
        "replicas": 1,
        "selector": {"matchLabels": {COMPONENT: PICKER}},
        "template": {
            "metadata": {"labels": labels(values, PICKER)},
            "spec": {
                "serviceAccountName": PICKER,
                "terminationGracePeriodSeconds": 130,
                "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
                "containers": [container],
                "volumes": [{"name": "config", "configMap": {"name": PICKER}}],
            },
        },
    }
