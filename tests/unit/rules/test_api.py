"""Manifests and patches of users' own: a slip of the pen is found where it was written, and nothing else is."""

from dataclasses import replace

import pytest
from tests.unit.rules.conftest import Workshop

from llmd_constructs.config.load import LoadedEnvironment
from llmd_constructs.plan.model import EnvironmentPlan, Own, Plan, RenderedSource
from llmd_constructs.rules import RULES
from llmd_constructs.rules.check import check
from llmd_constructs.rules.model import Finding
from llmd_constructs.rules.report import line
from llmd_constructs.rules.view import View

BASE = "extends: ../bases/gke-llmd.yaml\n"
OURS = {name: RULES[name] for name in ("API-01", "API-02", "GWY-05")}
ROUTE = "{kind: HTTPRoute, name: llm-d-gemma-inference-scheduling}"
SERVER = "{kind: Deployment, name: ms-gemma-llm-d-modelservice-decode}"


def _found(workshop: Workshop, text: str) -> list[Finding]:
    return check(workshop.view("own", BASE + text), OURS)


def _manifest(words: str) -> str:
    return f"extras: [{{application: gemma, manifests: [{{metadata: {{name: a, namespace: models}}, {words}}}]}}]\n"


def _patch(target: str, words: str) -> str:
    return f"extras: [{{application: gemma, patches: [{{target: {target}, patch: {words}}}]}}]\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            _manifest("apiVersion: v1, kind: ConfgMap"),
            "kind: error[API-01] is ConfgMap, which v1 does not have; did you mean ConfigMap?",
        ),
        (
            _manifest("apiVersion: v1, kind: CronJob"),
            "kind: error[API-01] is CronJob, which v1 does not have; write apiVersion: batch/v1",
        ),
        (
            _manifest("apiVersion: batch/v1beta1, kind: CronJob"),
            "kind: error[API-01] is CronJob, which batch/v1beta1 does not have; write apiVersion: batch/v1",
        ),
        (
            _manifest("apiVersion: aps/v1, kind: StatefulSet"),
            "kind: error[API-01] is StatefulSet, which aps/v1 does not have; write apiVersion: apps/v1",
        ),
        (
            _manifest("apiVersion: v1, kind: ConfigMap, dta: {a: b}"),
            "dta: error[API-02] is not a field of ConfigMap; did you mean data?",
        ),
        (
            _manifest("apiVersion: v1, kind: ConfigMap, data: {a: 5}"),
            "data.a: error[API-02] is the number 5, and has to be text; put it in quotes",
        ),
        (
            _manifest("apiVersion: policy/v1, kind: PodDisruptionBudget, spec: {minavailable: 1}"),
            "spec.minavailable: error[API-02] is not a field of PodDisruptionBudgetSpec; did you mean minAvailable?",
        ),
        (
            _manifest(
                "apiVersion: batch/v1, kind: Job, spec: {template: {spec: {containers: [{image: a}]}}}"
            ),
            "spec.template.spec.containers[0].name: error[API-02] is missing, and Container needs it; add name",
        ),
        (
            _manifest("apiVersion: v1, kind: Service, spec: {clusterIP: None, clusterIp: None}"),
            "spec.clusterIp: error[API-02] is not a field of ServiceSpec; did you mean clusterIP?",
        ),
        (
            _manifest("apiVersion: v1, kind: Service, spec: {ports: {port: 80}}"),
            "spec.ports: error[API-02] is a mapping, and has to be a list; begin each entry with `- `",
        ),
        (
            _patch(SERVER, "{spec: {replicas: two}}"),
            "spec.replicas: error[API-02] is the text 'two', and has to be a whole number; write a number",
        ),
        (
            _patch(SERVER, "{spec: {replicas: '2'}}"),
            "spec.replicas: error[API-02] is the text '2', and has to be a whole number; take away the quotes",
        ),
        (
            _patch(SERVER, "{spec: {replicas: true}}"),
            "spec.replicas: error[API-02] is true, and has to be a whole number",
        ),
        (
            _patch(SERVER, "{spec: {replcas: 3}}"),
            "spec.replcas: error[API-02] is not a field of DeploymentSpec; did you mean replicas?",
        ),
        (
            _patch(ROUTE, "{metadata: {annotations: {team: 5}}}"),
            "metadata.annotations.team: error[API-02] is the number 5, and has to be text; put it in quotes",
        ),
        (
            _patch(ROUTE, "{spec: {ruels: []}}"),
            "spec.ruels: error[API-02] is not a field of HTTPRouteSpec; did you mean rules?",
        ),
        (
            _patch(ROUTE, "{sepc: {rules: []}}"),
            "sepc: error[API-02] is not a field of HTTPRoute; did you mean spec?",
        ),
        (
            _patch(ROUTE, "{spec: {rules: [{backendRef: []}]}}"),
            "spec.rules[0].backendRef: error[API-02] is not a field of HTTPRouteRule; did you mean backendRefs?",
        ),
        (_patch(ROUTE, "{spec: {rules: []}}"), "spec.rules: error[GWY-05] is empty, and nothing is routed"),
        (_patch(ROUTE, "{spec: {rules: null}}"), "spec.rules: error[GWY-05] is empty, and nothing is routed"),
    ],
)
def test_a_slip_of_the_pen_is_found_on_its_line(text: str, said: str, workshop: Workshop) -> None:
    """Kinds, fields and types are told with the line of the environment file, and with what was meant."""
    (found,) = _found(workshop, text)
    assert said in line(found)
    assert line(found).startswith("environments/own.yaml:2: ")


@pytest.mark.parametrize(
    "text",
    [
        _manifest("apiVersion: example.com/v1, kind: ConfgMap, dta: {a: 1}, spec: [1]"),
        _manifest("apiVersion: keda.sh/v1alpha1, kind: TriggerAuthentication, spec: {secretTargetRef: []}"),
        _manifest("apiVersion: v1, kind: Service, spec: {ports: [{port: 80, targetPort: http}]}"),
        _manifest("apiVersion: v1, kind: ConfigMap, data: null, status: {}"),
        _manifest(
            "apiVersion: apps/v1, kind: StatefulSet, spec: {selector: {}, serviceName: a, template: {}, "
            "volumeClaimTemplates: [{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a}, "
            "spec: {resources: {requests: {storage: 1Gi}}}}]}"
        ),
        _manifest(
            "apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, spec: {group: a, names: {kind: A, "
            "plural: as}, scope: Cluster, versions: [{name: v1, served: true, storage: true, schema: "
            "{openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true, maximum: 0.5}}}]}"
        ),
    ],
)
def test_what_kubernetes_takes_is_left_alone(text: str, workshop: Workshop) -> None:
    """Kinds of others, nulls, quantities, names of ports and names in CRDs are no mistakes."""
    assert _found(workshop, text) == []


def test_what_other_rules_say_is_not_said_twice(workshop: Workshop) -> None:
    """Unknown fields of pods and labels that are no text are found once, by the rules that look at every object."""
    words = "{metadata: {labels: {a: 5}}, spec: {template: {spec: {nodeSelectr: {}}}}}"
    found = workshop.check("own", BASE + _patch(SERVER, words))
    fields = ("metadata.labels.a", "spec.template.spec.nodeSelectr")
    assert sorted((item.where.field, item.rule.id) for item in found if item.where.field in fields) == [
        ("metadata.labels.a", "POD-03"),
        ("spec.template.spec.nodeSelectr", "POD-11"),
    ]


def _as_if_own(plan: EnvironmentPlan, item: LoadedEnvironment) -> EnvironmentPlan:
    own = (Own(item.source.root, whole=True),)
    applications = [
        replace(
            application,
            source=replace(
                application.source,
                files=tuple(replace(file, own=own) for file in application.source.files),
            ),
        )
        for application in plan.applications
        if isinstance(application.source, RenderedSource)
    ]
    return replace(plan, applications=tuple(applications))


def test_what_we_render_would_pass_as_a_users_own(plan: Plan, loaded: tuple[LoadedEnvironment, ...]) -> None:
    """Held against the same types, no rendered object has a fault: the types know every field that we use."""
    items = zip(plan.environments, loaded, strict=True)
    found = [
        finding for each, item in items for finding in check(View(_as_if_own(each, item), item.source), OURS)
    ]
    assert [line(finding) for finding in found] == []


def test_a_manifest_in_a_file_is_named_by_its_own_line(workshop: Workshop) -> None:
    """What stands in a file of its own is mended there."""
    folder = workshop.root / "environments" / "manifests"
    folder.mkdir(exist_ok=True)
    (folder / "notes.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: notes, namespace: models}\ndta:\n  owner: team-a\n"
    )
    (found,) = _found(workshop, "extras: [{application: gemma, manifests: [manifests/notes.yaml]}]\n")
    assert line(found).startswith(
        "environments/manifests/notes.yaml:4: ConfigMap models/notes: dta: error[API-02]"
    )


def test_a_field_that_no_patch_touches_is_named_with_the_patch(workshop: Workshop) -> None:
    """The rendered object is at fault, and the patch may be why; a patch that sets the field is the place itself."""
    text = _patch(SERVER, "{metadata: {labels: {a: b}}}")
    (server,) = [item for item in workshop.view("own", BASE + text).of("Deployment") if len(item.own) == 1]
    assert str(server.at("spec", "replicas")) == (
        "dist/own/gemma/Deployment-ms-gemma-llm-d-modelservice-decode.yaml: "
        "Deployment models/ms-gemma-llm-d-modelservice-decode (patched at environments/own.yaml:2): spec.replicas"
    )
    assert str(server.at("metadata", "labels", "a")).startswith(
        "environments/own.yaml:2: Deployment models/ms-"
    )


def test_a_value_that_a_patch_takes_away_is_named_at_the_patch(workshop: Workshop) -> None:
    """A null, or a list that replaces the list, is where a field below it went."""
    text = _patch(SERVER, "{spec: {template: null}}")
    (server,) = [item for item in workshop.view("own", BASE + text).of("Deployment") if len(item.own) == 1]
    assert server.at("spec", "template", "spec", "containers").file == "environments/own.yaml"
