"""Which environments the demo brings up."""

import pytest
from rich.console import Console

from llmd_tools.box.demo import run
from llmd_tools.errors import ToolError


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("no-such-environment", "no environment 'no-such-environment'; in the box run "),
        ("tpu-test-cluster", "needs OpenDataHub's KServe, which no registry has; take "),
        ("nvidia-test-cluster", "needs the endpoint picker v0.4.0, and here is "),
    ],
)
def test_what_cannot_run_is_refused_at_once(name: str, why: str) -> None:
    """With the reason, and with those that can."""
    with pytest.raises(ToolError) as caught:
        run(name, Console(quiet=True), stay=False)
    assert why in str(caught.value)
    assert "llmd-istio-tpu" in str(caught.value)
