"""Node starts beside other work, and jsii talks to its kernel without a messenger."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from llmd_constructs.cli import node

PROGRAM = """
import os
from llmd_constructs.cli.batch import batch
before = dict(os.environ)
with batch():
    import cdk8s
    print(len(cdk8s.App().node.id), flush=True)
from jsii import _runtime
print(os.path.basename(_runtime.kernel.provider._process._process.args[2]))
print({name for name in os.environ if os.environ[name] != before.get(name)})
"""


def _run(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        env={
            **os.environ,
            "PYTHONPATH": ":".join(sys.path),
            "PYDANTIC_DISABLE_PLUGINS": "__all__",
            **environment,
        },
        capture_output=True,
        text=True,
        check=True,
    )


def test_the_kernel_answers_without_a_messenger() -> None:
    """Python's node is the kernel itself, and the environment is as it was once it runs."""
    assert _run(PROGRAM).stdout == "0\nkernel.cjs\nset()\n"


def test_a_runtime_of_the_users_own_is_taken(tmp_path: Path) -> None:
    """Who develops jsii gets the program that `JSII_RUNTIME` names."""
    own = tmp_path / "own.js"
    own.write_text((Path(node.__file__).with_name("kernel.cjs")).read_text("utf-8"), "utf-8")
    with node.without_messenger():
        kernel = {name: os.environ[name] for name in ("LLMD_JSII_KERNEL", "NODE_OPTIONS")}
    assert "\nown.js\n" in _run(PROGRAM, JSII_RUNTIME=str(own), **kernel).stdout


def test_an_unknown_kernel_keeps_its_messenger(monkeypatch: pytest.MonkeyPatch) -> None:
    """A release of jsii whose kernel talks in another way starts as it does by itself."""
    before = dict(os.environ)
    with node.without_messenger():
        assert dict(os.environ) != before
    monkeypatch.setattr(node, "_CHANNEL", b"readFD:4,writeFD:4")
    with node.without_messenger():
        assert dict(os.environ) == before


def test_what_node_says_is_not_taken_for_an_answer(tmp_path: Path) -> None:
    """Text on the standard output and error of node comes out on those of Python."""
    talks = tmp_path / "talks.js"
    talks.write_text("process.on('exit', () => { console.log('Öl 1'); console.error('Öl 2'); });\n", "utf-8")
    done = _run(PROGRAM, NODE_OPTIONS=f"--require {talks}")
    assert "Öl 1\n" in done.stdout
    assert done.stderr == "Öl 2\n"


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """Node ends with the program, and takes its temporary files along."""
    _run(PROGRAM, TMPDIR=str(tmp_path))
    assert list(tmp_path.iterdir()) == []
