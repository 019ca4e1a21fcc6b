"""Pydantic's verdict on a file as problems with file and line."""

from collections.abc import Iterator, Sized
from dataclasses import dataclass
from typing import cast

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from llmd_constructs.config import _wording as wording
from llmd_constructs.config._places import Place, discriminator, fields, place_of
from llmd_constructs.config.errors import MOST_PROBLEMS, Problem, ValuePath, capped
from llmd_constructs.config.source import Node, Source

# Enough to fill the list; more would only cost time.
_MOST_ERRORS = 20 * MOST_PROBLEMS


def from_validation_error(error: ValidationError, source: Source, model: type[BaseModel]) -> list[Problem]:
    """Say every error in plain words, at the line where the value was written.

    Args:
        error: what `model.model_validate(source.data)` raised.
        source: the file it was given.
        model: the model it was held against.

    Returns:
        Each problem once, in order of file and line.
    """
    errors = [details for details in error.errors(include_url=False) if not _follows(details)]
    findings = [_finding(details, model, source.root) for details in errors[:_MOST_ERRORS]]
    return capped(sorted(set(_problems(findings, source))))


def _follows(error: ErrorDetails) -> bool:
    """Whether a list is too short for pydantic only because its entries have errors of their own."""
    least = error.get("ctx", {}).get("min_length", 0)
    return error["type"] == "too_short" and len(cast("Sized", error["input"])) >= least


@dataclass(frozen=True)
class _Finding:
    """One of pydantic's errors, and what it is about."""

    error: ErrorDetails
    place: Place
    path: ValuePath
    """The value the user has to mend."""
    kind: str
    """What the place takes, where the error is about the kind of value; else empty."""

    def misses(self, union: ValuePath) -> bool:
        """Whether the value is of another kind than this branch of the union takes."""
        return bool(self.kind) and self.path == union and union in self.place.unions


def _finding(error: ErrorDetails, model: type[BaseModel], values: Node) -> _Finding:
    loc = error["loc"]
    if error["type"] in {"missing", "extra_forbidden"}:
        place = place_of(loc[:-1], model, values)
        return _Finding(error, place, (*place.path, loc[-1]), "")
    place = place_of(loc, model, values)
    key = discriminator(place) if error["type"].startswith("union_tag") else ""
    path = (*place.path, key) if key else place.path
    return _Finding(error, place, path, wording.expected(error, place))


def _problems(findings: list[_Finding], source: Source) -> Iterator[Problem]:
    """The findings in words. Of a union's branches, those that nearly fit speak for all."""
    near = {union for finding in findings for union in finding.place.unions if not finding.misses(union)}
    groups: dict[ValuePath, list[_Finding]] = {}
    for finding in findings:
        if finding.misses(finding.path):
            groups.setdefault(finding.path, []).append(finding)
    for finding in findings:
        if not finding.misses(finding.path):
            yield source.problem(finding.path, *_words(finding, source))
        elif finding.path not in near and (group := groups.pop(finding.path, None)):
            yield source.problem(finding.path, *_joined(group, source))


def _joined(group: list[_Finding], source: Source) -> wording.Words:
    """One problem for a value that is of no branch's kind."""
    place = next((finding.place for finding in group if fields(finding.place.annotation)), group[0].place)
    kinds = [finding.kind for finding in group]
    return wording.of_kind(kinds, group[0].error["input"], source.literal(place.path), place)


def _words(finding: _Finding, source: Source) -> wording.Words:
    error, place, path = finding.error, finding.place, finding.path
    literal = source.literal(path)
    if error["type"] == "extra_forbidden":
        return wording.unknown(str(path[-1]), place)
    if error["type"] == "missing":
        return wording.missing(str(path[-1]), place)
    if len(path) > len(place.path):
        return wording.wrong_tag(place, error["input"].get(path[-1]), literal)
    return wording.other(error, place, literal)
