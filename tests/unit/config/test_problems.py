from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pytest
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from llmd_constructs.config.merge import resolve_extends
from llmd_constructs.config.problems import from_validation_error

Name = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z]+$", max_length=8),
    Field(json_schema_extra={"patternErrorMessage": "must be lower-case letters"}),
]
Size = Annotated[int, Field(ge=1, lt=100, multiple_of=2)]


class Model(BaseModel):
    """As the models of the environment file: closed, frozen, camelCase."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=False,
        use_attribute_docstrings=True,
    )


class Colour(Enum):
    """An enumeration."""

    RED = "red"
    GREEN = "green"


class Engine(Model):
    """A nested model."""

    max_model_len: int = 1
    """Context length. In tokens."""
    dtype: Literal["half", "float16"] = "half"


class Single(Model):
    """One branch of a tagged union."""

    pattern_name: Literal["single-replica"]
    engine: Engine = Engine()
    size: Size = 2

    @model_validator(mode="after")
    def _size_fits(self) -> Self:
        if self.size == 42:
            raise ValueError("size 42 does not fit; write 40; or 44")
        return self


class Multi(Model):
    """The other branch."""

    pattern_name: Literal["multi-model", "many"]
    models: Annotated[tuple[Name, ...], Field(min_length=2, max_length=3)]


Tagged = Annotated[Single | Multi, Field(discriminator="pattern_name")]


class Root(Model):
    """The file."""

    name: Name = "x"
    release: str = ""
    """Release, such as "1.27". And more."""
    minor: Literal["1.26", "1.27"] = "1.27"
    count: int = 1
    share: Annotated[float, Field(gt=0, le=1)] = 1
    on: bool = Field(default=False, alias="enabled")
    colour: Colour = Colour.RED
    network: IPv4Network | None = None
    zone: Annotated[str, StringConstraints(pattern=r"^[a-z]+-[a-z]$", min_length=3)] | None = None
    """Zone, such as `a-b`. Not a region."""
    entries: tuple[Tagged, ...] = ()
    first: Tagged | None = None
    either: Literal["auto"] | int | None = None
    gate: bool | Engine = False
    mixed: tuple[str | Engine, ...] = ()
    weights: dict[Name, Annotated[float, Field(gt=0)]] = {}
    free: dict[str, Any] = {}

    @field_validator("release")
    @classmethod
    def _no_latest(cls, release: str) -> str:
        if release == "latest":
            raise ValueError("latest is not a release; write a number")
        return release


class Strict(Model):
    """A model that takes nothing for something else."""

    model_config = ConfigDict(strict=True)
    count: int = 1
    on: bool = Field(default=False, alias="enabled")


class Required(Model):
    """A model of fields that have no default."""

    name: str
    """The name. More about it."""
    dtype: Literal["half", "float16"]
    plain: list[int] = Field(alias="numbers")


def told(text: str, tmp_path: Path, model: type[BaseModel] = Root) -> list[str]:
    """What the user of a file is told, without the file's name."""
    path = tmp_path / "a.yaml"
    path.write_text(text)
    source = resolve_extends(path, tmp_path)
    with pytest.raises(ValidationError) as caught:
        model.model_validate(source.data)
    problems = from_validation_error(caught.value, source, model)
    return [str(problem).removeprefix("a.yaml:") for problem in problems]


_ALLOWED_IN_ROOT = "name, release, minor, count, share, enabled, colour, network, zone, entries, first, either, gate, mixed, weights, free"


class TestFields:
    """Fields that are unknown or missing."""

    def test_unknown_field_gets_the_one_that_was_meant(self, tmp_path: Path) -> None:
        """A near miss is answered with the field's name as it is written in YAML."""
        assert told("nane: x\n", tmp_path) == ["1: nane: unknown field; did you mean name?"]
        assert told("gate: {max_model_len: 1}\n", tmp_path) == [
            "1: gate.max_model_len: unknown field; did you mean maxModelLen?"
        ]
        assert (
            told("on_: x\n'on': true\n", tmp_path)[1]
            == f"2: on: unknown field; allowed here: {_ALLOWED_IN_ROOT}"
        )

    def test_unknown_field_without_a_near_one_gets_the_whole_list(self, tmp_path: Path) -> None:
        """What is allowed at this place is listed."""
        problems = told("entries:\n- patternName: single-replica\n  engine:\n    replicas: 1\n", tmp_path)
        assert problems == ["4: entries[0].engine.replicas: unknown field; allowed here: maxModelLen, dtype"]

    def test_missing_field_is_shown_at_its_owner(self, tmp_path: Path) -> None:
        """A field that is not there says what belongs there, at the line of the mapping that lacks it."""
        assert told("numbers: []\n", tmp_path, Required) == [
            "1: dtype: is required; write one of half, float16",
            "1: name: is required; add it: The name",
        ]
        assert told("name: x\ndtype: half\n", tmp_path, Required) == ["1: numbers: is required"]
        assert told("\nfirst:\n  patternName: many\n", tmp_path) == ["2: first.models: is required"]

    def test_field_taken_away_is_shown_where_it_was_taken_away(self, tmp_path: Path) -> None:
        """A required field that an overlay removed is missing at the overlay's null."""
        (tmp_path / "base.yaml").write_text("name: x\ndtype: half\nnumbers: [1]\n")
        problems = told("extends: base.yaml\n\nname: null\n", tmp_path, Required)
        assert problems == ["3: name: is required; add it: The name"]


class TestKinds:
    """Values of the wrong kind."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("count: three", "count: must be a whole number, is the text 'three'"),
            ("count: 1.5", "count: must be a whole number, is the number 1.5"),
            ("count: [1]", "count: must be a whole number, is a list"),
            ("count:", "count: must be a whole number, is empty"),
            ("share: x", "share: must be a number, is the text 'x'"),
            ("enabled: perhaps", "enabled: must be true or false, is the text 'perhaps'"),
            ("name: {a: 1}", "name: must be text, is a mapping"),
            ("name:", "name: must be text, is empty"),
            ("entries: x", "entries: must be a list, is the text 'x'; begin each entry with `- `"),
            ("entries: [x]", "entries[0]: must be a mapping, is the text 'x'"),
            ("weights: []", "weights: must be a mapping, is a list"),
            (
                "first: {patternName: many, models: [a, 1]}",
                'first.models[1]: is the number 1; write it in quotes: "1"',
            ),
            (
                "first: {patternName: single-replica, engine: fast}",
                "first.engine: must be a mapping, is the text 'fast'; write its fields below it: maxModelLen, dtype",
            ),
        ],
    )
    def test_wrong_kind_names_both_kinds(self, tmp_path: Path, text: str, expected: str) -> None:
        """What has to be there and what is there are both named."""
        assert told(f"{text}\n", tmp_path) == [f"1: {expected}"]

    @pytest.mark.parametrize(
        ("typed", "found"),
        [
            ("1.27", "the number 1.27"),
            ("1.10", "the number 1.10"),
            ("0755", "the number 0755"),
            ("1_000", "the number 1_000"),
            ("yes", "the word yes, which YAML reads as true"),
            ("true", "true"),
        ],
    )
    def test_text_that_yaml_reads_otherwise_is_to_be_quoted(
        self, tmp_path: Path, typed: str, found: str
    ) -> None:
        """The remedy shows the value as it was typed, in quotes."""
        assert told(f"release: {typed}\n", tmp_path) == [
            f'1: release: is {found}; write it in quotes: "{typed}"'
        ]

    def test_quoted_number_is_to_be_freed(self, tmp_path: Path) -> None:
        """Where a number in quotes is refused, the quotes are what to take away."""
        assert told("count: '3'\nenabled: 'yes'\n", tmp_path, Strict) == [
            "1: count: must be a whole number, is the text '3'; take away the quotes",
            "2: enabled: must be true or false, is the text 'yes'; take away the quotes",
        ]


class TestChoices:
    """Values out of a fixed list."""

    def test_choice_is_listed_with_a_suggestion(self, tmp_path: Path) -> None:
        """What is not allowed is shown beside what is."""
        assert told(
            "first: {patternName: single-replica, engine: {dtype: haff}}\ncolour: blue\n", tmp_path
        ) == [
            "1: first.engine.dtype: 'haff' is not one of half, float16; did you mean half?",
            "2: colour: 'blue' is not one of red, green",
        ]

    def test_choice_that_looks_like_a_number(self, tmp_path: Path) -> None:
        """A release typed without quotes is recognised, and suggestions carry their quotes."""
        assert told("minor: 1.26\n", tmp_path) == ['1: minor: is the number 1.26; write it in quotes: "1.26"']
        assert told("minor: 1.28\n", tmp_path) == [
            "1: minor: '1.28' is not one of 1.26, 1.27; did you mean \"1.27\"?"
        ]

    @pytest.mark.parametrize(("typed", "found"), [("", "empty"), ("[half]", "a list")])
    def test_choice_of_another_kind(self, tmp_path: Path, typed: str, found: str) -> None:
        """No value at all, or a list, is named as such."""
        assert told(f"colour: {typed}\n", tmp_path) == [f"1: colour: must be one of red, green, is {found}"]


class TestTaggedUnions:
    """Unions that a field tells apart."""

    def test_wrong_tag_is_shown_at_the_tag(self, tmp_path: Path) -> None:
        """All tags are listed, and the near one is suggested, at the discriminator's own line."""
        problems = told(
            "entries:\n- engine: {}\n  patternName: single\n- patternName: 3\nfirst: {patternName: x}\n",
            tmp_path,
        )
        tags = "single-replica, multi-model, many"
        assert problems == [
            f"3: entries[0].patternName: 'single' is not one of {tags}; did you mean single-replica?",
            f"4: entries[1].patternName: '3' is not one of {tags}",
            f"5: first.patternName: 'x' is not one of {tags}",
        ]

    @pytest.mark.parametrize("entry", ["{}", "{patternName: null}"])
    def test_missing_tag_is_required(self, tmp_path: Path, entry: str) -> None:
        """A discriminator that is not there is a required field like any other."""
        problems = told(f"entries:\n- {entry}\n", tmp_path)
        assert problems == [
            "2: entries[0].patternName: is required; write one of single-replica, multi-model, many"
        ]

    def test_tag_is_not_part_of_the_path(self, tmp_path: Path) -> None:
        """The path is the user's own, without what pydantic puts into it."""
        problems = told("entries:\n- patternName: single-replica\n  size: 0\n  many: 1\n", tmp_path)
        assert problems == [
            "3: entries[0].size: must be at least 1, is 0",
            "4: entries[0].many: unknown field; allowed here: patternName, engine, size",
        ]


class TestPlainUnions:
    """Unions that the kind of value tells apart."""

    def test_kinds_of_all_branches_are_joined(self, tmp_path: Path) -> None:
        """A value that fits no branch gets one problem, not one per branch."""
        assert told("either: three\ngate: perhaps\n", tmp_path) == [
            "1: either: must be 'auto' or a whole number, is the text 'three'",
            "2: gate: must be true or false or a mapping, is the text 'perhaps'; write its fields below it: maxModelLen, dtype",
        ]

    def test_kinds_are_named_once(self, tmp_path: Path) -> None:
        """Two branches of the same kind are one to the user."""

        class Pair(Model):
            pair: list[int] | tuple[str, ...]

        assert told("pair: x\n", tmp_path, Pair) == [
            "1: pair: must be a list, is the text 'x'; begin each entry with `- `"
        ]

    def test_branch_that_nearly_fits_speaks_for_all(self, tmp_path: Path) -> None:
        """A mapping with one wrong field is not told that it should have been true or false."""
        assert told("gate: {maxModelLen: x}\nmixed: [x, {dtipe: half}, 1.10]\n", tmp_path) == [
            "1: gate.maxModelLen: must be a whole number, is the text 'x'",
            "2: mixed[1].dtipe: unknown field; did you mean dtype?",
            '2: mixed[2]: is the number 1.10; write it in quotes: "1.10"',
        ]


class TestOtherErrors:
    """Bounds, forms and validators."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("share: 0", "share: must be more than 0, is 0"),
            ("share: 1.50", "share: must be at most 1, is 1.50"),
            ("first: {patternName: single-replica, size: 100}", "first.size: must be less than 100, is 100"),
            ("first: {patternName: single-replica, size: 3}", "first.size: must be a multiple of 2, is 3"),
            ("first: {patternName: many, models: []}", "first.models: must not be empty"),
            ("first: {patternName: many, models: [a]}", "first.models: has 1 entry, must have at least 2"),
            (
                "first: {patternName: many, models: [a, b, c, d]}",
                "first.models: has 4 entries, must have at most 3",
            ),
            ("name: abcdefghi", "name: has 9 characters, must have at most 8"),
            ("zone: ''", "zone: must not be empty"),
            ("zone: ab", "zone: has 2 characters, must have at least 3"),
            ("name: A", "name: 'A' must be lower-case letters"),
            ("zone: west", "zone: 'west' does not match ^[a-z]+-[a-z]$; expected: Zone, such as `a-b`"),
            ("weights: {A: 1}", "weights.A: 'A' must be lower-case letters"),
            ("weights: {a: 0}", "weights.a: must be more than 0, is 0"),
            (
                "network: 10.0.0.5/24",
                "network: must be an IP address range such as 10.0.0.0/24, is the text '10.0.0.5/24'; did you mean 10.0.0.0/24?",
            ),
            ("network: x", "network: must be an IP address range such as 10.0.0.0/24, is the text 'x'"),
            ("release: latest", "release: latest is not a release; write a number"),
            (
                "first: {patternName: single-replica, size: 42}",
                "first: size 42 does not fit; write 40; or 44",
            ),
        ],
    )
    def test_reads_as_plain_words(self, tmp_path: Path, text: str, expected: str) -> None:
        """Bounds, lengths, patterns and our own validators' messages."""
        assert told(f"{text}\n", tmp_path) == [f"1: {expected}"]

    def test_validators_message_is_split_at_the_first_semicolon(self, tmp_path: Path) -> None:
        """What is wrong comes before it, what to write instead after it."""
        (tmp_path / "a.yaml").write_text("first: {patternName: single-replica, size: 42}\n")
        source = resolve_extends(tmp_path / "a.yaml", tmp_path)
        with pytest.raises(ValidationError) as caught:
            Root.model_validate(source.data)
        (problem,) = from_validation_error(caught.value, source, Root)
        assert (problem.message, problem.instead) == ("size 42 does not fit", "write 40; or 44")

    def test_list_is_not_too_short_because_of_its_entries(self, tmp_path: Path) -> None:
        """Pydantic does not count entries with errors; the user need not hear of it."""
        problems = told("first: {patternName: many, models: [A, B]}\n", tmp_path)
        assert problems == [
            "1: first.models[0]: 'A' must be lower-case letters",
            "1: first.models[1]: 'B' must be lower-case letters",
        ]

    def test_error_without_words_of_ours_is_passed_on(self, tmp_path: Path) -> None:
        """A kind of error nobody thought of still names the value."""

        class Raw(Model):
            when: bytes = b""

        assert told("when: 3\n", tmp_path, Raw) == ["1: when: must be a valid bytes, is the number 3"]

    def test_place_that_the_model_does_not_describe(self, tmp_path: Path) -> None:
        """Where there is no model to follow, the file tells the user's keys from pydantic's."""

        @dataclass
        class Typed:
            limit: Literal["none"] | int

        class Holder(Model):
            typed: Typed

        assert told("typed: {limit: x}\n", tmp_path, Holder) == [
            "1: typed.limit: 'x' is not one of 'none'",
            "1: typed.limit: must be a whole number, is the text 'x'",
        ]


class TestOrder:
    """The list as a whole."""

    def test_problems_come_in_order_of_lines(self, tmp_path: Path) -> None:
        """The list follows the file, whatever the order of the model."""
        problems = told("count: x\nzone: 1\nname: 2\n", tmp_path)
        assert [problem.split(":")[0] for problem in problems] == ["1", "2", "3"]

    def test_problem_of_a_base_is_shown_in_the_base(self, tmp_path: Path) -> None:
        """A wrong value is mended where it was written."""
        (tmp_path / "base.yaml").write_text("\ncount: x\n")
        (tmp_path / "a.yaml").write_text("extends: base.yaml\nname: A\n")
        source = resolve_extends(tmp_path / "a.yaml", tmp_path)
        with pytest.raises(ValidationError) as caught:
            Root.model_validate(source.data)
        problems = from_validation_error(caught.value, source, Root)
        assert [(problem.file, problem.line) for problem in problems] == [("a.yaml", 2), ("base.yaml", 2)]

    def test_very_many_errors_are_cut(self, tmp_path: Path) -> None:
        """A file with thousands of errors gets a hundred, and a word about the rest."""
        problems = told("".join(f"unknown{i}: 1\n" for i in range(5000)), tmp_path)
        assert len(problems) == 101
        assert problems[-1] == "100: has more than the 100 problems listed here; mend these first"
