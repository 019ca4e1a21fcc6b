"""The model servers."""

from textwrap import dedent

from llmd_bench.workload.values import COMPONENT, HTTP, ROLE_LABEL, SERVER, Values, labels, resource
from llmd_constructs.manifest import (
    CONFIG_MAP,
    DEPLOYMENT,
    EXTERNAL_SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
    JsonObject,
    Kind,
)

_CLAIM = Kind("v1", "PersistentVolumeClaim")


def secrets(values: Values) -> list[JsonObject]:
    """The access token, from the secret store."""
    spec = {
        "refreshInterval": "1h",
        "secretStoreRef": {"kind": "ClusterSecretStore", "name": "google-secret-manager"},
        "target": {"name": "hugging-face-token", "creationPolicy": "Owner"},
        "data": [{"secretKey": "token", "remoteRef": {"key": values.secret_key}}],
    }
    return [resource(EXTERNAL_SECRET, values, "hugging-face-token", SERVER, spec=spec)]


def model_server(values: Values, role: str) -> list[JsonObject]:
    """The model servers of one role, `decode` or `prefill`."""
    return [_deployment(values, role), _service(values, role)]


def _deployment(values: Values, role: str) -> JsonObject:
    selector = {COMPONENT: SERVER, ROLE_LABEL: role}
    spec = {
        "replicas": values.replicas,
        "selector": {"matchLabels": selector},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
        "template": {
            "metadata": {"labels": {**labels(values, SERVER), ROLE_LABEL: role}},
            "spec": {
                "serviceAccountName": SERVER,
                "automountServiceAccountToken": False,
                "terminationGracePeriodSeconds": 130,
                "nodeSelector": {
                    "cloud.google.com/gke-tpu-accelerator": "tpu-v6e-slice",
                    "cloud.google.com/gke-tpu-topology": "2x2",
                },
                "tolerations": [{"key": "google.com/tpu", "operator": "Exists", "effect": "NoSchedule"}],
                "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}, "fsGroup": 1000},
                "containers": [_vllm(values, role)],
                "volumes": [
                    {"name": "cache", "persistentVolumeClaim": {"claimName": "model-cache"}},
                    {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "2Gi"}},
                    {"name": "scripts", "configMap": {"name": "server-scripts", "defaultMode": 0o555}},
                ],
            },
        },
    }
    return resource(DEPLOYMENT, values, role, SERVER, spec=spec)


def _vllm(values: Values, role: str) -> JsonObject:
    return {
        "name": "vllm",
        "image": f"ghcr.io/llm-d/llm-d-tpu:{values.image_tag}",
        "imagePullPolicy": "IfNotPresent",
        "command": ["vllm", "serve"],
        "args": [
            values.model,
            f"--port={HTTP}",
            f"--max-model-len={values.max_model_len}",
            "--tensor-parallel-size=4",
            "--dtype=half",
            "--disable-uvicorn-access-log",
            f'--kv-transfer-config={{"kv_connector":"TPUConnector","kv_role":"kv_{role}"}}',
        ],
        "env": [
            {"name": "HOME", "value": "/cache"},
            {"name": "HF_HOME", "value": "/cache/huggingface"},
            {"name": "VLLM_CACHE_ROOT", "value": "/cache/vllm"},
            {"name": "TPU_CHIPS_PER_HOST_BOUNDS", "value": "2,2,1"},
            {"name": "TPU_WORKER_ID", "value": "0"},
            {"name": "PJRT_DEVICE", "value": "TPU"},
            {"name": "VLLM_LOGGING_LEVEL", "value": "INFO"},
            {"name": "TPU_WORKER_HOSTNAMES", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {
                "name": "HF_TOKEN",
                "valueFrom": {"secretKeyRef": {"name": "hugging-face-token", "key": "token"}},
            },
        ],
        "ports": [{"name": "http", "containerPort": HTTP, "protocol": "TCP"}],
        "resources": {
            "requests": {"cpu": "8", "memory": "64Gi", "google.com/tpu": 4},
            "limits": {"memory": "96Gi", "google.com/tpu": 4},
        },
        "startupProbe": _probe("/health", periodSeconds=10, failureThreshold=120),
        "livenessProbe": _probe("/health", periodSeconds=15, failureThreshold=3),
        "readinessProbe": _probe("/v1/models", periodSeconds=5, failureThreshold=2),
        "lifecycle": {"preStop": {"exec": {"command": ["/scripts/drain.sh"]}}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
        },
        "volumeMounts": [
            {"name": "cache", "mountPath": "/cache"},
            {"name": "shm", "mountPath": "/dev/shm"},  # noqa: S108 - the container's own
            {"name": "scripts", "mountPath": "/scripts"},
        ],
    }


def _probe(path: str, **timing: int) -> JsonObject:
    return {"httpGet": {"path": path, "port": "http"}, "timeoutSeconds": 5, **timing}


def _service(values: Values, role: str) -> JsonObject:
    spec = {
        "type": "ClusterIP",
        "selector": {COMPONENT: SERVER, ROLE_LABEL: role},
        "ports": [{"name": "http", "port": HTTP, "targetPort": "http", "protocol": "TCP"}],
    }
    return resource(SERVICE, values, role, SERVER, spec=spec)


def shared_by_servers(values: Values) -> list[JsonObject]:
    """What both roles use."""
    drain = """\
        #!/bin/sh
        # Let the gateway forget this pod, then wait until the running requests have their answers.
        touch /tmp/draining
        for attempt in $(seq 1 24); do
          running=$(wget -qO- http://localhost:8000/metrics | awk '/^vllm:num_requests_running/ {print $2}')
          [ "${running%.*}" = "0" ] && exit 0
          sleep 5
        done
        """
    claim = {
        "accessModes": ["ReadWriteMany"],
        "storageClassName": "standard-rwx",
        "resources": {"requests": {"storage": "1Ti"}},
    }
    return [
        resource(SERVICE_ACCOUNT, values, SERVER, SERVER, automountServiceAccountToken=False),
        resource(CONFIG_MAP, values, "server-scripts", SERVER, data={"drain.sh": dedent(drain)}),
        resource(_CLAIM, values, "model-cache", SERVER, spec=claim),
    ]
