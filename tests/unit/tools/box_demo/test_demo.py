"""Which environments the demo brings up."""

import pytest
from rich.console import Console

from llmd_tools.box.demo import run
from llmd_tools.errors import ToolError


def test_an_unknown_environment_is_refused_at_once() -> None:
    """With those that there are."""
    with pytest.raises(ToolError, match=r"no environment 'no-such-environment'; there are .*llmd-istio-tpu"):
        run("no-such-environment", Console(quiet=True), stay=False)
