"""Why samples differ: the fewest settings that explain an outcome."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations
from math import log, log2
from typing import TypeVar

from llmd_constructs.charts.nodes import ALWAYS, Answer, Answers, Condition, Feature, Test

Outcome = TypeVar("Outcome", bound=Hashable)

NEVER = Condition(())
POOLS = {2: 40, 3: 22, 4: 12}
"""How many of the most telling features are tried together, by how many at once."""
MOST_QUESTIONS = 6
"""Questions that are tried, where no few features explain all samples at once."""
FEWEST_PER_CELL = 2.5
"""Samples for each combination of answers, without which an explanation may be a coincidence."""


class UnexplainedError(Exception):
    """No few settings explain why samples differ."""


class Learner:
    """Explains outcomes by features of the samples.

    An explanation is a set of features whose answers decide the outcome in every sample. Of several the one with
    the fewest combinations of answers is taken, because it is the simplest that fits.
    """

    def __init__(self, domains: Mapping[Feature, Sequence[Answer]], ranks: Mapping[Feature, int]) -> None:
        """Say what can be asked.

        Args:
            domains: Every feature's answers.
            ranks: Which feature reads better, where two explain the same; lower is better.
        """
        self._domains = domains
        self._ranks = ranks
        self._memory: dict[Hashable, tuple[Feature, ...]] = {}

    def explain(self, answers: Sequence[Answers], outcomes: Sequence[Outcome]) -> tuple[Feature, ...]:
        """The features that decide the outcome, the one to ask first in front.

        Raises:
            UnexplainedError: If no few features do.
        """
        numbers: dict[Outcome, int] = {}
        coded = tuple(numbers.setdefault(outcome, len(numbers)) for outcome in outcomes)
        key = (coded, tuple(map(id, answers)))
        if key not in self._memory:
            self._memory[key] = self._search(answers, coded)
        return self._memory[key]

    def _search(self, answers: Sequence[Answers], coded: Sequence[int]) -> tuple[Feature, ...]:
        if len(set(coded)) == 1:
            return ()
        usable = [feature for feature in self._domains if all(feature in each for each in answers)]
        alone = [
            (cells, 1, self._ranks.get(feature, 5), feature)
            for feature in usable
            if (cells := _cells([[each[feature] for each in answers]], coded)) is not None
        ]
        if alone:
            return (min(alone)[3],)
        columns = {feature: _coded([each[feature] for each in answers]) for feature in usable}
        varied = [feature for feature in usable if len(set(columns[feature])) > 1]
        informative = sorted(varied, key=lambda f: -_gain(columns[f], coded))
        best: tuple[tuple[float, ...], tuple[Feature, ...]] | None = None
        for size, width in POOLS.items():
            for some in combinations(informative[:width], size):
                cells = _cells([columns[f] for f in some], coded)
                if cells is None or len(coded) < cells * FEWEST_PER_CELL:
                    continue
                cost = (cells, size, *sorted(self._ranks.get(f, 5) for f in some))
                if best is None or cost < best[0]:
                    best = (cost, some)
            if best is not None and best[0][0] <= 2 ** (size + 1):
                break
        if best is None:
            raise UnexplainedError(f"{len(set(coded))} outcomes in {len(coded)} samples")
        return tuple(sorted(best[1], key=lambda f: (len(self._domains[f]), self._ranks.get(f, 5), str(f))))

    def partition(
        self,
        answers: Sequence[Answers],
        outcomes: Sequence[Outcome],
        feature: Feature,
        rest: tuple[Feature, ...],
    ) -> list[frozenset[Answer]]:
        """Answers to `feature`, those together that mean the same whatever the rest is."""
        meanings: dict[Answer, dict[tuple[Answer, ...], Outcome]] = defaultdict(dict)
        for each, outcome in zip(answers, outcomes, strict=True):
            meanings[each[feature]][tuple(each[f] for f in rest)] = outcome
        groups: list[tuple[set[Answer], dict[tuple[Answer, ...], Outcome]]] = []
        for answer in sorted(self._domains[feature], key=lambda answer: answer not in meanings):
            meaning = meanings[answer]
            fitting = [
                (members, common)
                for members, common in groups
                if all(common.get(key, value) == value for key, value in meaning.items())
            ]
            if fitting:
                # What is seldom or never seen may fit several: most likely it means what most others mean.
                members, common = max(fitting, key=lambda group: len(group[0]))
                members.add(answer)
                common.update(meaning)
            else:
                groups.append(({answer}, dict(meaning)))
        return [frozenset(members) for members, _ in groups]

    def condition(self, answers: Sequence[Answers], held: Sequence[bool], questions: int = 2) -> Condition:
        """When something holds.

        Raises:
            UnexplainedError: If no few features say.
        """
        if all(held):
            return ALWAYS
        if not any(held):
            return NEVER
        try:
            first, *rest = self.explain(answers, held)
        except UnexplainedError:
            return self._split_condition(answers, held, questions)
        rows: list[tuple[Test, ...]] = []
        for group in self.partition(answers, held, first, tuple(rest)):
            chosen = [(a, h) for a, h in zip(answers, held, strict=True) if a[first] in group]
            inner = self.condition([a for a, _ in chosen], [h for _, h in chosen])
            rows.extend((Test(first, group), *row) for row in inner.rows)
        return simplified(Condition(tuple(rows)), self._domains)

    def _split_condition(self, answers: Sequence[Answers], held: Sequence[bool], questions: int) -> Condition:
        """When something holds, asked one question after the other."""
        for first in self.questions(answers, held) if questions else ():
            rows: list[tuple[Test, ...]] = []
            try:
                for answer in self._domains[first]:
                    chosen = [(a, h) for a, h in zip(answers, held, strict=True) if a[first] == answer]
                    inner = self.condition([a for a, _ in chosen], [h for _, h in chosen], questions - 1)
                    rows.extend((Test(first, frozenset({answer})), *row) for row in inner.rows)
            except UnexplainedError:
                continue
            return simplified(Condition(tuple(rows)), self._domains)
        raise UnexplainedError(f"no question helps in {len(held)} samples")

    def questions(self, answers: Sequence[Answers], outcomes: Sequence[Outcome]) -> list[Feature]:
        """Questions with two answers that tell something about the outcome, the most telling first."""
        coded = _coded(outcomes)
        columns = {
            feature: _coded([each[feature] for each in answers])
            for feature, options in self._domains.items()
            if len(options) == 2 and all(feature in each for each in answers)
        }
        gains = {f: _gain(column, coded) for f, column in columns.items() if len(set(column)) == 2}
        return sorted((f for f, gain in gains.items() if gain > 0), key=lambda f: -gains[f])[:MOST_QUESTIONS]


def simplified(condition: Condition, domains: Mapping[Feature, Sequence[Answer]]) -> Condition:
    """Rows put together where they differ in one test only, and tests dropped that always hold."""
    rows = [frozenset(row) for row in condition.rows]
    changed = True
    while changed:
        changed = False
        for a, b in combinations(rows, 2):
            one, other = a - b, b - a
            if len(one) == len(other) == 1:
                (x,), (y,) = one, other
                if x.feature == y.feature:
                    merged = Test(x.feature, x.answers | y.answers)
                    rows = [row for row in rows if row not in (a, b)]
                    rows.append(a & b if _total(merged, domains) else (a & b) | {merged})
                    changed = True
                    break
    # A or (not A and B) reads better as A or B.
    for index, row in enumerate(rows):
        for other in rows:
            if len(other) == 1 and other != row:
                (sole,) = other
                rows[index] = frozenset(
                    t
                    for t in rows[index]
                    if not (t.feature == sole.feature and t.answers | sole.answers >= set(domains[t.feature]))
                )
    order = list(domains)
    ordered = [tuple(sorted(row, key=lambda t: order.index(t.feature))) for row in dict.fromkeys(rows)]
    return Condition(tuple(sorted(ordered, key=lambda row: [order.index(t.feature) for t in row])))


def _total(test: Test, domains: Mapping[Feature, Sequence[Answer]]) -> bool:
    return test.answers >= set(domains[test.feature])


def _coded(values: Sequence[Hashable]) -> list[int]:
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(value, len(numbers)) for value in values]


def _cells(columns: Sequence[Sequence[Answer]], coded: Sequence[int]) -> int | None:
    """How many combinations of answers there are, or None where one of them has two outcomes."""
    seen: dict[tuple[Answer, ...], int] = {}
    for key, outcome in zip(zip(*columns, strict=True), coded, strict=True):
        if seen.setdefault(key, outcome) != outcome:
            return None
    return len(seen)


def _gain(column: Sequence[int], coded: Sequence[int]) -> float:
    """Bits that one feature tells about the outcome, less what as many answers would tell by chance."""
    counts: dict[int, Counter[int]] = defaultdict(Counter)
    for answer, outcome in zip(column, coded, strict=True):
        counts[answer][outcome] += 1
    known = sum(sum(by.values()) * _entropy(by) for by in counts.values()) / len(coded)
    chance = (len(counts) - 1) * (len(set(coded)) - 1) / (2 * len(coded) * log(2))
    return _entropy(Counter(coded)) - known - chance


def _entropy(counts: Counter[int]) -> float:
    total = sum(counts.values())
    return -sum(n / total * log2(n / total) for n in counts.values())
