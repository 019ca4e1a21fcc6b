"""Every known failure is kept away by something that exists, and the reference says by what."""

import re
from pathlib import Path

from llmd_constructs.reports.rules_page import PATH, coverage, rules_page
from llmd_constructs.rules import RULES

TESTS = Path(__file__).parents[2]
FAILURES = [f"F-{number:02d}" for number in range(1, 97)]
SPLIT = {"F-14": "bcdefghi", "F-20": "b", "F-32": "b", "F-34": "b", "F-35": "bcdefghijk"}


def _tests() -> set[str]:
    files = TESTS.rglob("test_*.py")
    return {
        name
        for file in files
        for name in re.findall(r"^def (test_\w+)", file.read_text("utf-8"), re.MULTILINE)
    }


def _preflight() -> set[str]:
    source = TESTS.parent / "constructs/llmd_constructs/reports/preflight.py"
    return set(re.findall(r'"(PRE-\d\d)"', source.read_text("utf-8")))


def test_every_failure_is_covered() -> None:
    """All failure modes of the domain research are in the table, with at least one guard each."""
    wanted = {*FAILURES, *(f"{failure}{letter}" for failure, letters in SPLIT.items() for letter in letters)}
    assert set(coverage()) == wanted
    assert [failure for failure, guards in coverage().items() if not guards] == []


def test_every_guard_exists() -> None:
    """Rules, preflight checks and tests that the table names are there."""
    known = {*RULES, *_preflight(), *_tests(), "live"}
    assert [
        (failure, guard) for failure, guards in coverage().items() for guard in guards if guard not in known
    ] == []


def test_only_one_failure_is_left_to_the_running_cluster() -> None:
    """What no file and no script can show stays an exception."""
    assert [failure for failure, guards in coverage().items() if "live" in guards] == ["F-31"]


def test_a_rule_that_names_a_failure_guards_it() -> None:
    """The table and the sources of the rules say the same."""
    unsaid = [
        (rule.id, failure)
        for rule in RULES.values()
        for source in rule.source
        for failure in re.findall(r"^F-\d\d[a-k]?$", source)
        if rule.id not in coverage()[failure]
    ]
    assert unsaid == []


def test_the_reference_is_current() -> None:
    """`docs/rules.md` is what the rules say; `make docs` brings it up to date."""
    assert (TESTS.parent / PATH).read_text("utf-8") == rules_page()


def test_the_reference_names_every_rule() -> None:
    """No rule is missing in the reference."""
    text = rules_page()
    assert [rule.id for rule in RULES.values() if f"### {rule.id}: {rule.title}" not in text] == []
