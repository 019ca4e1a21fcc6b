"""Environments in the box, for all tests of this folder."""

from collections.abc import Generator

import pytest

from llmd_tools.box.deployed import deployed
from llmd_tools.box.scenarios import World
from llmd_tools.judges.rendered import environments


@pytest.fixture(scope="session")
def world(request: pytest.FixtureRequest) -> Generator[World]:
    """The environment that a test names as its parameter, with all pods ready; its logs stay if a test fails."""
    with deployed(environments()[request.param]) as running:
        yield running
        running.cluster.keep = request.session.testsfailed > 0
        if running.cluster.keep:
            print(f"\nlogs of the box: {running.cluster.programs.logs}")  # noqa: T201  # shown at the end
