"""A pytest plugin: what the tests of one xdist group share, for no longer than the group lasts.

A control plane that idles takes a good part of a processor, and a session's fixtures last until all tests are done.
"""

from collections.abc import Generator
from contextlib import AbstractContextManager, ExitStack
from typing import TypeVar

import pytest

from llmd_tools.cluster import ControlPlane

Shared = TypeVar("Shared")


class GroupScope:
    """Entered by the first test of a group that needs something, ended with the last of the group, or of all."""

    def __init__(self) -> None:
        """Begin with nothing entered."""
        self._entered = ExitStack()

    def enter(self, context: AbstractContextManager[Shared]) -> Shared:
        """Enter something until the group's end."""
        return self._entered.enter_context(context)

    def keep_logs(self, cluster: ControlPlane, session: pytest.Session) -> None:
        """Have the logs of a control plane stay, if a test has failed by the group's end."""

        def keep() -> None:
            cluster.keep = session.testsfailed > 0
            if cluster.keep:
                print(f"\nlogs of a local control plane: {cluster.programs.logs}")  # noqa: T201  # shown at the end

        self._entered.callback(keep)

    def end(self) -> None:
        """End everything, the last first."""
        self._entered.close()


_SCOPE = pytest.StashKey[GroupScope]()


def pytest_configure(config: pytest.Config) -> None:
    """Begin the first group."""
    config.stash[_SCOPE] = GroupScope()


@pytest.fixture(scope="session")
def group_scope(request: pytest.FixtureRequest) -> GroupScope:
    """Where fixtures enter what the group shares."""
    return request.config.stash[_SCOPE]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None]:
    """End a group before the next begins, in a worker of xdist, which runs each in one go; else all at the end."""
    yield
    in_worker = hasattr(item.config, "workerinput")
    if nextitem is None or (in_worker and _group(item) != _group(nextitem)):
        item.config.stash[_SCOPE].end()


def _group(item: pytest.Item) -> object:
    marker = item.get_closest_marker("xdist_group")
    return marker and (marker.args, marker.kwargs)
