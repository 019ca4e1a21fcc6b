import os
from collections.abc import Callable
from pathlib import Path

import pytest

from llmd_constructs.config import InputError
from llmd_constructs.config.source import Json, Position, Source, read_source

Read = Callable[[str | bytes], Source]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write a file `a.yaml` and read it."""

    def _read(content: str | bytes) -> Source:
        path = tmp_path / "a.yaml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_source(path, tmp_path)

    return _read


def refused(path: Path, root: Path) -> str:
    """What the user is told about a file that is refused."""
    with pytest.raises(InputError) as caught:
        read_source(path, root)
    return str(caught.value)


class TestValues:
    """What values are read."""

    @pytest.mark.parametrize(
        ("literal", "value"),
        [
            ("text", "text"),
            ('"1"', "1"),
            ("'yes'", "yes"),
            ("3", 3),
            ("-3", -3),
            ("+3", 3),
            ("1_000", 1000),
            ("0755", 493),
            ("0o755", 493),
            ("0x1F", 31),
            ("0b101", 5),
            ("08", 8.0),
            ("1.27", 1.27),
            (".5", 0.5),
            (".5_0", 0.5),
            ("._5", "._5"),
            ("1e3", 1000.0),
            ("1e999", "1e999"),
            ("18446744073709551615", 2**64 - 1),
            ("18446744073709551616", 2.0**64),
            ("-9223372036854775809", -(2.0**63)),
            ("9" * 5000, "9" * 5000),
            ("true", True),
            ("yes", True),
            ("y", True),
            ("Off", False),
            ("~", None),
            ("null", None),
            ("2024-01-31", "2024-01-31"),
            ("2024-01-31T10:00:00Z", "2024-01-31T10:00:00Z"),
            ("1:30", "1:30"),
            ("2x2", "2x2"),
            ("1.2.3", "1.2.3"),
            ("-x", "-x"),
            ("+", "+"),
            (".", "."),
            ("0x", "0x"),
            ("$(POD_IP)", "$(POD_IP)"),
            ("costs 5$", "costs 5$"),
            ("pa$$word", "pa$$word"),
        ],
    )
    def test_scalar_is_read_as_kubernetes_reads_it(self, read: Read, literal: str, value: Json) -> None:
        """An unquoted scalar is what sigs.k8s.io/yaml makes of it, and dates stay text."""
        found = read(f"a: {literal}\n").data["a"]
        assert found == value
        assert type(found) is type(value)

    def test_whole_file_becomes_plain_values(self, read: Read) -> None:
        """Mappings, lists and blocks come out as JSON would hold them, in the order of the file."""
        source = read("b:\n  - x: 1\n    z: |\n      one\n      two\n  - []\na: {}\n")
        assert source.data == {"b": [{"x": 1, "z": "one\ntwo\n"}, []], "a": {}}
        assert list(source.data) == ["b", "a"]
        assert (source.file, source.files) == ("a.yaml", ("a.yaml",))

    def test_data_is_a_copy(self, read: Read) -> None:
        """Changing the data does not change the source."""
        source = read("a: [1]\n")
        source.data["a"] = 2
        assert source.data == {"a": [1]}

    def test_windows_line_ends_are_fine(self, read: Read) -> None:
        """A file from Windows has the same values and lines."""
        source = read("a: 1\r\nb: x\r\n")
        assert source.data == {"a": 1, "b": "x"}
        assert source.position(("b",)).line == 2


class TestPosition:
    """Where values stand."""

    def test_value_of_a_mapping_is_where_its_key_is(self, read: Read) -> None:
        """The line shown is the one that people look for: the key's."""
        source = read("a:\n  b:\n    - x\n    - c:\n        1\n")
        assert source.position(("a",)) == Position("a.yaml", 1, 1)
        assert source.position(("a", "b")) == Position("a.yaml", 2, 3)
        assert source.position(("a", "b", 1)) == Position("a.yaml", 4, 7)
        assert source.position(("a", "b", 1, "c")) == Position("a.yaml", 4, 7)

    def test_unknown_path_is_at_its_nearest_ancestor(self, read: Read) -> None:
        """What is not there is shown where it would have to be."""
        source = read("x: 1\na:\n  b:\n  - 1\n")
        assert source.position(("a", "c", "d")).line == 2
        assert source.position(("a", "b", 7)).line == 3
        assert source.position(("a", "b", -1)).line == 3
        assert source.position(("a", 0)).line == 2
        assert source.position(()).line == 1

    def test_problem_carries_the_position(self, read: Read) -> None:
        """A later rule names a path and gets file, line and field."""
        problem = read("a:\n  b: [1]\n").problem(("a", "b", 0), "is odd", "write 2")
        assert str(problem) == "a.yaml:2: a.b[0]: is odd; write 2"


class TestLiteral:
    """What was typed."""

    def test_tells_what_was_typed(self, read: Read) -> None:
        """What YAML turned into something else than text can be shown as it was typed."""
        source = read("a: 1.10\nb: yes\nc: 0755\nd: text\ne: '1'\nf: ~\ng: [1_0]\n")
        paths = [("a",), ("b",), ("c",), ("d",), ("e",), ("f",), ("g",), ("g", 0), ("h",)]
        assert [source.literal(path) for path in paths] == [
            "1.10",
            "yes",
            "0755",
            None,
            None,
            "~",
            None,
            "1_0",
            None,
        ]


_REFUSED: list[tuple[str, str | bytes, str]] = [
    ("empty", "", "a.yaml: is empty; write at least one field"),
    ("comments-only", "# nothing\n", "a.yaml: is empty; write at least one field"),
    ("null", "---\n", "a.yaml: is empty; write at least one field"),
    ("list", "- a\n", "a.yaml:1: must be a mapping at the top, is a list; write `field: value` lines"),
    (
        "text",
        "\na:b\n",
        "a.yaml:2: must be a mapping at the top, is the text 'a:b'; write `field: value` lines",
    ),
    (
        "number",
        "1.10\n",
        "a.yaml:1: must be a mapping at the top, is the number 1.10; write `field: value` lines",
    ),
    ("tab", "a:\n\tb: 1\n", "a.yaml:2: is indented with a tab; indent with spaces"),
    ("tab-in-text", "a: x\n\ty\n", "a.yaml:2: is indented with a tab; indent with spaces"),
    ("tab-in-brackets", "a: {\n\tb: 1}\n", "a.yaml:2: a: is indented with a tab; indent with spaces"),
    ("documents", "a: 1\n---\nb: 2\n", "a.yaml:2: holds a second document; put it into a file of its own"),
    (
        "latin-1",
        b"a: 1\nb: caf\xe9\n",
        "a.yaml:2: is not UTF-8: byte 0xe9; save it as UTF-8 without a byte-order mark",
    ),
    (
        "byte-order-mark",
        b"\xef\xbb\xbfa: 1\n",
        "a.yaml:1: begins with a byte-order mark; save it as UTF-8 without a byte-order mark",
    ),
    ("utf-16", "a: 1\n".encode("utf-16"), "a.yaml:1: is UTF-16; save it as UTF-8 without a byte-order mark"),
    (
        "utf-16-without-mark",
        "a".encode("utf-16-le"),
        "a.yaml:1: holds the character U+0000, which no editor shows; delete it",
    ),
    ("control", "a: 1\nb: \x07\n", "a.yaml:2: holds the character U+0007, which no editor shows; delete it"),
    (
        "line-separator",
        "a: x\u2028y\n",
        "a.yaml:1: holds the character U+2028, which no editor shows; delete it",
    ),
    (
        "direction",
        "a: x # \u202e\n",
        "a.yaml:1: holds the character U+202E, which no editor shows; delete it",
    ),
    (
        "escaped-control",
        'a: "\\0"\n',
        "a.yaml:1: a: holds the character U+0000, which no editor shows; delete it",
    ),
    (
        "escaped-in-key",
        '"\\a": 1\n',
        "a.yaml:1: holds the character U+0007, which no editor shows; delete it",
    ),
    (
        "duplicate",
        "a: 1\nb:\n  c: 1\n  c: 2\n",
        "a.yaml:4: b.c: is set on line 3 and again on line 4; keep one of the two",
    ),
    (
        "number-as-key",
        "a:\n  1.27: x\n",
        'a.yaml:2: a: has the key 1.27, which YAML reads as the number 1.27; write it in quotes: "1.27"',
    ),
    (
        "word-as-key",
        "on: x\n",
        'a.yaml:1: has the key on, which YAML reads as true; write it in quotes: "on"',
    ),
    (
        "no-key",
        "~: x\n",
        "a.yaml:1: has no key before the colon; write one, in quotes if it is a word such as null",
    ),
    (
        "list-as-key",
        "? [a]\n: x\n",
        "a.yaml:1: has a list or a mapping as a key; write text before the colon",
    ),
    (
        "anchor",
        "a: &x 1\n",
        "a.yaml:1: a: sets the anchor '&x'; take it away; share values through `extends:`",
    ),
    (
        "alias",
        "a: *x\n",
        "a.yaml:1: a: uses the alias '*x'; write the value out, or share values through `extends:`",
    ),
    (
        "alias-as-key",
        "*x : 1\n",
        "a.yaml:1: uses the alias '*x'; write the value out, or share values through `extends:`",
    ),
    (
        "merge",
        "a:\n  <<: {b: 1}\n",
        "a.yaml:2: a: merges with <<; take it away; share values through `extends:`",
    ),
    (
        "custom-tag",
        "a: !vault x\n",
        "a.yaml:1: a: has the tag '!vault'; write the plain value, in quotes if it is text",
    ),
    (
        "core-tag",
        "a: !!str 1\n",
        "a.yaml:1: a: has the tag '!!str'; write the plain value, in quotes if it is text",
    ),
    (
        "python-tag",
        "a: !!python/none x\n",
        "a.yaml:1: a: has the tag '!!python/none'; write the plain value, in quotes if it is text",
    ),
    (
        "infinity",
        "a: .inf\n",
        "a.yaml:1: a: is .inf, which JSON does not know; write a finite number, or put it in quotes",
    ),
    (
        "variable",
        "a: ${HOME}/x\n",
        "a.yaml:1: a: holds the variable '${HOME}'; nothing is expanded; write the value",
    ),
    (
        "bare-variable",
        "a: [x-$NAME]\n",
        "a.yaml:1: a[0]: holds the variable '$NAME'; nothing is expanded; write the value",
    ),
    (
        "open-variable",
        "a: ${X\n",
        "a.yaml:1: a: holds the variable '${X'; nothing is expanded; write the value",
    ),
    (
        "colon",
        "a: b: c\n",
        "a.yaml:1: has a `: ` where no value can begin; put text that holds `: ` in quotes, or mend the indentation",
    ),
    (
        "indentation",
        "a:\n  b: 1\n c: 2\n",
        "a.yaml:3: expected `key: value` here; check the indentation and the quotes",
    ),
    ("no-colon", "a: 1\nfoo\n", "a.yaml:2: expected `key: value` here; check the indentation and the quotes"),
    (
        "no-dash",
        "- a\nb: 1\n",
        "a.yaml:2: expected a list item here; begin it with `- `, indented as its list",
    ),
    ("inline-list", "a: - b\n", "a.yaml:1: a list cannot begin here; begin it on a line of its own"),
    (
        "open-bracket",
        "a: [1,\nb: 2\n",
        "a.yaml:2: the bracket opened on line 1 is not closed before this; expected a comma or ]",
    ),
    (
        "open-brace",
        "a: {b: 1\nc: 2\n",
        "a.yaml:2: the bracket opened on line 1 is not closed before this; expected a comma or }",
    ),
    ("stray-bracket", "a: ]\n", "a.yaml:1: a value is missing here; check the commas and brackets"),
    ("open-quote", "a: 'x\nb: 1\n", "a.yaml:1: a quote is opened here and never closed; close it"),
    ("at", "a: @x\n", "a.yaml:1: a value cannot begin with @; put it in quotes"),
    ("star", "a: * x\n", "a.yaml:1: a value cannot begin with `*` or `&`; put it in quotes"),
    (
        "backslash",
        'a: "\\q"\n',
        "a.yaml:1: has a backslash that escapes nothing; write it twice, or use single quotes",
    ),
    ("trailing", "{a: 1} x\n", "a.yaml:1: the file should end here; check the indentation and the brackets"),
    (
        "directive",
        "%YAML 3.0\n---\na: 1\n",
        "a.yaml:1: is not valid YAML: found incompatible YAML document; check the indentation and the quotes",
    ),
    (
        "too-large",
        b"a: " + b"x" * 1024 * 1024,
        "a.yaml: is larger than 1 MiB; split it, and list what is shared under `extends:`",
    ),
    (
        "too-many",
        "a:\n" + "- x\n" * 50_000,
        "a.yaml:49999: a[49997]: holds more than 50000 values; split it; share values through `extends:`",
    ),
]


class TestRefusals:
    """Texts that are refused."""

    @pytest.mark.parametrize(
        ("content", "told"), [case[1:] for case in _REFUSED], ids=[case[0] for case in _REFUSED]
    )
    def test_says_what_is_wrong_and_what_to_write(self, read: Read, content: str | bytes, told: str) -> None:
        """Every kind of file that is refused gets its own words, and the line."""
        with pytest.raises(InputError) as caught:
            read(content)
        assert str(caught.value) == told

    def test_deep_nesting_is_refused_and_near_it_is_not(self, read: Read) -> None:
        """Forty levels are read; one more is refused, however deep it goes on."""
        assert read("a: " + "[" * 39 + "]" * 39 + "\n").data
        with pytest.raises(
            InputError,
            match=r"a\.yaml:1: a(\[0\]){39}: is nested more than 40 levels deep; write it flatter$",
        ):
            read("a: " + "[" * 100_000)

    def test_everything_wrong_is_told_at_once(self, read: Read) -> None:
        """One reading names every problem, in order of lines."""
        with pytest.raises(InputError) as caught:
            read("a: &x 1\na: 2\nb: *x\n1: ${X}\nc: !t {d: $Y, d: 1}\n")
        assert [str(problem) for problem in caught.value.problems] == [
            "a.yaml:1: a: sets the anchor '&x'; take it away; share values through `extends:`",
            "a.yaml:2: a: is set on line 1 and again on line 2; keep one of the two",
            "a.yaml:3: b: uses the alias '*x'; write the value out, or share values through `extends:`",
            'a.yaml:4: has the key 1, which YAML reads as the number 1; write it in quotes: "1"',
            "a.yaml:4: holds the variable '${X}'; nothing is expanded; write the value",
            "a.yaml:5: c: has the tag '!t'; write the plain value, in quotes if it is text",
            "a.yaml:5: c.d: holds the variable '$Y'; nothing is expanded; write the value",
            "a.yaml:5: c.d: is set on line 5 and again on line 5; keep one of the two",
        ]

    def test_reading_goes_on_after_a_refused_key(self, read: Read) -> None:
        """The value under a key that is refused is dropped, and what follows is read as it stands."""
        with pytest.raises(InputError) as caught:
            read("? [a]\n: 1\n2: {d: $X}\n*y : 3\nb: $Y\n")
        assert [(problem.line, problem.field) for problem in caught.value.problems] == [
            (1, ""),
            (3, ""),
            (3, "d"),
            (4, ""),
            (5, "b"),
        ]

    def test_broken_syntax_comes_after_what_was_found_before_it(self, read: Read) -> None:
        """Problems above the place where the syntax breaks are not lost."""
        with pytest.raises(InputError) as caught:
            read("a: &x 1\nb: [\n")
        assert [problem.line for problem in caught.value.problems] == [1, 2]

    def test_a_hopeless_file_is_given_up(self, read: Read) -> None:
        """After a hundred problems the reading ends, and says so."""
        with pytest.raises(InputError) as caught:
            read("a: *x\nb: *x\n" * 1000)
        assert len(caught.value.problems) == 101
        assert "has more than the 100 problems listed here; mend these first" in str(caught.value)

    def test_billion_laughs_are_not_expanded(self, read: Read) -> None:
        """Aliases are refused where they stand, so nothing multiplies."""
        levels = [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]" for i in range(1, 9)]
        with pytest.raises(InputError, match=r"uses the alias '\*l1'"):
            read("\n".join(["l0: &l0 lol", *levels]))

    @pytest.mark.parametrize("key", ["args", "extraArgs", "env", "manifests", "patches"])
    def test_variables_for_the_container_are_left_alone(self, read: Read, key: str) -> None:
        """What Kubernetes or a shell in the container expands may stand where it is passed on."""
        source = read(f"{key}:\n  - x: $(POD_IP) ${{HOME}} $NAME\n")
        assert source.data == {key: [{"x": "$(POD_IP) ${HOME} $NAME"}]}

    def test_tabs_inside_text_are_fine(self, read: Read) -> None:
        """A tab that is part of a value or stands before a comment is no indentation."""
        source = read("a: |\n  x\n  \ty\nb: 'y\tz'\t# note\n")
        assert source.data == {"a": "x\n\ty\n", "b": "y\tz"}


class TestFiles:
    """Files that cannot be read at all."""

    def test_missing_file_is_named_with_its_neighbour(self, tmp_path: Path) -> None:
        """A file that is not there comes with the one that was probably meant."""
        (tmp_path / "staging.yaml").write_text("a: 1\n")
        assert (
            refused(tmp_path / "stagin.yaml", tmp_path)
            == "stagin.yaml: is not there; did you mean staging.yaml?"
        )
        assert refused(tmp_path / "x.yaml", tmp_path) == "x.yaml: is not there; check its name"
        assert refused(tmp_path / "no" / "x.yaml", tmp_path) == "no/x.yaml: is not there; check its name"
        assert (
            refused(tmp_path / "staging.yaml" / "x", tmp_path)
            == "staging.yaml/x: is not there; check its name"
        )

    def test_folder_is_no_file(self, tmp_path: Path) -> None:
        """A folder named like a file is refused."""
        (tmp_path / "a.yaml").mkdir()
        assert refused(tmp_path / "a.yaml", tmp_path) == "a.yaml: is a folder; name a YAML file"

    def test_pipe_is_not_waited_for(self, tmp_path: Path) -> None:
        """A named pipe, which would block for ever, is refused."""
        os.mkfifo(tmp_path / "a.yaml")
        assert (
            refused(tmp_path / "a.yaml", tmp_path) == "a.yaml: is not a regular file; put a YAML file there"
        )

    def test_symlink_is_refused(self, tmp_path: Path) -> None:
        """What a symlink points at may change without a commit, so the file itself has to be there."""
        folder = tmp_path / "environments"
        folder.mkdir()
        (tmp_path / "real.yaml").write_text("a: 1\n")
        (folder / "a.yaml").symlink_to(tmp_path / "real.yaml")
        (folder / "gone.yaml").symlink_to(tmp_path / "gone.yaml")
        told = "is a symlink; put the file itself there"
        assert refused(folder / "a.yaml", tmp_path) == f"environments/a.yaml: {told}"
        assert refused(folder / "gone.yaml", tmp_path) == f"environments/gone.yaml: {told}"

    def test_symlinked_folder_is_refused(self, tmp_path: Path) -> None:
        """A folder on the way to the file is no symlink either."""
        (tmp_path / "real").mkdir()
        (tmp_path / "real" / "a.yaml").write_text("a: 1\n")
        (tmp_path / "environments").symlink_to(tmp_path / "real")
        told = "environments/a.yaml: lies in the symlinked folder environments; put the folder itself there"
        assert refused(tmp_path / "environments" / "a.yaml", tmp_path) == told

    def test_file_outside_the_repository_is_refused(self, tmp_path: Path) -> None:
        """Only what is committed counts."""
        (tmp_path / "repo").mkdir()
        (tmp_path / "a.yaml").write_text("a: 1\n")
        told = "../a.yaml: lies outside the repository; put it inside"
        assert refused(tmp_path / "a.yaml", tmp_path / "repo") == told

    def test_unreadable_file_gives_the_reason(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The operating system's reason is passed on, without a traceback."""
        path = tmp_path / "a.yaml"
        path.write_text("a: 1\n")

        def _denied(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", _denied)
        assert (
            refused(path, tmp_path)
            == "a.yaml: cannot be read: Permission denied; check its name and permissions"
        )

    @pytest.mark.parametrize("name", ["a\0.yaml", "x" * 300])
    def test_impossible_name_is_refused(self, tmp_path: Path, name: str) -> None:
        """A name that no file can have is a problem like any other."""
        assert "cannot be read: " in refused(tmp_path / name, tmp_path)

    def test_odd_bytes_in_a_name_can_be_printed(self, tmp_path: Path) -> None:
        """A name that is not UTF-8 does not break the message."""
        assert (
            refused(tmp_path / os.fsdecode(b"\xff.yaml"), tmp_path)
            == "\\xff.yaml: is not there; check its name"
        )

    def test_file_in_a_folder_is_named_from_the_root(self, tmp_path: Path) -> None:
        """Files are named as they stand in the repository."""
        (tmp_path / "environments").mkdir()
        path = tmp_path / "environments" / "a.yaml"
        path.write_text("a: 1\n")
        assert read_source(path, tmp_path).position(("a",)) == Position("environments/a.yaml", 1, 1)
