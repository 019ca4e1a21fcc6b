"""A control plane for the tests of this folder."""

from collections.abc import Generator

import pytest

from llmd_tools.cluster import ControlPlane


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Generator[ControlPlane]:
    """One control plane for all tests; its logs stay if one of them fails."""
    with ControlPlane() as running:
        yield running
        running.keep = request.session.testsfailed > 0
        if running.keep:
            print(f"\nlogs of the local control plane: {running.programs.logs}")  # noqa: T201  # shown at the end
