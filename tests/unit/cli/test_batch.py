"""A run gets its head start, and leaves the interpreter as it was."""

import gc
import subprocess
import sys

import pytest

from llmd_constructs.cli.batch import batch


def _work() -> None:
    with batch():
        assert not gc.isenabled()
        raise ValueError("what went wrong")


def test_garbage_is_collected_again_after_a_run_that_fails() -> None:
    """Whoever calls the verbs from a program of their own gets their interpreter back."""
    with pytest.raises(ValueError, match="what went wrong"):
        _work()
    assert gc.isenabled()


def test_node_that_cannot_start_is_told_by_the_import_that_needs_it() -> None:
    """The thread says nothing; the caller gets the error, at the place where it can be handled."""
    program = """
from llmd_constructs.cli.batch import batch
try:
    with batch():
        import cdk8s
except FileNotFoundError as error:
    print("told:", error.filename)
"""
    environment = {"JSII_NODE": "/nowhere/node", "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == "told: /nowhere/node\n"
    assert "Exception in thread" not in done.stderr
