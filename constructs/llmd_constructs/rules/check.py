"""Holds the rules against an environment."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from operator import attrgetter

from llmd_constructs.config.extras import Waiver
from llmd_constructs.config.load import LoadedEnvironment
from llmd_constructs.plan.model import Plan
from llmd_constructs.rules import RULES, WAIVERS
from llmd_constructs.rules.model import SEVERITIES, Finding, Offence, Rule
from llmd_constructs.rules.view import View

_PLACE = attrgetter("file", "line", "object", "field")
"""A place as a tuple, which compares faster than a dataclass."""
_MOST_NAMED = 5


def check_plan(
    plan: Plan, loaded: Iterable[LoadedEnvironment], rules: Mapping[str, Rule] = RULES
) -> list[Finding]:
    """Every finding of every environment, the gravest first."""
    sources = {item.name: item.source for item in loaded}
    views = [View(environment, sources[environment.name]) for environment in plan.environments]
    return ordered(finding for view in views for finding in check(view, rules))


def check(view: View, rules: Mapping[str, Rule] = RULES) -> list[Finding]:
    """Every finding of one environment, with the waivers that apply."""
    found = list(_findings(view, rules.values()))
    result = [_waived(finding, view.environment.waivers) for finding in found]
    if WAIVERS.id in rules:
        result += [_finding(WAIVERS, view, offence) for offence in _useless_waivers(view, rules, found)]
    return ordered(result)


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """By severity, then by place."""
    return sorted(
        findings,
        key=lambda finding: (
            SEVERITIES.index(finding.rule.severity),
            *_PLACE(finding.where),
            finding.rule.id,
            finding.message,
        ),
    )


def _findings(view: View, rules: Iterable[Rule]) -> Iterator[Finding]:
    for rule in rules:
        # An offence that several paths lead to is one offence.
        for offence in dict.fromkeys(rule.check(view)):
            yield _finding(rule, view, offence)


def _finding(rule: Rule, view: View, offence: Offence) -> Finding:
    return Finding(rule, view.plan.name, offence.where, offence.message, offence.instead or rule.instead)


def _waived(finding: Finding, waivers: Iterable[Waiver]) -> Finding:
    reason = next((waiver.reason for waiver in waivers if _covers(waiver, finding)), "")
    return replace(finding, waiver=reason) if finding.rule.waivable else finding


def _covers(waiver: Waiver, finding: Finding) -> bool:
    if waiver.rule != finding.rule.id:
        return False
    return waiver.object in _objects(finding)


def _objects(finding: Finding) -> tuple[str, ...]:
    """What a waiver may call the place of a finding, the shortest first."""
    if not finding.where.object:
        return (finding.where.field,)
    kind, _, name = finding.where.object.partition(" ")
    return f"{kind}/{name.rpartition('/')[2]}", f"{kind}/{name}"


def _useless_waivers(view: View, rules: Mapping[str, Rule], findings: list[Finding]) -> Iterator[Offence]:
    for index, waiver in enumerate(view.environment.waivers):
        where = view.setting("waivers", index)
        rule = rules.get(waiver.rule)
        if rule is None:
            yield Offence(where, f"'{waiver.rule}' is not a rule", "take an id that `llmd check` shows")
        elif not rule.waivable:
            yield Offence(where, f"{rule.id} cannot be waived: {rule.symptom}", f"mend it: {rule.instead}")
        elif not any(_covers(waiver, finding) for finding in findings):
            yield Offence(where, f"{waiver.object} does not break {rule.id}", _what_does(rule, findings))


def _what_does(rule: Rule, findings: Iterable[Finding]) -> str:
    """What to write into a waiver of the rule, where something breaks it."""
    breaking = sorted({_objects(finding)[0] for finding in findings if finding.rule.id == rule.id})
    if not breaking:
        return "take the waiver away"
    more = f" and {len(breaking) - _MOST_NAMED} more" if len(breaking) > _MOST_NAMED else ""
    named = ", ".join(breaking[:_MOST_NAMED]) + more
    return f"write what does, {named}, or take the waiver away"
