"""`helm test`: a Pod that asks the model a question, and the network policies that let it."""

from llmd_constructs import catalogue
from llmd_constructs.addons.network_policies import DNS_PORT
from llmd_constructs.charts.served import NAMESPACE, Served
from llmd_constructs.emit.yaml_text import yaml_text
from llmd_constructs.labels import NAMESPACE_NAME, recommended
from llmd_constructs.manifest import NETWORK_POLICY, JsonObject, Kind
from llmd_constructs.serving.engine import MODEL_SERVER_PORT

POD = Kind("v1", "Pod")
BUDGET_SECONDS = 240
"""How long it asks again. Below the 5 minutes that `helm test` waits unless told otherwise."""
CURL_USER = 100
"""The user of curl's image, which Kubernetes has to know as a number."""

QUESTION = "Which colour is a clear sky? Answer with one word."
LONGEST_ANSWER = 512
"""In tokens: models that think aloud need some before they answer."""

SCRIPT = f"""\
set -u
answer=$(curl --silent --show-error --insecure --fail-with-body --write-out '\\nHTTP %{{http_code}}\\n' \\
  --max-time 120 --retry 100 --retry-delay 5 --retry-max-time {BUDGET_SECONDS} --retry-all-errors \\
  --header 'Content-Type: application/json' --data "$QUESTION" "$URL")
code=$?
echo "$answer"
test $code -eq 0 || exit 1
echo "$answer" | grep -qx 'HTTP 200' || {{ echo 'not answered with 200'; exit 1; }}
echo "$answer" | grep -Eq '"(content|reasoning|reasoning_content)": *"[^"]' || {{ echo 'the answer is empty'; exit 1; }}
"""
"""Fails on anything but 200 and words. A model that thinks aloud may still be thinking when its tokens are used up,
and then its words are not in `content`. Certificates are KServe's own, which nothing outside the mesh can check."""


def test_hook(served: Served) -> str:
    """`templates/tests/chat.yaml`."""
    name = f"{served.name}-chat-test"
    policies = "".join(f"---\n{yaml_text(each)}" for each in _policies(served, name))
    guarded = f"{{{{- if $.Values.networkPolicies.enabled }}}}\n{policies}{{{{- end }}}}\n"
    return served.each(f"{guarded}---\n{yaml_text(_pod(served, name))}")


def _labels(name: str) -> dict[str, str]:
    return recommended(name, "chat-test", "{{ $.Values.environment }}")


def _hook(weight: int, delete: str) -> dict[str, str]:
    return {
        "helm.sh/hook": "test",
        "helm.sh/hook-weight": str(weight),
        "helm.sh/hook-delete-policy": delete,
    }


def _pod(served: Served, name: str) -> JsonObject:
    """It stays when it has ended, for whoever wants its log."""
    return POD.manifest(
        name,
        NAMESPACE,
        labels=_labels(name),
        annotations=_hook(1, "before-hook-creation"),
        spec={
            "restartPolicy": "Never",
            "activeDeadlineSeconds": BUDGET_SECONDS + 50,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": CURL_USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [_container(served)],
        },
    )


def _container(served: Served) -> JsonObject:
    return {
        "name": "chat",
        "image": catalogue.auxiliary("curl").image,
        "command": ["/bin/sh", "-c", SCRIPT],
        "env": [
            {"name": "URL", "value": f"{served.service}/v1/chat/completions"},
            {"name": "QUESTION", "value": _question(served)},
        ],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "resources": {
            "requests": {"cpu": "10m", "memory": "32Mi"},
            "limits": {"memory": "64Mi"},
        },
    }


def _question(served: Served) -> str:
    return (
        f'{{"model": "{{{{ {served.model} }}}}", "max_tokens": {LONGEST_ANSWER}, '
        f'"messages": [{{"role": "user", "content": "{QUESTION}"}}]}}'
    )


def _policies(served: Served, name: str) -> list[JsonObject]:
    """Out of the test to names and to the model, and into the model from the test."""
    test = {"matchLabels": {"app.kubernetes.io/name": name}}
    servers = {"matchLabels": dict(served.servers)}
    port = [{"protocol": "TCP", "port": MODEL_SERVER_PORT}]
    names = {"to": _resolvers(), "ports": [{"protocol": p, "port": DNS_PORT} for p in ("UDP", "TCP")]}
    return [
        _policy(
            name,
            {
                "podSelector": test,
                "policyTypes": ["Ingress", "Egress"],
                "egress": [names, {"to": [{"podSelector": servers}], "ports": port}],
            },
        ),
        _policy(
            f"{name}-entry",
            {
                "podSelector": servers,
                "policyTypes": ["Ingress"],
                "ingress": [{"from": [{"podSelector": test}], "ports": port}],
            },
        ),
    ]


def _resolvers() -> list[JsonObject]:
    system = {"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: "kube-system"}}}
    local = catalogue.gke().networks["node-local-dns"].cidrs
    return [system, *({"ipBlock": {"cidr": cidr}} for cidr in local)]


def _policy(name: str, spec: JsonObject) -> JsonObject:
    """Helm takes it away after the test, whether that passes or not."""
    annotations = _hook(0, "before-hook-creation,hook-succeeded,hook-failed")
    return NETWORK_POLICY.manifest(name, NAMESPACE, labels=_labels(name), annotations=annotations, spec=spec)
