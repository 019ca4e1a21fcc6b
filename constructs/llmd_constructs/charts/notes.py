"""`NOTES.txt`: where the model answers, and what to look at until it does."""

from collections.abc import Iterator

from llmd_constructs.charts.served import NAMESPACE, ON_GKE, Served

PATIENCE = "90m"
"""Longest start: large weights on slow disks, then compilation."""
PLATFORM_NOTES = """\
{{ $.Release.Name }} is in namespace {{ $.Release.Namespace }}. What it brought:
  helm get manifest {{ $.Release.Name }} --namespace {{ $.Release.Namespace }} | kubectl get --filename=-
"""
"""`NOTES.txt` of what models stand on."""
_GATEWAY = "{{ $.Values.gateway.name }} --namespace {{ $.Values.gateway.namespace }}"


def notes(served: Served) -> str:
    """The template of `NOTES.txt`."""
    return "\n".join([*_head(served), *_checks(served), *_endpoint(served)])


def _head(served: Served) -> Iterator[str]:
    what = "its models" if served.many else f"{{{{ {served.model} }}}}"
    yield f"{{{{ $.Release.Name }}}} brings {what} to namespace {NAMESPACE}."
    yield "Weights are downloaded first, so that the first answer can take from minutes to an hour."


def _checks(served: Served) -> Iterator[str]:
    yield ""
    yield "Is it there?"
    yield served.each("".join(f"  kubectl {line}\n" for line in _questions(served))).rstrip("\n")
    yield ""
    yield "Does it answer, inside the cluster?"
    yield f"  helm test {{{{ $.Release.Name }}}} --namespace {NAMESPACE} --logs"


def _questions(served: Served) -> Iterator[str]:
    """The workload, its pods, its picker, its route."""
    inside = f"--namespace {NAMESPACE}"
    labels = ",".join(f"{key}={value}" for key, value in served.servers.items())
    if served.stack == "kserve":
        yield f"wait llminferenceservice/{served.name} {inside} --for=condition=Ready --timeout={PATIENCE}"
    else:
        yield f"rollout status deployment/{served.llmd.picker} {inside} --timeout=5m"
        yield from _rollouts(served, inside)
    yield f"get pods {inside} --selector={labels}"
    conditions = r"""{range .status.parents[*].conditions[*]}{.type}={.status} {.message}{"\n"}{end}"""
    yield f"get httproute {served.route} {inside} --output=jsonpath='{conditions}'"


def _rollouts(served: Served, inside: str) -> Iterator[str]:
    names = served.llmd
    ready = f"rollout status deployment/{names.model_server} {inside} --timeout={PATIENCE}"
    if served.pattern == "mixture-of-experts":
        groups = f"wait leaderworkerset/{names.model_server} {inside} --for=condition=Available --timeout={PATIENCE}"
        yield f"{{{{ if gt (int $.Values.nodesPerReplica) 1 }}}}{groups}{{{{ else }}}}{ready}{{{{ end }}}}"
        return
    if served.pattern == "prefill-decode":
        yield f"rollout status deployment/{names.prefill} {inside} --timeout={PATIENCE}"
    yield ready


def _endpoint(served: Served) -> Iterator[str]:
    """The gateway's address, and what to ask there."""
    yield ""
    yield f"Does it answer through the gateway? {{{{ if {ON_GKE} }}}}{_ON_GKE}{{{{ else }}}}{_ON_ISTIO}{{{{ end }}}}"
    yield f"  ADDRESS=$(kubectl get gateway {_GATEWAY} --output=jsonpath='{{.status.addresses[0].value}}')"
    yield f"  SCHEME=$(kubectl get gateway {_GATEWAY} --output=jsonpath='{{.spec.listeners[0].protocol}}')"
    yield served.each(_requests(served)).rstrip("\n")
    if served.many:
        yield '{{ if eq $.Values.routing "body" }}  The `model` field of the request chooses the model.{{ end }}'
    yield ""


_ON_GKE = "It is a load balancer of Google's, which takes some minutes to know a new route."
_ON_ISTIO = (
    "It is the Service {{ $.Values.gateway.name }}-istio in namespace {{ $.Values.gateway.namespace }}."
)


def _requests(served: Served) -> str:
    """Through the host name where the routes want one, whatever DNS says of it yet."""
    named = '{{ $.Values.gateway.hostname | replace "*" "any" }}'
    host = f"{{{{ if $.Values.gateway.hostname }}}}{named}{{{{ else }}}}$ADDRESS{{{{ end }}}}"
    to = "{{ if $.Values.gateway.hostname }}--connect-to ::$ADDRESS: {{ end }}"
    url = f"$SCHEME://{host}{served.path}/v1"
    body = f'{{"model": "{{{{ {served.model} }}}}", "messages": [{{"role": "user", "content": "Hello"}}]}}'
    return (
        f'  curl --fail-with-body {to}"{url}/models"\n'
        f'  curl --fail-with-body {to}"{url}/chat/completions" \\\n'
        f"    --header 'Content-Type: application/json' --data '{body}'\n"
    )
