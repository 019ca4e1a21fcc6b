"""A control plane for the tests of this folder, and the order of those that deploy environments."""

from collections.abc import Generator

import pytest

from llmd_tools.cluster import ControlPlane
from llmd_tools.judges.group_scope import GroupScope


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest, group_scope: GroupScope) -> ControlPlane:
    """One control plane for all tests; its logs stay if one of them fails."""
    running = group_scope.enter(ControlPlane())
    group_scope.keep_logs(running, request.session)
    return running


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None]:
    """Let all tests of one deployed environment follow each other, in the order of the first test's environments.

    pytest tells parameters apart by their place in a test's list of them, and lists differ from test to test.
    """
    order = list(dict.fromkeys(_deployed(item) for item in items))
    # By identity: xdist changes an item's id, and with it the hash.
    before = {id(item): place for place, item in enumerate(items)}
    yield
    places = [place for place, item in enumerate(items) if _deployed(item)]
    mine = sorted(
        (items[each] for each in places), key=lambda item: (order.index(_deployed(item)), before[id(item)])
    )
    for place, item in zip(places, mine, strict=True):
        items[place] = item


def _deployed(item: pytest.Item) -> str:
    """The environment that a test has deployed; empty if none."""
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("deployed", "") if callspec else ""
