"""The command line answers at once, and says what is wrong without a traceback."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from llmd_constructs.cli.main import cli
from llmd_constructs.rules import RULES


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    """The environments and what is rendered from them, to be changed."""
    for name in ("environments", "dist", "argocd"):
        shutil.copytree(root / name, tmp_path / name)
    return tmp_path


def test_help_loads_nothing_heavy(root: Path) -> None:
    """`--help` and completion need neither cdk8s, which starts node, nor pydantic, nor rich."""
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from llmd_constructs.cli.main import cli\n"
        "assert CliRunner().invoke(cli, ['--help']).exit_code == 0\n"
        "heavy = {'cdk8s', 'jsii', 'pydantic', 'rich', 'yaml'} & sys.modules.keys()\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


COMPLETE = """
import atexit, sys
from llmd_constructs.cli.main import cli
heavy = {'cdk8s', 'jsii', 'pydantic', 'rich', 'yaml'}
atexit.register(lambda: print('loaded', *(heavy & sys.modules.keys()), end='', file=sys.stderr))
cli(prog_name='llmd')
"""


def _completed(root: Path, words: str) -> list[str]:
    """What the shell offers for the last word, without loading anything that takes its time."""
    done = subprocess.run(
        [sys.executable, "-c", COMPLETE],
        cwd=root,
        env={
            "_LLMD_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(words.count(" ")),
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == "loaded"
    return [line.removeprefix("plain,") for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("llmd sy", ["synth"]),
        ("llmd check fleet", ["fleet-production", "fleet-staging"]),
        ("llmd check fleet-staging fleet", ["fleet-production"]),
        ("llmd why nvidia", ["nvidia-test-cluster"]),
        ("llmd explain wvr", ["WVR-01"]),
        ("llmd charts platform-g", ["platform-gateway"]),
    ],
)
def test_the_shell_completes_verbs_and_names(words: str, offered: list[str], root: Path) -> None:
    """The shell learns verbs, environments, rules and charts from the program, which loads nothing heavy for it."""
    assert _completed(root, words) == offered


def test_the_shell_knows_every_rule(root: Path) -> None:
    """The ids that are read from the text of the rules are those of the rules."""
    assert _completed(root, "llmd explain ") == sorted(RULES)


def test_every_problem_of_every_file_is_told_at_once(copy: Path) -> None:
    """Exit code 1, file and line and field of each, and nothing is written."""
    for name, old, new in (
        ("tpu-test-cluster.yaml", "machineType: ct6e-standard-4t", "machineType: ct6e-standart-4t"),
        ("nvidia-test-cluster.yaml", "nodePool: nvidia-t4-pool", "nodePool: nvidia-t4"),
    ):
        path = copy / "environments" / name
        path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*")}
    result = CliRunner().invoke(cli, ["synth"], obj=copy)
    assert result.exit_code == 1
    assert (
        "environments/nvidia-test-cluster.yaml:40: deployments[0].nodePool: "
        "'nvidia-t4' is not a node pool of the cluster; did you mean 'nvidia-t4-pool'?\n"
    ) in result.stderr
    assert (
        "cluster.nodePools[1].machineType: 'ct6e-standart-4t' is not a known machine type; "
        "did you mean 'ct6e-standard-4t'? "
        "If not, add it to constructs/llmd_constructs/catalogue/machine_types.yaml\n"
    ) in result.stderr
    assert "2 problems; nothing was written" in result.stderr
    assert before == {path: path.stat().st_mtime_ns for path in copy.rglob("*")}


def test_what_would_keep_running_is_said(copy: Path) -> None:
    """A deployment that leaves its namespace empty is named, as long as that namespace is not."""
    base = copy / "environments" / "bases" / "fleet.yaml"
    text, entry, last = base.read_text("utf-8").partition("  - name: qwen3-32b\n")
    base.write_text(text, "utf-8")
    (copy / "environments" / "fleet-production.yaml").unlink()
    result = CliRunner().invoke(cli, ["synth"], obj=copy)
    assert result.exit_code == 0, result.output
    assert "warning: fleet-production: what was deployed keeps running" in result.stderr
    assert (
        "warning: fleet-staging: nothing is deployed to the namespace reasoning any more, so that Argo CD would not "
        "delete LLMInferenceService/qwen3-32b, "
    ) in result.stderr
    base.write_text(text + entry + last, "utf-8")
    CliRunner().invoke(cli, ["synth"], obj=copy)
    base.write_text(text.replace("platform:", "gitops: {namespaces: [reasoning]}\nplatform:"), "utf-8")
    result = CliRunner().invoke(cli, ["synth"], obj=copy)
    assert "- dist/fleet-staging/qwen3-32b/LLMInferenceService-qwen3-32b.yaml\n" in result.stdout
    assert "warning: " not in result.stderr


def test_check_shows_the_difference_and_writes_nothing(copy: Path) -> None:
    """A reviewer sees which lines would change."""
    path = copy / "environments" / "nvidia-test-cluster.yaml"
    path.write_text(path.read_text("utf-8").replace("maxModelLen: 2048", "maxModelLen: 1024"), "utf-8")
    result = CliRunner().invoke(cli, ["synth", "--check"], obj=copy)
    assert result.exit_code == 1
    assert "-        - --max-model-len=2048\n+        - --max-model-len=1024\n" in result.stdout
    deployment = (
        copy / "dist/nvidia-test-cluster/pattern1/Deployment-ms-pattern1-llm-d-modelservice-decode.yaml"
    )
    assert "--max-model-len=2048" in deployment.read_text("utf-8")


def test_why_names_the_file_that_a_value_comes_from(root: Path) -> None:
    """A value of a base is shown with the base's line, an overlaid one with the overlay's."""
    result = CliRunner().invoke(cli, ["why", "fleet-production", "gitops.repository"], obj=root)
    lines = dict(line.split(" = ", 1) for line in result.output.splitlines())
    assert lines["gitops.repository.url"].split()[1].startswith("environments/bases/gitops.yaml:")
    assert lines["gitops.repository.revision"].split()[1].startswith("environments/fleet-production.yaml:")


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("platform.secrets", "platform.secrets.huggingFaceToken.name = hf-token  default\n"),
        ("deployments.qwen3-32b.enabled", "deployments[1].enabled = true  default\n"),
        ("waivers", "waivers = []  default\n"),
        (
            "deployments.qwen3-32b.engine.blockSize",
            "deployments[1].engine.blockSize = null  default: KV-cache block",
        ),
        ("deployments[1].name", "deployments[1].name = qwen3-32b  environments/"),
        ("deployments.qwen3-32b.name", "deployments[1].name = qwen3-32b  environments/"),
        ("cluster.kubernetes", "cluster.kubernetes = 1.3"),
    ],
)
def test_why_tells_defaults_and_takes_names(field: str, said: str, root: Path) -> None:
    """A field that is left out is shown with its default, and an entry of a list is found by its name."""
    result = CliRunner().invoke(cli, ["why", "fleet-production", field], obj=root)
    assert result.exit_code == 0, result.output
    assert said in result.stdout


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("platform.gatway", "platform.gatway: is not there; did you mean platform.gateway?"),
        ("deployments.qwen3-32", "deployments.qwen3-32: is not there; did you mean deployments.qwen3-32b?"),
        ("deployments.rag", "deployments.rag: is not there; deployments has assistants, qwen3-32b"),
        ("deployments[7]", "deployments[7]: is not there; deployments has assistants, qwen3-32b"),
        ("gitops.namespace.x", "gitops.namespace.x: is not there; gitops.namespace has nothing below it"),
        ("deployments[", "deployments[: is not the path of a field; write one such as platform.gateway"),
    ],
)
def test_why_refuses_a_field_that_is_not_there(field: str, said: str, root: Path) -> None:
    """A slip of the pen is no silence, and the answer names what is there."""
    result = CliRunner().invoke(cli, ["why", "fleet-production", field], obj=root)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"environments/fleet-production.yaml: {said}\n\n1 problem\n"


def test_why_shows_what_is_written_in_a_file_with_problems(copy: Path) -> None:
    """Merging can be looked into before all is right; of defaults it is said why there are none."""
    path = copy / "environments" / "nvidia-test-cluster.yaml"
    path.write_text(
        path.read_text("utf-8").replace("nodePool: nvidia-t4-pool", "nodPool: nvidia-t4"), "utf-8"
    )
    there = CliRunner().invoke(cli, ["why", "nvidia-test-cluster", "deployments[0].nodPool"], obj=copy)
    assert there.stdout.startswith(
        "deployments[0].nodPool = nvidia-t4  environments/nvidia-test-cluster.yaml:40"
    )
    away = CliRunner().invoke(cli, ["why", "nvidia-test-cluster", "platform.networkPolicies"], obj=copy)
    assert away.exit_code == 1
    assert "deployments[0].nodPool: unknown field; did you mean nodePool?" in away.stderr


def test_why_takes_the_path_of_the_file(root: Path) -> None:
    """What the shell completes is taken."""
    result = CliRunner().invoke(cli, ["why", "environments/fleet-production.yaml", "cluster.name"], obj=root)
    assert result.stdout.startswith("cluster.name = ")


def test_why_of_an_unknown_environment_is_a_clear_error(root: Path) -> None:
    """No traceback for a slip of the pen."""
    result = CliRunner().invoke(cli, ["why", "fleet-prodction"], obj=root)
    assert result.exit_code == 1
    assert "holds no environment 'fleet-prodction'; did you mean fleet-production?" in result.stderr
