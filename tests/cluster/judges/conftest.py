"""Every environment, applied to a cluster like its own, one after the other."""

from collections.abc import Generator, Mapping

import pytest

from llmd_tools.cluster import ControlPlane
from llmd_tools.judges.group_scope import GroupScope
from llmd_tools.judges.rehearsal import Rehearsal, rehearse
from llmd_tools.judges.rendered import Manifest, Rendered, environments, other_releases
from llmd_tools.judges.stack import LLM_D, Stack, stack_of


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once for each environment; tests of one stack stay in one worker process, which starts it once."""
    if "stack" in metafunc.fixturenames:
        stacks = sorted({stack_of(each) for each in environments().values()})
        if "rehearsal" not in metafunc.fixturenames:
            metafunc.parametrize("stack", [_in_group(name, name) for name in stacks], indirect=True)
            return
        pairs = [_in_group(stack_of(each), stack_of(each), each.name) for each in _in_order()]
        metafunc.parametrize(("stack", "rehearsal"), pairs, indirect=True, scope="session")


def _in_order() -> list[Rendered]:
    """Everything that is rehearsed, each stack in one go."""
    return sorted(_all().values(), key=lambda each: (stack_of(each), each.name))


def _all() -> Mapping[str, Rendered]:
    return {**environments(), **other_releases()}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out tests of what an environment has not.

    Not earlier: pytest keeps the tests of one parameter together by its place in the list, which therefore has to be
    the same for all tests.
    """
    items[:] = [item for item in items if _has_something_to_judge(item)]


def _has_something_to_judge(item: pytest.Item) -> bool:
    if not isinstance(item, pytest.Function) or "rehearsal" not in item.fixturenames:
        return True
    about_kserve = "services" in item.fixturenames
    name = str(item.callspec.params["rehearsal"])
    return stack_of(_all()[name]) != LLM_D if about_kserve else name in environments()


def _in_group(stack: str, *values: str) -> object:
    return pytest.param(*values, marks=pytest.mark.xdist_group(stack), id="-".join(dict.fromkeys(values)))


@pytest.fixture(scope="module")
def bare(request: pytest.FixtureRequest) -> Generator[ControlPlane]:
    """A control plane whose pods nobody runs: they stay as the scheduler, or a test, has left them."""
    with ControlPlane(simulate_pods=False) as running:
        yield running
        running.keep = request.session.testsfailed > 0


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest, group_scope: GroupScope) -> Stack:
    """A running cluster for the environments of one stack; its logs stay if a test fails."""
    mine = [each for each in _in_order() if stack_of(each) == request.param]
    running = group_scope.enter(Stack(request.param, mine))
    group_scope.keep_logs(running.cluster, request.session)
    return running


@pytest.fixture(scope="session")
def rehearsal(request: pytest.FixtureRequest, stack: Stack) -> Rehearsal:
    """One environment, applied to its stack."""
    return rehearse(_all()[request.param], stack)


@pytest.fixture(scope="session")
def services(rehearsal: Rehearsal) -> list[Manifest]:
    """The LLMInferenceServices of an environment that has some."""
    return rehearsal.services
