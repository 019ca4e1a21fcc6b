# ruff: noqa: PLR0911 - a case for each type
"""Which values a chart has, and samples of them.

Read from the JSON schema of the values' model, so that a new setting is found without a second edit.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Any, cast

from llmd_constructs.charts.nodes import Answer, Path

Json = Any
"""A value as JSON knows it; its shape is the schema's."""

UNSET = object()
"""Stands for a value that the user leaves out."""

MOST_REPLICAS = 1000
EVEN = 0.5
"""As often as not."""
_FRACTIONS = tuple(round(0.5 + n / 10**4, 4) for n in range(1, 400) if n % 10)
_PRIMES = tuple(n for n in range(101, 1000) if all(n % d for d in range(2, 32)))
# Fewest replicas are counted from below, most from above, so that the most are always more.
_LARGE_PRIMES = tuple(n for n in range(2003, 3600) if all(n % d for d in range(2, 60)))


@dataclass(frozen=True)
class Setting:
    """One value of a chart: where it stands and what it may be."""

    path: Path
    schema: Mapping[str, Json]
    optional: bool

    @property
    def choices(self) -> tuple[Answer, ...] | None:
        """The values that it may have, where there are few."""
        schema = self.schema
        if "enum" in schema:
            return tuple(schema["enum"])
        if "const" in schema:
            return (schema["const"],)
        if schema.get("type") == "boolean":
            return (False, True)
        if schema.get("type") == "integer" and schema.get("maximum", 1000) <= 10:
            return tuple(range(schema["minimum"], schema["maximum"] + 1))
        return None


class Sampler:
    """Draws values of one chart, and remembers which text stands for which of them."""

    def __init__(self, schema: Mapping[str, Json], *, skipped: int = 0) -> None:
        """Read the schema of the chart's values, and leave the first numbers to another sampler, so many of a kind."""
        self._schema = schema
        self._skipped = skipped
        self._definitions: Mapping[str, Json] = schema.get("$defs", {})
        self._numbers: dict[Path, int | float] = {}

    def draw(self, random: Random) -> dict[str, Json]:
        """Values at random: every choice, every optional value set or not, text and numbers that can be told apart."""
        drawn = self._draw(self._schema, (), random)
        return cast("dict[str, Json]", drawn)

    def _number(self, schema: Mapping[str, Json], path: Path, random: Random) -> int | float:
        """A number that stands for this path and no other; one, where a count may be one."""
        lowest, highest = schema.get("minimum", 0), schema.get("maximum", 10**6)
        if lowest <= 1 and highest == MOST_REPLICAS and random.random() < EVEN:
            return 1
        if path not in self._numbers:
            taken = set(self._numbers.values())
            fraction = schema.get("type") == "number"
            counts = _PRIMES if lowest <= 1 else _PRIMES[::-1]
            pool = _FRACTIONS if fraction else counts if highest == MOST_REPLICAS else _LARGE_PRIMES
            fitting = islice((n for n in pool if lowest <= n <= highest), self._skipped, None)
            self._numbers[path] = next(n for n in fitting if n not in taken)
        return self._numbers[path]

    def _resolve(self, schema: Mapping[str, Json]) -> tuple[Mapping[str, Json], bool]:
        """The schema behind references, and whether null is allowed too."""
        if "$ref" in schema:
            resolved, optional = self._resolve(self._definitions[schema["$ref"].rpartition("/")[2]])
            return {**resolved, **{k: v for k, v in schema.items() if k != "$ref"}}, optional
        if "anyOf" in schema:
            some = [each for each in schema["anyOf"] if each.get("type") != "null"]
            resolved, _ = self._resolve(some[0])
            return resolved, len(some) < len(schema["anyOf"])
        return schema, False

    def settings(self) -> Iterator[Setting]:
        """Every value that is no mapping with known fields; list items once, as `EACH`."""
        yield from self._settings(self._schema, (), optional=False)

    def _settings(self, schema: Mapping[str, Json], path: Path, *, optional: bool) -> Iterator[Setting]:
        resolved, nullable = self._resolve(schema)
        if "properties" in resolved:
            if nullable:
                yield Setting(path, resolved, optional=True)
            for name, field in resolved["properties"].items():
                yield from self._settings(field, (*path, name), optional=nullable or optional)
            return
        yield Setting(path, resolved, optional=nullable)
        if resolved.get("type") == "array":
            yield from self._settings(resolved["items"], (*path, "*"), optional=False)

    def _draw(self, schema: Mapping[str, Json], path: Path, random: Random) -> Json:
        resolved, nullable = self._resolve(schema)
        if nullable and random.random() < EVEN:
            return UNSET
        setting = Setting(path, resolved, nullable)
        if setting.choices is not None:
            return random.choice(setting.choices)
        match resolved.get("type"):
            case "object" if "properties" in resolved:
                items = {k: self._draw(v, (*path, k), random) for k, v in resolved["properties"].items()}
                return {name: value for name, value in items.items() if value is not UNSET}
            case "object":
                return {
                    f"ZQ{_mark(path)}{i}QZ": f"zq{_mark(path)}v{i}qz x" for i in range(random.randrange(3))
                }
            case "array":
                fewest = resolved.get("minItems", 0)
                count = fewest + random.randrange(3)
                return [self._draw(resolved["items"], (*path, index), random) for index in range(count)]
            case "integer" | "number":
                return self._number(resolved, path, random)
            case _:
                return _text(resolved, path, random)


def _mark(path: Path) -> str:
    """A few letters that stand for a path, and for no other."""
    letters = "abcdefghijklmnoprstuvwxy"
    number = sum(ord(c) * (i + 7) for i, c in enumerate("/".join(map(str, path)))) * 7919 % 24**4
    return "".join(letters[number // 24**i % 24] for i in range(4))


def _text(schema: Mapping[str, Json], path: Path, random: Random) -> str:
    mark = f"zq{_mark(path)}qz"
    number = sum(map(ord, "/".join(map(str, path)))) % 250
    candidates = [mark, f"{mark}.example", f"hf://{mark}/x", f"203.0.{number}.0/24", f"--{mark}=a b"]
    if "examples" in schema and random.random() < 0.7:
        return random.choice(schema["examples"])
    pattern = schema.get("pattern")
    return next(each for each in candidates if pattern is None or re.fullmatch(pattern, each))
