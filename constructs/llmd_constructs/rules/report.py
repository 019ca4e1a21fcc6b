"""Findings as text for people, JSON for programs and SARIF for code review."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from llmd_constructs.rules import RULES
from llmd_constructs.rules.input import INPUT
from llmd_constructs.rules.model import SEVERITIES, Finding, Rule, Severity

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: dict[Severity, str] = {"error": "error", "warning": "warning", "note": "note"}


def text(findings: Sequence[Finding]) -> str:
    """One finding per line, as compilers write them, and a summary."""
    return "\n".join([*map(line, findings), summary(findings)])


def line(finding: Finding) -> str:
    """`place: severity[ID] what is wrong; what to write instead`."""
    tail = f"waived: {finding.waiver}" if finding.waiver else finding.instead
    return f"{finding.where}: {finding.rule.severity}[{finding.rule.id}] {finding.message}; {tail}"


def summary(findings: Iterable[Finding]) -> str:
    """`2 errors, 1 warning, 3 waived`."""
    counts = Counter("waived" if finding.waiver else finding.rule.severity for finding in findings)
    parts = [
        f"{counts[severity]} {severity}{'' if counts[severity] == 1 else 's'}" for severity in SEVERITIES
    ]
    return ", ".join([*parts, *([f"{counts['waived']} waived"] if counts["waived"] else [])])


def as_json(findings: Sequence[Finding]) -> str:
    """A list of findings."""
    return json.dumps([_plain(finding) for finding in findings], indent=2, ensure_ascii=False)


def sarif(findings: Sequence[Finding]) -> str:
    """SARIF 2.1.0, which code hosts show beside the changed lines."""
    rules = [*RULES.values(), INPUT]
    places = {rule.id: index for index, rule in enumerate(rules)}
    driver = {"name": "llmd", "rules": [_sarif_rule(rule) for rule in rules]}
    results = [_sarif_result(finding, places[finding.rule.id]) for finding in findings]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps(
        {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False
    )


def explanation(rule: Rule) -> str:
    """A rule in full."""
    waivable = "can be waived for one object, with a reason" if rule.waivable else "cannot be waived"
    return "\n".join(
        [
            f"{rule.id}: {rule.title}",
            f"{rule.severity}; {waivable}",
            "",
            f"Symptom  {rule.symptom}",
            f"Cause    {rule.cause}",
            f"Instead  {_sentence(rule.instead)}",
            f"Source   {'; '.join(rule.source)}",
        ],
    )


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:].removesuffix('.')}."


def _plain(finding: Finding) -> dict[str, Any]:
    where = finding.where
    return {
        "rule": finding.rule.id,
        "severity": finding.rule.severity,
        "environment": finding.environment,
        "file": where.file,
        "line": where.line or None,
        "object": where.object or None,
        "field": where.field or None,
        "patched": where.patched or None,
        "message": finding.message,
        "instead": finding.instead,
        "waived": finding.waiver or None,
    }


def _sarif_rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": f"{rule.symptom} {rule.cause}"},
        "help": {"text": _sentence(rule.instead)},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"source": list(rule.source)},
    }


def _sarif_result(finding: Finding, index: int) -> dict[str, Any]:
    where = finding.where
    physical: dict[str, Any] = {"artifactLocation": {"uri": where.file}}
    if where.line:
        physical["region"] = {"startLine": where.line}
    location: dict[str, Any] = {"physicalLocation": physical}
    if where.object or where.field:
        name = ": ".join(part for part in (where.object, where.field) if part)
        location["logicalLocations"] = [{"fullyQualifiedName": name}]
    result: dict[str, Any] = {
        "ruleId": finding.rule.id,
        "ruleIndex": index,
        "level": _LEVELS[finding.rule.severity],
        "message": {
            "text": f"{where.field or where.object or where.file}: {finding.message}; {finding.instead}"
        },
        "locations": [location],
    }
    if finding.waiver:
        result["suppressions"] = [{"kind": "external", "justification": finding.waiver}]
    return result
