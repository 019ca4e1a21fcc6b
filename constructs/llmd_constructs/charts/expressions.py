"""How a template asks for values: Go template expressions."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from llmd_constructs.charts.knobs import Setting
from llmd_constructs.charts.nodes import (
    EACH,
    IS_SET,
    SEVERAL,
    Answer,
    Condition,
    Feature,
    Path,
    Ref,
    Test,
    Text,
)
from llmd_constructs.charts.tables import Tables

SAFE = ("pattern", "enum", "const")
"""What keeps a text free of characters that mean something in YAML."""
ANYTHING = r"[\s\S]"
"""The part of a pattern that takes such characters all the same."""


@dataclass(frozen=True)
class Scope:
    """What a template stands in.

    Attributes:
        settings: Every value of the chart, by path.
        domains: Every feature's answers.
        tables: Where columns are kept.
        variables: Loop variables by the list they go through.
        embedded: Whether the text is YAML inside a field, which has to be just as the constructs write it.
    """

    settings: Mapping[Path, Setting]
    domains: Mapping[Feature, Sequence[Answer]]
    tables: Tables
    variables: Mapping[Path, str] = field(default_factory=dict[Path, str])
    embedded: bool = False

    @property
    def root(self) -> str:
        """The root context: the dot, except in loops, which give the dot another meaning."""
        return "$" if self.variables else ""

    def value(self, path: Path) -> str:
        """The expression of a value."""
        for over in sorted(self.variables, key=len, reverse=True):
            if path[: len(over) + 1] == (*over, EACH):
                rest = path[len(over) + 1 :]
                return self._defaulted(path, _member(self.variables[over], rest, safe=True))
        if path[:1] == ("Release",):
            return f"{self.root}.Release.{path[1]}"
        expression = _member(f"{self.root}.Values", path, safe=False)
        return self._defaulted(path, expression) if self._within_optional(path) else expression

    def _within_optional(self, path: Path) -> bool:
        holders = (self.settings.get(path[:length]) for length in range(1, len(path)))
        return any(holder and holder.optional for holder in holders)

    def _defaulted(self, path: Path, expression: str) -> str:
        """Helm fills in defaults, but neither inside lists nor inside what is not there by default."""
        setting = self.settings.get(path)
        default = setting.schema.get("default") if setting else None
        if default in (None, [], {}) or not isinstance(default, str | int):
            return expression
        return f"({expression} | default {json.dumps(default)})"

    def reference(self, ref: Ref) -> str:
        """The expression of a user's value, in the form in which it is written."""
        if ref.form in ("key", "value"):
            return "$name" if ref.form == "key" else "$value"
        value = self.value(ref.path)
        match ref.form:
            case "number":
                return value if self._fraction(ref.path) else f"{_unwrapped(value)} | int64"
            case "count":
                return f"len {value}"
            case "shell":
                return f'include "llmd.shellQuote" {value}'
            case "without-scheme":
                return f'trimPrefix "hf://" {value}'
            case _:
                return _unwrapped(value)

    def _fraction(self, path: Path) -> bool:
        setting = self.settings.get(path)
        return bool(setting and setting.schema.get("type") == "number")

    def is_safe(self, ref: Ref) -> bool:
        """Whether the text of a value can stand between quotes as it is."""
        setting = self.settings.get(ref.path)
        if ref.form in ("number", "count") or ref.path[:1] == ("Release",):
            return True
        general = tuple(EACH if isinstance(step, int) else step for step in ref.path)
        setting = setting or self.settings.get(general)
        return bool(setting and any(word in setting.schema for word in SAFE) and not _takes_anything(setting))

    def condition(self, condition: Condition, name: str) -> str:
        """The expression of a condition."""
        rows = [self._row(row, name) for row in condition.rows]
        return rows[0] if len(rows) == 1 else f"or {' '.join(_wrapped(row) for row in rows)}"

    def boolean(self, condition: Condition) -> str | None:
        """A condition whose value is true or false and nothing else, or None."""
        expression = self.condition(condition, "")
        return expression if expression.startswith(("eq ", "ne ", "has ", "gt ", "not ")) else None

    def default(self, condition: Condition, node: object) -> str | None:
        """The value that stands where the user set it, or None where the condition is another."""
        match condition, node:
            case Condition(((Test(feature, answers),),)), Text((Ref(path) as ref,)):
                if feature == (*path, IS_SET) and True in answers:
                    return self.reference(ref)
            case _:
                pass
        return None

    def complementary(self, one: Condition, other: Condition) -> bool:
        """Whether just one of two conditions holds, always."""
        if len(one.rows) != 1 or len(other.rows) != 1 or len(one.rows[0]) != 1 or len(other.rows[0]) != 1:
            return False
        (first,), (second,) = one.rows[0], other.rows[0]
        everything = set(self.domains[first.feature])
        return (
            first.feature == second.feature
            and not first.answers & second.answers
            and not everything - first.answers - second.answers
        )

    def _row(self, row: Sequence[Test], name: str) -> str:
        tests = [self._test(test, name) for test in row]
        return tests[0] if len(tests) == 1 else f"and {' '.join(_wrapped(test) for test in tests)}"

    def _test(self, test: Test, name: str) -> str:
        *path, last = test.feature
        domain = self.domains[test.feature]
        if last == ".first":
            return "eq $index 0" if True in test.answers else "ne $index 0"
        if last == IS_SET:
            return self._truth(self.value(tuple(path)), test)
        if last == SEVERAL:
            several = f"gt (int {self.value(tuple(path))}) 1"
            return several if True in test.answers else f"not ({several})"
        if isinstance(last, str) and last.startswith("."):
            attribute = self.tables.attribute(tuple(path), last.removeprefix("."))
            return self._one_of(attribute, test.answers, domain)
        if len(domain) > MOST_LISTED and min(len(test.answers), len(domain) - len(test.answers)) > 3:
            return self.tables.flag(test, name)
        return self._one_of(self.value(test.feature), test.answers, domain)

    def _truth(self, expression: str, test: Test) -> str:
        return _unwrapped(expression) if True in test.answers else f"not {expression}"

    def _one_of(self, expression: str, answers: frozenset[Answer], domain: Sequence[Answer]) -> str:
        if set(domain) <= {True, False}:
            return _unwrapped(expression) if True in answers else f"not {expression}"
        rest = [answer for answer in domain if answer not in answers]
        chosen = [answer for answer in domain if answer in answers]
        if len(rest) < len(chosen) and None not in rest:
            return _is_in(expression, rest, negated=True)
        return _is_in(expression, chosen, negated=False)


MOST_LISTED = 8
"""Answers from which on a table's column says it better."""


def _takes_anything(setting: Setting) -> bool:
    """Whether the pattern leaves a part of the text free."""
    return ANYTHING in str(setting.schema.get("pattern"))


def _is_in(expression: str, answers: Sequence[Answer], *, negated: bool) -> str:
    if None in answers:
        others = [answer for answer in answers if answer is not None]
        unset = f"not {expression}"
        return f"or ({unset}) ({_is_in(expression, others, negated=False)})" if others else unset
    if all(isinstance(answer, int) for answer in answers):
        expression = f"(int {expression})"
    words = [json.dumps(answer) for answer in answers]
    if len(words) == 1:
        return f"{'ne' if negated else 'eq'} {expression} {words[0]}"
    listed = f"has {expression} (list {' '.join(words)})"
    return f"not ({listed})" if negated else listed


def _member(base: str, path: Path, *, safe: bool) -> str:
    """A member by path: by index, by name, and by `get` where a name is no Go identifier."""
    expression = base
    for index, step in enumerate(path):
        if isinstance(step, int):
            expression = f"(index {expression} {step})"
        elif "-" in step:
            expression = f"(get ({expression} | default dict) {json.dumps(step)})"
        elif safe and index > 0:
            expression = f"({expression}).{step}"
        else:
            expression = f"{expression}.{step}"
    return expression


def _wrapped(expression: str) -> str:
    return f"({expression})" if " " in expression and not _is_wrapped(expression) else expression


def _is_wrapped(expression: str) -> bool:
    """Whether the first parenthesis closes at the very end."""
    depth = 0
    for index, character in enumerate(expression):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return index == len(expression) - 1 and expression.startswith("(")
    return False


def _unwrapped(expression: str) -> str:
    return expression[1:-1] if _is_wrapped(expression) else expression
