"""One environment per rule that breaks it, and environments that break none."""

from pathlib import Path

import pytest
from tests.unit.rules.conftest import FIXTURES, Workshop

from llmd_constructs.rules import RULES
from llmd_constructs.rules.check import check

INVALID = sorted((FIXTURES / "invalid").glob("*.yaml"))
VALID = sorted((FIXTURES / "valid").glob("*.yaml"))


def _stated(file: Path) -> tuple[str, str]:
    """Rule and message that the first two lines of a fixture state."""
    first, second, *_ = file.read_text("utf-8").splitlines()
    return first.removeprefix("# rule: "), second.removeprefix("# expect: ")


@pytest.mark.parametrize("file", INVALID, ids=lambda file: file.stem)
def test_the_fixture_gets_its_rule_and_no_other_error(file: Path, workshop: Workshop) -> None:
    """An invalid environment gets the rule and the message that it states, and no second error."""
    law, message = _stated(file)
    found = workshop.check(file.stem, file.read_text("utf-8"))
    assert any(finding.rule.id == law and message in finding.message for finding in found)
    assert {finding.rule.id for finding in found if finding.rule.severity == "error"} <= {law}


@pytest.mark.parametrize("file", INVALID, ids=lambda file: file.stem)
def test_without_the_rule_nothing_is_found(file: Path, workshop: Workshop) -> None:
    """It is this rule, and no other, that finds what the fixture shows."""
    law, message = _stated(file)
    rules = {key: rule for key, rule in RULES.items() if key != law}
    found = check(workshop.view(file.stem, file.read_text("utf-8")), rules)
    assert not any(finding.rule.severity == "error" or message in finding.message for finding in found)


def test_every_rule_has_its_fixture() -> None:
    """No rule is without an example of what it refuses, and no example without its rule."""
    assert {_stated(file)[0] for file in INVALID} == set(RULES)
    assert [file.stem for file in INVALID if file.stem != _stated(file)[0]] == []


@pytest.mark.parametrize("file", VALID, ids=lambda file: file.stem)
def test_a_valid_environment_has_no_error(file: Path, workshop: Workshop) -> None:
    """Environments that are right get no error and no warning."""
    found = workshop.check(file.stem, file.read_text("utf-8"))
    assert [finding for finding in found if finding.rule.severity != "note"] == []


def test_every_rule_says_what_happens_why_and_what_to_write_instead() -> None:
    """A rule without symptom, cause, remedy or source helps nobody."""
    words = [
        (rule.id, word)
        for rule in RULES.values()
        for word in (rule.title, rule.symptom, rule.cause, rule.instead, *rule.source)
        if not word.strip()
    ]
    assert words == []
    assert [rule.id for rule in RULES.values() if not rule.source] == []


def test_errors_that_break_the_cluster_cannot_be_waived() -> None:
    """Only what works all the same, or may be right on another cluster, can be kept."""
    waivable = {rule.id for rule in RULES.values() if rule.severity == "error" and rule.waivable}
    assert waivable == {"API-01", "API-02", "FIT-01", "FIT-04", "FIT-05", "FIT-07", "POD-01", "VLLM-06"}
