"""When the answers of a probe come to something."""

from typing import Any

import pytest

from llmd_tools.box.agent.probes import Probe, Purpose, Tally


def probe(purpose: Purpose = Purpose.READINESS, **given: Any) -> Probe:
    """A probe with these settings."""
    found = Probe.of({purpose.value: {"httpGet": {"port": 80}, **given}}, purpose)
    assert found
    return found


def test_a_container_without_a_probe_has_none() -> None:
    """Nothing is made up where the manifest says nothing."""
    assert Probe.of({"readinessProbe": {"httpGet": {"port": 80}}}, Purpose.LIVENESS) is None


def test_defaults_are_those_of_kubernetes() -> None:
    """Ten seconds between two questions, one for an answer, one success or three failures."""
    found = probe()
    assert (found.delay, found.period, found.timeout, found.successes, found.failures) == (0, 10, 1, 1, 3)


@pytest.mark.parametrize(("period", "threshold", "failures"), [(30, 120, 3600), (1, 5, 5), (10, 3, 30)])
def test_a_startup_probe_is_asked_every_second(period: int, threshold: int, failures: int) -> None:
    """The time that a container has to start stays what the manifest gives it."""
    found = probe(Purpose.STARTUP, periodSeconds=period, failureThreshold=threshold)
    assert (found.period, found.failures) == (1, failures)


@pytest.mark.parametrize(
    ("purpose", "passed"), [(Purpose.STARTUP, False), (Purpose.READINESS, False), (Purpose.LIVENESS, True)]
)
def test_before_the_first_answer(purpose: Purpose, passed: bool) -> None:
    """A container is alive from the beginning, and neither started nor ready."""
    assert Tally(probe(purpose)).passed is passed


@pytest.mark.parametrize(
    ("answers", "passed"),
    [
        ([True], [False]),
        ([True, True], [False, True]),
        ([True, False, True, True], [False, False, False, True]),
        ([True, True, False, False], [False, True, True, True]),
        ([True, True, False, False, False], [False, True, True, True, False]),
        ([True, True, False, False, True, False], [False, True, True, True, True, True]),
    ],
)
def test_only_answers_in_a_row_count(answers: list[bool], passed: list[bool]) -> None:
    """Two successes or three failures in a row change the verdict; one in between begins the count anew."""
    tally = Tally(probe(successThreshold=2, failureThreshold=3))
    seen: list[bool] = []
    for answer in answers:
        tally.count(answer)
        seen.append(tally.passed)
    assert seen == passed


def test_reaching_a_threshold_is_told() -> None:
    """The agent acts at the third failure, and not before."""
    tally = Tally(probe(Purpose.LIVENESS))
    assert [tally.count(answer=False) for _ in range(3)] == [False, False, True]
