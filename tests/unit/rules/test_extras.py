"""Manifests and patches of users' own: they come out, they are checked, and what fits nothing is said."""

from typing import Any

import pytest
from tests.unit.rules.conftest import Workshop

from llmd_constructs.config.errors import InputError
from llmd_constructs.plan.extras import merge_patch

BASE = "extends: ../bases/gke-llmd.yaml\n"
POOL = "target: {kind: InferencePool, name: gaie-gemma}"


def _manifest(workshop: Workshop, text: str, path: str) -> dict[str, Any]:
    plan = workshop.plan(workshop.load("extras", BASE + text))
    return next(file.manifest for file in plan.files if file.path.endswith(path))


def _problems(workshop: Workshop, text: str) -> str:
    with pytest.raises(InputError) as refused:
        workshop.plan(workshop.load("extras", BASE + text))
    return str(refused.value)


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_patches_merge_as_the_standard_says(target: object, patch: object, result: object) -> None:
    """The examples of RFC 7386, appendix A."""
    assert merge_patch(target, patch) == result


def test_a_patch_changes_the_object_and_leaves_the_rest(workshop: Workshop) -> None:
    """A patched value is rendered, and every other value stays."""
    text = f"extras: [{{application: gemma, patches: [{{{POOL}, patch: {{spec: {{targetPorts: [{{number: 9000}}]}}}}}}]}}]\n"
    pool = _manifest(workshop, text, "InferencePool-gaie-gemma.yaml")
    assert pool["spec"]["targetPorts"] == [{"number": 9000}]
    assert pool["spec"]["endpointPickerRef"]["name"] == "gaie-gemma-epp"


def test_null_in_a_patch_takes_a_key_away(workshop: Workshop) -> None:
    """A null below `patch` reaches the patch, although a null elsewhere takes back what a base says."""
    text = f"extras: [{{application: gemma, patches: [{{{POOL}, patch: {{metadata: {{labels: null}}}}}}]}}]\n"
    assert "labels" not in _manifest(workshop, text, "InferencePool-gaie-gemma.yaml")["metadata"]


def test_a_manifest_comes_out_in_its_application(workshop: Workshop) -> None:
    """An object written inline is one more file of the application's folder, and the project allows its kind."""
    text = (
        "extras: [{application: gemma, manifests: [{apiVersion: batch/v1, kind: CronJob, "
        "metadata: {name: warm, namespace: models}}]}]\n"
    )
    plan = workshop.plan(workshop.load("extras", BASE + text))
    assert "dist/extras/gemma/CronJob-warm.yaml" in [file.path for file in plan.files]
    (project,) = [file.manifest for file in plan.argocd if file.manifest["kind"] == "AppProject"]
    assert {"group": "batch", "kind": "CronJob"} in project["spec"]["namespaceResourceWhitelist"]


def test_a_manifest_without_a_namespace_may_belong_to_the_cluster(workshop: Workshop) -> None:
    """The project allows its kind for the whole cluster, which is where Argo CD looks for it."""
    text = (
        "extras: [{application: gemma, manifests: [{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, "
        "metadata: {name: models}, value: 1000}]}]\n"
    )
    plan = workshop.plan(workshop.load("extras", BASE + text))
    (project,) = [file.manifest for file in plan.argocd if file.manifest["kind"] == "AppProject"]
    allowed = {"group": "scheduling.k8s.io", "kind": "PriorityClass"}
    assert allowed in project["spec"]["clusterResourceWhitelist"]


def test_a_manifest_may_stand_in_a_file(workshop: Workshop) -> None:
    """A file is named relative to the environment file, and `$` means nothing in it."""
    folder = workshop.root / "environments" / "manifests"
    folder.mkdir(exist_ok=True)
    (folder / "script.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: script, namespace: models}\ndata: {run: 'echo ${HOME}'}\n"
    )
    text = "extras: [{application: gemma, manifests: [manifests/script.yaml]}]\n"
    assert _manifest(workshop, text, "ConfigMap-script.yaml")["data"] == {"run": "echo ${HOME}"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[{application: gema}]",
            "extras[0].application: 'gema' is not an application here; did you mean 'gemma'?",
        ),
        (
            "[{application: inference-objective-crds}]",
            "extras[0].application: 'inference-objective-crds' is installed from its own source",
        ),
        (
            "[{application: gemma, patches: [{target: {kind: InferencePool, name: gaie-gema}, patch: {}}]}]",
            "there is no InferencePool/gaie-gema in this application; did you mean InferencePool/gaie-gemma?",
        ),
        (
            f"[{{application: gemma, patches: [{{{POOL}, patch: {{kind: null}}}}]}}]",
            "extras[0].patches[0].patch: makes an object that has kind empty",
        ),
        (
            "[{application: gemma, manifests: [{kind: Service}]}]",
            "extras[0].manifests[0]: has apiVersion empty; write apiVersion, such as apps/v1",
        ),
        (
            "[{application: gemma, manifests: [{apiVersion: v1, kind: Service, metadata: {name: ../../etc}}]}]",
            "extras[0].manifests[0]: has metadata.name the text '../../etc'",
        ),
        (
            "[{application: gemma, manifests: [{apiVersion: v1, kind: ServiceList, metadata: {name: a}}]}]",
            "extras[0].manifests[0]: is a ServiceList; write its objects one by one",
        ),
        ("[{application: gemma, manifests: [manifests/none.yaml]}]", "'manifests/none.yaml' is not there"),
        ("[{application: gemma, manifests: [../../secret.yaml]}]", "is not in a folder below environments/"),
        ("[{application: gemma, manifests: [extras.yaml]}]", "is not in a folder below environments/"),
        (
            "[{application: gemma, patches: [{target: {kind: Service}, patch: {}}]}]",
            "extras[0].patches[0].target.name",
        ),
        ("[{application: gemma, patchs: []}]", "extras[0].patchs"),
    ],
)
def test_what_fits_nothing_is_said_with_its_line(text: str, said: str, workshop: Workshop) -> None:
    """Each mistake is a problem at its line, and names what was probably meant."""
    problems = _problems(workshop, f"extras: {text}\n")
    assert said in problems
    assert "environments/extras.yaml:2" in problems


def test_all_mistakes_come_at_once(workshop: Workshop) -> None:
    """Two patches that fit nothing are two problems."""
    text = "extras:\n  - application: gema\n  - application: gemma\n    patches: [{target: {kind: X, name: other}, patch: {}}]\n"
    assert len(_problems(workshop, text).splitlines()) == 2


def test_a_picker_that_is_told_no_pool_is_found(workshop: Workshop) -> None:
    """A pool whose picker has no --pool-name would have its requests spread at random."""
    container = "{name: epp, image: 'example.com/picker:v1', args: []}"
    patch = f"{{spec: {{template: {{spec: {{containers: [{container}]}}}}}}}}"
    target = "{kind: Deployment, name: gaie-gemma-epp}"
    text = f"{BASE}extras: [{{application: gemma, patches: [{{target: {target}, patch: {patch}}}]}}]\n"
    found = [finding.message for finding in workshop.check("untold", text) if finding.rule.id == "EPP-05"]
    assert found == ["is gaie-gemma-epp, whose pods are given no --pool-name"]
