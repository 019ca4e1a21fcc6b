"""The command line answers at once, and says what is wrong without a traceback."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from llmd_constructs.cli.main import cli


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


def test_completion_script_is_there(root: Path) -> None:
    """The shell learns the verbs from the program itself."""
    done = subprocess.run(
        [sys.executable, "-c", "from llmd_constructs.cli.main import cli; cli(prog_name='llmd')"],
        cwd=root,
        env={
            "_LLMD_COMPLETE": "bash_complete",
            "COMP_WORDS": "llmd sy",
            "COMP_CWORD": "1",
            "PATH": "/usr/bin:/bin",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "plain,synth\n"


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


def test_why_of_an_unknown_environment_is_a_clear_error(root: Path) -> None:
    """No traceback for a slip of the pen."""
    result = CliRunner().invoke(cli, ["why", "fleet-prodction"], obj=root)
    assert result.exit_code == 1
    assert "environments/fleet-prodction.yaml" in result.stderr
