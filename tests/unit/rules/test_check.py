"""What `check` and `explain` show, and what waivers do."""

import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.unit.rules.conftest import FIXTURES, Workshop

from llmd_constructs.cli.main import cli
from llmd_constructs.rules import RULES, report

ROOT = Path(__file__).parents[3]
OPEN_TO_ALL = (FIXTURES / "invalid" / "NET-07.yaml").read_text("utf-8")
NO_TIMEOUT = (FIXTURES / "invalid" / "GKE-03.yaml").read_text("utf-8")
HANDED_OVER = (FIXTURES / "invalid" / "ACC-16.yaml").read_text("utf-8")
SMALL_SUBNET = (FIXTURES / "invalid" / "GKE-10.yaml").read_text("utf-8")
ELSEWHERE = "cluster: {name: elsewhere}\n"
WAIVER = "waivers: [{{rule: {rule}, object: {object}, reason: seen and meant}}]\n"


def _run(root: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, words, obj=root)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository of its own with the bases."""
    (tmp_path / "environments").mkdir()
    shutil.copytree(FIXTURES / "bases", tmp_path / "bases")
    return tmp_path


def test_a_waived_finding_stays_in_the_report_with_its_reason(workshop: Workshop) -> None:
    """A waiver does not hide what it covers."""
    text = OPEN_TO_ALL + WAIVER.format(rule="NET-07", object="NetworkPolicy/gemma-model-server")
    (finding,) = [item for item in workshop.check("waived", text) if item.rule.id == "NET-07"]
    assert finding.waiver == "seen and meant"
    assert not finding.fails
    assert "waived: seen and meant" in report.line(finding)


@pytest.mark.parametrize(
    ("text", "rule", "object", "said"),
    [
        (NO_TIMEOUT, "GKE-03", "GCPBackendPolicy/gaie-gemma", "GKE-03 cannot be waived"),
        (OPEN_TO_ALL, "NET-77", "NetworkPolicy/gemma-model-server", "'NET-77' is not a rule"),
        (
            OPEN_TO_ALL,
            "NET-07",
            "NetworkPolicy/gemma-model",
            (
                "NetworkPolicy/gemma-model does not break NET-07; "
                "write what does, NetworkPolicy/gemma-model-server, or take the waiver away"
            ),
        ),
        (
            OPEN_TO_ALL,
            "ACC-09",
            "cluster.nodePools[1].machineType",
            "cluster.nodePools[1].machineType does not break ACC-09; take the waiver away",
        ),
    ],
)
def test_waivers_that_do_not_hold_are_errors(
    text: str, rule: str, object: str, said: str, workshop: Workshop
) -> None:
    """An unknown rule, one that cannot be waived, and an object that breaks nothing are refused."""
    found = workshop.check("waived", text + WAIVER.format(rule=rule, object=f'"{object}"'))
    (finding,) = [item for item in found if item.rule.id == "WVR-01"]
    assert said in f"{finding.message}; {finding.instead}"
    assert finding.fails
    assert not any(item.waiver for item in found)


def test_a_waiver_covers_a_field_of_the_environment_file(workshop: Workshop) -> None:
    """Findings without an object are waived by their field."""
    text = (FIXTURES / "invalid" / "ACC-09.yaml").read_text("utf-8")
    field = '"cluster.nodePools[1].machineType"'
    found = workshop.check("waived", text + WAIVER.format(rule="ACC-09", object=field))
    assert [item.waiver for item in found if item.rule.id == "ACC-09"] == ["seen and meant"]


def test_findings_name_the_line_of_the_environment_or_the_object(workshop: Workshop) -> None:
    """A setting and a patch are shown with file and line, a rendered value with object and path."""
    (setting,) = [item for item in workshop.check("small", SMALL_SUBNET) if item.rule.id == "GKE-10"]
    assert report.line(setting).startswith(
        "environments/small.yaml:7: cluster.network.proxyOnlySubnet: error[GKE-10]"
    )
    (patched,) = [item for item in workshop.check("short", NO_TIMEOUT) if item.rule.id == "GKE-03"]
    assert report.line(patched).startswith(
        "environments/short.yaml:14: GCPBackendPolicy models/gaie-gemma: "
        "spec.default.timeoutSec: error[GKE-03] is 30;"
    )
    (rendered,) = [item for item in workshop.check("shared", HANDED_OVER) if item.rule.id == "ACC-16"]
    assert report.line(rendered).startswith(
        "dist/shared/qwen/Deployment-ms-qwen-llm-d-modelservice-decode.yaml: "
        "Deployment models/ms-qwen-llm-d-modelservice-decode: "
    )


def test_check_ends_with_1_where_an_error_is_left(repository: Path) -> None:
    """An error is printed, and the exit code stops a pipeline."""
    (repository / "environments/a.yaml").write_text(NO_TIMEOUT)
    ran = _run(repository, "check")
    assert ran.exit_code == 1
    assert "error[GKE-03]" in ran.output
    assert ran.output.endswith("1 error, 0 warnings, 1 note\n")


def test_warnings_do_not_stop_a_pipeline(repository: Path) -> None:
    """A warning is printed, and the exit code is 0."""
    (repository / "environments/a.yaml").write_text(OPEN_TO_ALL)
    ran = _run(repository, "check")
    assert (ran.exit_code, "warning[NET-07]" in ran.output) == (0, True)


def test_check_takes_the_named_environments_only(repository: Path) -> None:
    """Only what is asked for is checked, and an unknown name is a problem."""
    (repository / "environments/good.yaml").write_text(f"extends: ../bases/gke-llmd.yaml\n{ELSEWHERE}")
    (repository / "environments/bad.yaml").write_text(NO_TIMEOUT)
    assert _run(repository, "check", "good").exit_code == 0
    assert _run(repository, "check", "bad").exit_code == 1
    unknown = _run(repository, "check", "other")
    assert unknown.exit_code == 1
    assert "holds no environment 'other'; write one of bad, good" in unknown.output
    assert unknown.stderr.endswith("\n1 problem\n")  # nobody expects that a check writes


def test_check_takes_the_path_of_a_file(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the shell completes is taken, from the working directory and from the root; other files are not."""
    (repository / "environments/good.yaml").write_text(f"extends: ../bases/gke-llmd.yaml\n{ELSEWHERE}")
    (repository / "environments/bad.yaml").write_text(NO_TIMEOUT)
    assert _run(repository, "check", "environments/good.yaml").exit_code == 0
    assert _run(repository, "check", "environments/bad.yaml").exit_code == 1
    monkeypatch.chdir(repository / "environments")
    assert _run(repository, "check", "good.yaml").exit_code == 0
    assert (
        "no environment '../bases/gke-llmd.yaml'"
        in _run(repository, "check", "../bases/gke-llmd.yaml").stderr
    )


@pytest.mark.parametrize("words", [("check",), ("why", "a"), ("synth",)])
def test_outside_of_a_repository_the_place_is_told(words: tuple[str, ...], tmp_path: Path) -> None:
    """Who stands in another folder learns which one was read."""
    ran = _run(tmp_path, *words)
    assert ran.exit_code == 1
    assert f"environments: is not a folder of {tmp_path}" in ran.stderr
    assert "run this in the folder of the repository" in ran.stderr


def test_json_is_for_programs(repository: Path) -> None:
    """Every finding is an object with all its parts."""
    (repository / "environments/a.yaml").write_text(NO_TIMEOUT)
    finding, note = json.loads(_run(repository, "check", "--format", "json").stdout)
    assert (note["rule"], note["severity"]) == ("GWY-12", "note")
    assert finding == {
        "rule": "GKE-03",
        "severity": "error",
        "environment": "a",
        "file": "environments/a.yaml",
        "line": 14,
        "object": "GCPBackendPolicy models/gaie-gemma",
        "field": "spec.default.timeoutSec",
        "patched": None,
        "message": "is 30; InferencePool models/gaie-gemma answers for longer than that",
        "instead": "write 180 or more",
        "waived": None,
    }


def test_sarif_is_for_code_review(repository: Path) -> None:
    """SARIF names the rule, the place and what to write, and a waiver is a suppression."""
    waiver = WAIVER.format(rule="NET-07", object="NetworkPolicy/gemma-model-server")
    (repository / "environments/a.yaml").write_text(OPEN_TO_ALL + waiver + ELSEWHERE)
    (repository / "environments/b.yaml").write_text(SMALL_SUBNET)
    log = json.loads(_run(repository, "check", "--format", "sarif").stdout)
    run = log["runs"][0]
    assert log["version"] == "2.1.0"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [*RULES, "INPUT"]
    by_rule = {result["ruleId"]: result for result in run["results"]}
    for rule, result in by_rule.items():
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == rule
    assert by_rule["NET-07"]["suppressions"] == [{"kind": "external", "justification": "seen and meant"}]
    place = by_rule["GKE-10"]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "environments/b.yaml"}, "region": {"startLine": 7}}


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_problems_of_the_input_come_in_the_same_format(form: str, repository: Path) -> None:
    """Code review sees a mistake in an environment file like any other finding."""
    (repository / "environments/a.yaml").write_text("extends: ../bases/gke-llmd.yaml\nclutser: {}\n")
    ran = _run(repository, "check", "--format", form)
    assert ran.exit_code == 1
    found = json.loads(ran.stdout)
    place = found[0] if form == "json" else found["runs"][0]["results"][0]
    assert "INPUT" in (place.get("rule"), place.get("ruleId"))
    assert "environments/a.yaml" in json.dumps(place)


def test_synth_writes_nothing_while_a_rule_is_broken(repository: Path) -> None:
    """An error of the rules stops the synthesis before anything is written."""
    (repository / "environments/a.yaml").write_text(NO_TIMEOUT)
    ran = _run(repository, "synth")
    assert ran.exit_code == 1
    assert "error[GKE-03]" in ran.output
    assert not (repository / "dist").exists()


def test_synth_shows_the_warnings(repository: Path) -> None:
    """A warning does not stop the synthesis, and is not lost in it; one that was waived is known."""
    (repository / "environments/a.yaml").write_text(OPEN_TO_ALL)
    ran = _run(repository, "synth")
    assert ran.exit_code == 0, ran.output
    assert "warning[NET-07]" in ran.stderr
    waived = OPEN_TO_ALL + WAIVER.format(rule="NET-07", object="NetworkPolicy/gemma-model-server")
    (repository / "environments/a.yaml").write_text(waived)
    assert _run(repository, "synth", "--force").stderr == ""


def test_explain_prints_a_rule(repository: Path) -> None:
    """Symptom, cause, remedy and source of a rule, whatever the case of its id."""
    ran = _run(repository, "explain", "gke-02")
    assert ran.exit_code == 0
    for word in ("GKE-02", "GWCER104", "Cause", "Instead", "issues/5311"):
        assert word in ran.output


@pytest.mark.parametrize(
    ("id", "said"),
    [
        ("GKE_02", "GKE_02 is not a rule; did you mean GKE-02?"),
        ("fit-99", "fit-99 is not a rule; FIT has FIT-01, FIT-02, FIT-03, FIT-04, FIT-05, FIT-06, FIT-07\n"),
        ("what", "what is not a rule; rules begin with ACC, API, ARG, "),
    ],
)
def test_explain_knows_what_was_meant(id: str, said: str, repository: Path) -> None:
    """An id that is nearly right is named, or those of its topic, or the topics, and never all of them."""
    ran = _run(repository, "explain", id)
    assert ran.exit_code == 1
    assert said in ran.stderr
    assert len(ran.stderr) < 200


def test_explain_tells_what_a_preflight_check_asks(repository: Path) -> None:
    """A check is shown with its command and remedy, as an environment asks it."""
    (repository / "environments/a.yaml").write_text("extends: ../bases/gke-llmd.yaml\n")
    ran = _run(repository, "explain", "pre-02")
    assert ran.exit_code == 0, ran.output
    assert "PRE-02: kubectl talks to this cluster, and to no other\n" in ran.stdout
    assert "docs/environments/a/preflight.sh; asked by a\n" in ran.stdout
    assert "Asks     kubectl config view --minify" in ran.stdout
    assert "Instead  gcloud container clusters get-credentials" in ran.stdout


def test_explain_says_that_nobody_asks_a_check(repository: Path) -> None:
    """An id of a check that no environment needs is told as such."""
    (repository / "environments/a.yaml").write_text("extends: ../bases/gke-llmd.yaml\n")
    ran = _run(repository, "explain", "PRE-97")
    assert (ran.exit_code, "no environment asks PRE-97" in ran.stderr) == (1, True)


def test_the_committed_environments_are_free_of_errors() -> None:
    """What is committed can be merged."""
    ran = _run(ROOT, "check")
    assert ran.exit_code == 0, ran.output


def test_docs_are_written_and_checked(repository: Path) -> None:
    """`docs` writes every generated page, removes what is left over, and `--check` names what is not current."""
    (repository / "environments/a.yaml").write_text("extends: ../bases/gke-llmd.yaml\n")
    assert "docs/environments/a/preflight.sh is not current" in _run(repository, "docs", "--check").output
    assert _run(repository, "docs").exit_code == 0
    script = repository / "docs/environments/a/preflight.sh"
    assert os.access(script, os.X_OK)
    assert _run(repository, "docs", "--check").exit_code == 0
    gone = repository / "docs/environments/gone/preflight.sh"
    gone.parent.mkdir()
    gone.write_text("")
    assert "docs/environments/gone/preflight.sh is not current" in _run(repository, "docs", "--check").stderr
    assert _run(repository, "docs").stdout == "- docs/environments/gone/preflight.sh\n"
    assert not gone.parent.exists()
    assert script.exists()
