"""What a machine may lack for a private network."""

import sys

import pytest

from llmd_tools.box.network import PrivateNetwork
from llmd_tools.errors import ToolError


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line, with the package that has it."""

    def which(name: str) -> str | None:
        return None if name == "ip" else f"/bin/{name}"

    monkeypatch.setattr("shutil.which", which)
    with (
        pytest.raises(ToolError, match=r"^a cluster in a box needs ip; Debian has .*iproute2$"),
        PrivateNetwork(),
    ):
        pass


def test_other_systems_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Namespaces are Linux's."""
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(ToolError, match="needs Linux"), PrivateNetwork():
        pass


def test_a_machine_without_user_namespaces_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is the kernel's own, in one line."""
    refusing = ("sh", "-c", "echo unshare: unshare failed: Operation not permitted >&2; exit 1", "--")
    monkeypatch.setattr("llmd_tools.box.network._UNSHARE", refusing)
    with pytest.raises(ToolError) as caught, PrivateNetwork():
        pass
    assert "unshare failed: Operation not permitted" in str(caught.value)
    assert "\n" not in str(caught.value)
