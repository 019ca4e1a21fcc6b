"""`docs/rules.md`: every rule, and what keeps each known failure away."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import cast

import yaml

from llmd_constructs import rules
from llmd_constructs.rules import RULES, TOPICS
from llmd_constructs.rules.model import Rule

PATH = "docs/rules.md"
_COVERAGE = Path(rules.__file__).parent / "coverage.yaml"
_INTRODUCTION = """\
# Rules

Generated from the rules themselves. `llmd check` holds them against every environment, `llmd explain ID` prints one,
and `llmd synth` writes nothing while an error is left. They hold for what the constructs render and for manifests and
patches of your own alike.

Manifests and patches of your own go into the environment file, under the application that they belong to:

```yaml
extras:
  - application: qwen
    manifests:
      - manifests/prompts.yaml
    patches:
      - target: {kind: InferencePool, name: gaie-qwen}
        patch: {spec: {endpointPickerRef: {failureMode: FailClose}}}
```

A manifest is a file relative to the environment file, in a folder below `environments/`, or written out in place. A
patch is a JSON merge patch (RFC 7386): `null` takes a key away, and a list replaces the list.

An **error** would not work on the cluster, a **warning** works and bites later, a **note** is worth knowing. Some can be
waived for one object, with a reason that stands in every report:

```yaml
waivers:
  - rule: NET-07
    object: NetworkPolicy/qwen-model-server
    reason: the namespace is shared with the load test until it has one of its own
```
"""


@cache
def coverage() -> Mapping[str, tuple[str, ...]]:
    """What keeps each failure mode away: ids of rules and of preflight checks, and names of tests."""
    loaded = cast("dict[str, list[str]]", yaml.safe_load(_COVERAGE.read_text("utf-8")))
    return {failure: tuple(guards) for failure, guards in loaded.items()}


def rules_page() -> str:
    """The page as text."""
    topics = [_topic(topic.__doc__ or "", topic.RULES) for topic in TOPICS]
    index = _table("| Rule | Severity | Law |", (_index_row(rule) for rule in RULES.values()))
    own = set(RULES) - {rule.id for topic in TOPICS for rule in topic.RULES}
    topics.append(_topic("Waivers: they stay true.", [RULES[name] for name in sorted(own)]))
    return "\n".join([_INTRODUCTION, index, *topics, _failures()])


def _topic(title: str, topic: Iterable[Rule]) -> str:
    return "\n".join([f"## {title.splitlines()[0].removesuffix('.')}\n", *map(_section, topic)])


def _section(rule: Rule) -> str:
    waivable = "can be waived" if rule.waivable else "cannot be waived"
    return f"""\
### {rule.id}: {rule.title}

{rule.severity.capitalize()}; {waivable}.

- **Symptom**: {_sentence(rule.symptom)}
- **Cause**: {_sentence(rule.cause)}
- **Instead**: {_sentence(rule.instead)}
- **Source**: {"; ".join(rule.source)}
"""


def _index_row(rule: Rule) -> str:
    anchor = f"{rule.id}: {rule.title}".lower()
    link = "".join(sign for sign in anchor if sign.isalnum() or sign in " -").replace(" ", "-")
    return f"| [{rule.id}](#{link}) | {rule.severity} | {rule.title} |"


def _failures() -> str:
    rows = (f"| {failure} | {', '.join(map(_guard, guards))} |" for failure, guards in coverage().items())
    head = "| Failure | Kept away by |"
    return (
        "## Known failures\n\nEvery failure that cost the seeds' authors time, by its number in the domain research, and "
        "what keeps it away: a rule,\na check of the preflight script of an environment, or a test that shows that it "
        f"cannot be rendered.\n\n{_table(head, rows)}"
    )


def _guard(guard: str) -> str:
    if guard == "live":
        return "seen on a running cluster only"
    return f"`{guard}`" if guard.startswith("test_") else guard


def _table(head: str, rows: Iterable[str]) -> str:
    columns = head.count("|") - 1
    return "\n".join([head, "|" + "---|" * columns, *rows, ""])


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:].removesuffix('.')}."
