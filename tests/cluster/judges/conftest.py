"""Every environment, applied to a cluster like its own, one after the other."""

from collections.abc import Generator

import pytest

from llmd_tools.cluster import ControlPlane
from llmd_tools.judges.rehearsal import Rehearsal, rehearse
from llmd_tools.judges.rendered import Manifest, environments
from llmd_tools.judges.stack import LLM_D, Stack, stack_of


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once for each environment; tests of one stack stay in one worker process, which starts it once."""
    if "stack" in metafunc.fixturenames:
        stacks = sorted({stack_of(each) for each in environments().values()})
        if "rehearsal" not in metafunc.fixturenames:
            metafunc.parametrize("stack", [_in_group(name, name) for name in stacks], indirect=True)
            return
        pairs = [
            _in_group(name, name, each.name)
            for name in stacks
            for each in environments().values()
            if stack_of(each) == name and ("services" not in metafunc.fixturenames or name != LLM_D)
        ]
        metafunc.parametrize(("stack", "rehearsal"), pairs, indirect=True, scope="session")


def _in_group(stack: str, *values: str) -> object:
    return pytest.param(*values, marks=pytest.mark.xdist_group(stack), id="-".join(dict.fromkeys(values)))


@pytest.fixture(scope="module")
def bare(request: pytest.FixtureRequest) -> Generator[ControlPlane]:
    """A control plane whose pods nobody runs: they stay as the scheduler, or a test, has left them."""
    with ControlPlane(simulate_pods=False) as running:
        yield running
        running.keep = request.session.testsfailed > 0


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest) -> Generator[Stack]:
    """A running cluster for the environments of one stack; its logs stay if a test fails."""
    mine = [each for each in environments().values() if stack_of(each) == request.param]
    with Stack(request.param, mine) as running:
        yield running
        running.cluster.keep = request.session.testsfailed > 0
        if running.cluster.keep:
            print(f"\nlogs of {running.name}: {running.cluster.programs.logs}")  # noqa: T201  # shown at the end


@pytest.fixture(scope="session")
def rehearsal(request: pytest.FixtureRequest, stack: Stack) -> Generator[Rehearsal]:
    """One environment, applied to its stack, and taken away again."""
    with rehearse(environments()[request.param], stack) as applied:
        yield applied


@pytest.fixture(scope="session")
def services(rehearsal: Rehearsal) -> list[Manifest]:
    """The LLMInferenceServices of an environment that has some."""
    return rehearsal.services
