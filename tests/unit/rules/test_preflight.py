"""The preflight script asks the right questions, and says which answer is wrong."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest
from tests.unit.rules.conftest import FIXTURES, Workshop

from llmd_constructs.reports.preflight import Check, checks, preflight_script

ENVIRONMENTS = ["gke-kserve", "istio-kserve", "gke-llmd", "external-secrets", "scaled"]
READING = {
    "gcloud": ("describe", "list", "get-iam-policy"),
    "kubectl": ("get", "config view", "auth can-i"),
}
QUOTAS = "CPUS,0.0\nNVIDIA_T4_GPUS,16.0\nIN_USE_ADDRESSES,8.0\n{region}\t16"
NO_QUOTAS = "CPUS,99.0\nNVIDIA_T4_GPUS,0.0\nIN_USE_ADDRESSES,0.0\n{region}\t0"
ADAPTER = (
    "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/"
    "fixture-project.svc.id.goog/subject/ns/custom-metrics/sa/custom-metrics-stackdriver-adapter"
)
ANSWERS = {
    "PRE-01": ("RUNNING", "PROVISIONING"),
    "PRE-02": ("gke_fixture-project_{zone}_fixture", "gke_other-project_europe-west4-a_other"),
    "PRE-03": ("{service}", ""),
    "PRE-04": ("1.34.3-gke.1051003", "1.33.5-gke.2019000"),
    "PRE-05": ("CHANNEL_STANDARD", "CHANNEL_DISABLED"),
    "PRE-06": ("True", ""),
    "PRE-07": ("fixture-project.svc.id.goog", ""),
    "PRE-08": ("on", "off"),
    "PRE-09": ("True", "Unknown"),
    "PRE-10": ("10.0.0.0/24\n192.168.0.0/23", "10.0.0.0/8x"),
    "PRE-11": ("{machine}", "n2-standard-2"),
    "PRE-12": ("\t9\t1", "\t0\t0"),
    "PRE-13": ("other:", "other:gke-node-1"),
    "PRE-14": ("{machine}", ""),
    "PRE-15": (QUOTAS, NO_QUOTAS),
    "PRE-16": (QUOTAS, NO_QUOTAS),
    "PRE-17": ("ADVANCED_DATAPATH\t", "LEGACY_DATAPATH\tFalse"),
    "PRE-18": ("ENABLED\nHF_TOKEN\n.dockerconfigjson", "token"),
    "PRE-19": ("applications.argoproj.io", ""),
    "PRE-20": ("yes", "no"),
    "PRE-21": ("quay.io/argoproj/argocd:v3.5.7", "quay.io/argoproj/argocd:v3.1.8"),
    "PRE-22": ("True", ""),
    "PRE-23": (f"user:somebody@example.com\n{ADAPTER}", "user:somebody@example.com"),
    "PRE-24": ("in:custom-metrics custom-metrics custom-metrics", "in:custom-metrics custom-metrics keda"),
    "PRE-25": ("NONE", "ALL"),
}
"""An answer that is right, and one that is wrong, for each kind of check."""


SCALED = """
extends: ../bases/gke-llmd.yaml
platform: {monitoring: true}
deployments:
  - {name: gemma, pattern: prefix-cache, replicas: 1, autoscaling: {maxReplicas: 2}}
"""


def _text(name: str) -> str:
    if name == "scaled":
        return SCALED
    if name == "external-secrets":
        return "extends: ../bases/gke-kserve.yaml\nplatform:\n  secrets:\n    provider: external-secrets\n"
    return (FIXTURES / "valid" / f"{name}.yaml").read_text("utf-8")


def _checks(workshop: Workshop, name: str) -> tuple[tuple[Check, ...], str]:
    plan = workshop.plan(workshop.load(name, _text(name)))
    return checks(plan), preflight_script(plan)


def _answer(check: Check, *, right: bool) -> str:
    good, bad = ANSWERS[check.id]
    words = " ".join(check.command)
    zone = "us-central1-a" if "us-central1" in words + check.wanted else "europe-west4-a"
    facts = {
        "zone": zone,
        "region": zone.removesuffix("-a"),
        "service": check.title.split()[2],
        "machine": check.wanted.strip("^$"),
    }
    return (good if right else bad).format(**facts)


class Stubs:
    """Programs that answer what a test tells them to, and refuse everything else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, script: str, answers: dict[tuple[str, ...], str]) -> subprocess.CompletedProcess[str]:
        """Run the script with these answers."""
        for name in ("gcloud", "kubectl"):
            cases = "\n".join(
                f"{shlex.quote(' '.join(command[1:]))}) printf '%s\\n' {shlex.quote(answer)} ;;"
                for command, answer in answers.items()
                if command[0] == name
            )
            stub = self.folder / name
            stub.write_text(
                f'#!/bin/sh\ncase "$*" in\n{cases}\n*) echo "nobody asks that"; exit 1 ;;\nesac\n', "utf-8"
            )
            stub.chmod(0o755)
        path = self.folder / "preflight.sh"
        path.write_text(script, "utf-8")
        environment = {"PATH": f"{self.folder}{os.pathsep}{os.environ['PATH']}"}
        return subprocess.run(
            ["bash", str(path)], env=environment, capture_output=True, text=True, check=False, timeout=120
        )


@pytest.fixture
def stubs(tmp_path: Path) -> Stubs:
    """The stubs, first on the path."""
    return Stubs(tmp_path)


def test_a_cluster_without_any_metrics_adapter_is_ready_for_one(workshop: Workshop, stubs: Stubs) -> None:
    """Before the first sync nobody answers for metrics, and kubectl prints two empty lists."""
    asked, script = _checks(workshop, "scaled")
    answers = {check.command: _answer(check, right=True) for check in asked}
    [adapter] = [check for check in asked if check.id == "PRE-24"]
    assert stubs.run(script, {**answers, adapter.command: "in: "}).returncode == 0


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_right_answers_pass(name: str, workshop: Workshop, stubs: Stubs) -> None:
    """Where every answer is right, the script says so and ends with 0."""
    asked, script = _checks(workshop, name)
    ran = stubs.run(script, {check.command: _answer(check, right=True) for check in asked})
    assert "FAIL" not in ran.stdout, ran.stdout
    assert ran.stdout.endswith(f"{len(asked)} passed, 0 failed\n")
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_wrong_answer_fails_with_its_command_and_remedy(
    name: str, workshop: Workshop, stubs: Stubs
) -> None:
    """A wrong answer fails its check, with what was asked and how to mend it, and the script ends with 1."""
    asked, script = _checks(workshop, name)
    ran = stubs.run(script, {check.command: _answer(check, right=False) for check in asked})
    assert "PASS" not in ran.stdout, ran.stdout
    assert ran.stdout.endswith(f"0 passed, {len(asked)} failed\n")
    assert ran.returncode == 1
    for check in asked:
        assert f"FAIL {check.id}  {check.title}\n     ran:  {' '.join(check.command[:3])}" in ran.stdout
        assert f"mend: {check.mend}\n" in ran.stdout


def test_one_wrong_answer_fails_the_script(workshop: Workshop, stubs: Stubs) -> None:
    """A single failure among right answers is seen, and ends with 1."""
    asked, script = _checks(workshop, "gke-llmd")
    answers = {check.command: _answer(check, right=True) for check in asked}
    wrong = next(check for check in asked if check.id == "PRE-10")
    ran = stubs.run(script, {**answers, wrong.command: "10.0.0.0/24"})
    assert [line.split()[1] for line in ran.stdout.splitlines() if line.startswith("FAIL")] == ["PRE-10"]
    assert ran.returncode == 1


def test_no_answer_at_all_fails_every_check(workshop: Workshop, stubs: Stubs) -> None:
    """Without access everything fails, and nothing hangs or stops half-way."""
    asked, script = _checks(workshop, "gke-llmd")
    ran = stubs.run(script, {})
    assert ran.stdout.endswith(f"0 passed, {len(asked)} failed\n")
    assert ran.returncode == 1


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_script_is_valid_bash(name: str, workshop: Workshop, tmp_path: Path) -> None:
    """Bash reads the script without a complaint."""
    script = tmp_path / "preflight.sh"
    script.write_text(_checks(workshop, name)[1], "utf-8")
    ran = subprocess.run(["bash", "-n", str(script)], capture_output=True, text=True, check=False, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_script_only_reads(name: str, workshop: Workshop) -> None:
    """Every command is one that reads, and none prints the content of a secret."""
    for check in _checks(workshop, name)[0]:
        words = " ".join(check.command)
        assert any(verb in words for verb in READING[check.command[0]]), words
        assert "secrets versions access" not in words
        assert "base64" not in words
        assert not ("secret" in words and "-o json" in words and "go-template" not in words)


def test_the_script_names_crds_by_their_right_group(workshop: Workshop) -> None:
    """CRDs are those that exist: a script of the seeds asked for one in a group that is none (F-89)."""
    for name in ENVIRONMENTS:
        crds = [
            check.command[3]
            for check in _checks(workshop, name)[0]
            if check.command[:3] == ("kubectl", "get", "crd")
        ]
        assert crds == ["applications.argoproj.io"]


def test_every_kind_of_check_is_tried() -> None:
    """No check is without an answer that fails it."""
    source = (Path(__file__).parents[3] / "constructs/llmd_constructs/reports/preflight.py").read_text(
        "utf-8"
    )
    named = {word.strip('",') for word in source.split() if word.startswith('"PRE-')}
    assert named == set(ANSWERS)


def test_a_secret_is_asked_for_where_something_reads_it(workshop: Workshop) -> None:
    """A namespace whose one model is public does without a token, and one with a gated model does not."""
    gated = (
        "deployments:\n  - {name: llama, pattern: single-replica, stack: kserve, namespace: gated, "
        "model: meta-llama/Llama-3.1-8B-Instruct, nodePool: tpu}\n"
    )
    plan = workshop.plan(workshop.load("readers", f"extends: ../bases/gke-kserve.yaml\n{gated}"))
    assert [check.title for check in checks(plan) if check.id == "PRE-18"] == [
        "the Secret hf-token in gated has the key HF_TOKEN",
        "the Secret pull in models has the key .dockerconfigjson",
        "the Secret pull in gated has the key .dockerconfigjson",
    ]
