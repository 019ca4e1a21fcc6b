"""What `yaml_text` writes is read back as exactly what went in, and reads well."""

import json
import re
from collections.abc import Mapping
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from llmd_constructs.emit.yaml_text import yaml_text

SPELLINGS = (
    "y Y yes Yes YES on On ON True TRUE n N no No NO off Off OFF False FALSE << .inf .Inf .INF .nan .NaN .NAN"
)
WORDS = {
    **dict.fromkeys(["~", "null", "Null", "NULL", ""], "tag:yaml.org,2002:null"),
    **dict.fromkeys(["true", "false"], "tag:yaml.org,2002:bool"),
    **dict.fromkeys(SPELLINGS.split(), "other"),
}
TEXT_TAG = "tag:yaml.org,2002:str"
INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
OTHER = re.compile(
    r"[-+]?0[xX][0-9a-fA-F]+|[-+]?0[oO]?[-+]?[0-7]+|[-+]?0[bB][-+]?[01]+"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?"
)


class GoLoader(yaml.CSafeLoader):
    """Reads plain scalars by the rules of go-yaml, which drops every `_` from what begins like a number."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        """The tag that go-yaml gives to a node without one."""
        if kind is not yaml.ScalarNode:
            return "tag:yaml.org,2002:map" if kind is yaml.MappingNode else "tag:yaml.org,2002:seq"
        if not implicit[0]:
            return TEXT_TAG
        if value in WORDS:
            return WORDS[value]
        number = value.replace("_", "") if value[0] in "0123456789+-" else value
        if INT.fullmatch(number):
            return "tag:yaml.org,2002:int"
        if OTHER.fullmatch(number):
            return "other"
        return "tag:yaml.org,2002:float" if FLOAT.fullmatch(number) else TEXT_TAG


GoLoader.add_constructor("other", lambda _, node: ("not text", node.value))

SHORT = r"""
true false tRue null nUll ~ -.inf +.inf -.Inf inf NaN Infinity none nil 0 -0 +1 0755 -0755 08 0o755 0O7 -0o7 0o-7 0o+7
0x1F 0X1f -0x1F 0_x1 0x_1 0x 0b1 0B1 0b-1 -0b1 0_b1 0b 1e3 1E3 1e+3 1e-3 +1e3 1.e3 .5 -.5 +.5 5. .5e3 ._5 1_000 1__0
_1 -_1 1_e3 0e0 9e999 12e345678 1,000 1:30 -1:30 190:20:30.15 2024-01-01 2024-1-1 2001-12-14t21:59:43.10-05:00 1.27
1.2.3 10.0.0.1 10.0.0.0/8 2x2 4Gi 500m 25% 9223372036854775808 18446744073709551616
= < << - -- --- ---a --a . .. ... ? ?a : :: :a a: a:b , [ ] { } {} [] {a [a # a# & &a * *a ! !a !! | |- > >- + +a
' '' 'a " "" "a % %a %YAML @ @a ` \ \u2028 $(A) ${A} (a) / ;a ^a _ __ a,b a;b a=b a@b http://x/y#z sha256:01ab
"""
ADVERSARIAL = [
    *SHORT.split(),
    *SPELLINGS.split(),
    *["", " ", "\t", "\n", "\r", "\r\n", " a", "a ", "\ta", "a\t", "a\tb", "a: b", "a:", "a :b", "a #b", "- a", "? a"],
    *["a\n", "a\nb", "a\nb\n", "a\n\nb\n", "a\n\n", "\na", " a\nb", "a \nb", "a\n \nb", "a\n b\n", "a\n\tb", "\ta\nb"],
    *["a\r\nb", "a\n---\nb", "---\na", "a\n...\nb", "#a\nb", "- a\n- b\n", "a: b\nc: d\n", "yes\n", "0755\n", "~\n"],
    *["\x00", "\x1b[31m", "\x7f", "a\x85b", "\x9f", "\xa0", "\u2028", "a\u2029b", "a\nb\u2028c", "\ufeff", "a\nb\ufeff"],
    *["\ufffe", "\uffff", "\ue000", "naïve", "模型", "😀", "a\n😀\n", "\U0010ffff", "\u3000a\nb", "١٢", "it's", "a'b\"c"],
    *['{"a": 1}', "a\\b", "{{ .Values.x }}", "x" * 2000, "x " * 500 + "x", ("w " * 99 + "w\n") * 3, "!!binary aGk="],
]  # fmt: skip
NASTY = st.text(
    "0123456789+-._:eExXoObByYnN~<=#?!|&*%@`'\"\\{}[], \t\n\r\x85\u2028\ufeffé😀\x7f\x00", max_size=12
)
TEXT = st.one_of(st.sampled_from(ADVERSARIAL), NASTY, st.text(st.characters(exclude_categories=["Cs"])))
NUMBER = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: str(number) != "-0.0"),
)
VALUE = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBER, TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)),
    max_leaves=12,
)


def comes_back(manifest: Mapping[str, Any]) -> bool:
    """Whether both families of readers give back the same values of the same types."""
    text = yaml_text(manifest)
    wanted = json.dumps(manifest, sort_keys=True)
    return all(
        json.dumps(yaml.load(text, loader), sort_keys=True) == wanted  # noqa: S506 (safe loaders)
        for loader in (yaml.CSafeLoader, GoLoader)
    )


def test_any_string_survives_in_every_place() -> None:
    """A string comes back the same as a value, a list item, a nested list item and a key."""
    changed = [
        text
        for text in ADVERSARIAL
        if not comes_back(
            {"v": text, "l": [text, [text, {"k": text}]], "m": {text: text, "l": [{text: [text]}]}}
        )
    ]
    assert changed == []


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(TEXT, VALUE, max_size=5))
def test_any_json_survives(manifest: dict[str, Any]) -> None:
    """Every mapping that JSON can hold comes back the same, with the same types."""
    assert comes_back(manifest)


def test_pure_python_readers_agree() -> None:
    """PyYAML's own parser, which shares no code with the emitter, reads the same strings."""
    manifest = {text: text for text in ADVERSARIAL}
    assert yaml.safe_load(yaml_text(manifest)) == manifest


@pytest.mark.parametrize("reader", [yaml.CSafeLoader, GoLoader])
def test_the_readers_of_these_tests_do_tell_texts_from_others(reader: Any) -> None:
    """A plain `0o755`, `yes`, `1_000` or date would be noticed by one of the readers."""
    hazards = ["yes", "1_000", "2024-01-01", "0x1F", "null", "0755"] + ["0o755", "0b-1", "n"] * (
        reader is GoLoader
    )
    values = yaml.load(f"[{', '.join(hazards)}]", reader)  # noqa: S506 (a safe loader)
    assert [value for value in values if isinstance(value, str)] == []


def test_a_manifest_reads_as_written_by_hand() -> None:
    """Plain where it is safe, quoted where it is not, lists as kubectl prints them, text of lines as a block."""
    manifest = {
        "metadata": {"name": "qwen", "labels": {"app.kubernetes.io/name": "vllm"}},
        "kind": "Deployment",
        "apiVersion": "apps/v1",
        "data": {"config.yaml": "plugins:\n- type: queue-scorer\n", "last": "a\nb", "12": "on"},
        "spec": {
            "replicas": 2,
            "ratio": 0.5,
            "paused": False,
            "strategy": None,
            "nodeSelector": {"cloud.google.com/gke-tpu-topology": "2x2"},
            "emptyDir": {},
            "args": [
                "--model=Qwen/Qwen2.5-3B",
                "--port=8000",
                "$(POD_IP)",
                '--extra={"a": 1}',
                "1.27",
                "a: b",
                "it's",
            ],
            "ports": [{"name": "http", "containerPort": 8000}, {"name": "naïve"}],
            "matrix": [["a", "b"], []],
        },
    }
    assert (
        yaml_text(manifest)
        == r"""apiVersion: apps/v1
kind: Deployment
metadata:
  name: qwen
  labels:
    app.kubernetes.io/name: vllm
spec:
  replicas: 2
  ratio: 0.5
  paused: false
  strategy: null
  nodeSelector:
    cloud.google.com/gke-tpu-topology: 2x2
  emptyDir: {}
  args:
  - --model=Qwen/Qwen2.5-3B
  - --port=8000
  - $(POD_IP)
  - '--extra={"a": 1}'
  - "1.27"
  - "a: b"
  - "it's"
  ports:
  - name: http
    containerPort: 8000
  - name: "naïve"
  matrix:
  - - a
    - b
  - []
data:
  config.yaml: |
    plugins:
    - type: queue-scorer
  last: |-
    a
    b
  "12": "on"
"""
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a #b", '"a #b"'),
        ("it's", '"it\'s"'),
        ('{"a": "b"}', '\'{"a": "b"}\''),
        ("\\d+", "'\\d+'"),
        ('it\'s "a"', '"it\'s \\"a\\""'),
        (" a\nb", '" a\\nb"'),
        ("\na", '"\\na"'),
        ("a\n\n", '"a\\n\\n"'),
        ("a\nb ", '"a\\nb "'),
        ("a \nb", '"a \\nb"'),
        ("a\tb", '"a\\tb"'),
    ],
)
def test_quotes_are_chosen_for_reading(text: str, line: str) -> None:
    """Double quotes, single ones around JSON, and no block that an editor or an indentation sign could spoil."""
    assert yaml_text({"a": text}) == f"a: {line}\n"


def test_a_key_is_never_a_block() -> None:
    """A key of several lines stands in quotes."""
    assert yaml_text({"a\nb": 1}) == '? "a\\nb"\n: 1\n'


def test_equal_objects_are_written_out_twice() -> None:
    """The same dict in two places is no anchor and no alias."""
    labels = {"app": "vllm"}
    assert yaml_text({"a": labels, "b": labels}) == "a:\n  app: vllm\nb:\n  app: vllm\n"


def test_long_lines_are_not_folded() -> None:
    """A long text stays on the line of its key, whatever its quotes."""
    for text in ("word " * 99 + "end", "it's: " * 99, '"word" ' * 99):
        assert yaml_text({"a": text}).count("\n") == 1


def test_special_characters_are_escaped() -> None:
    """Line separators, controls and the byte order mark never stand raw in a file."""
    text = yaml_text({"a": "\u2028\u2029\x85\x7f\ufeff\t\x00", "b": "x\ny\u2028"})
    assert text == 'a: "\\L\\P\\N\\x7F\\uFEFF\\t\\0"\nb: "x\\ny\\L"\n'


def test_plain_values_of_other_types() -> None:
    """Enumerations, tuples and read-only mappings are written as the values they hold."""

    class Wave(IntEnum):
        MODELS = 5

    class Provider(StrEnum):
        ISTIO = "istio"

    manifest: dict[str, Any] = {
        "wave": Wave.MODELS,
        "list": (Provider.ISTIO,),
        "map": MappingProxyType({Provider.ISTIO: 1}),
    }
    assert yaml_text(manifest) == "wave: 5\nlist:\n- istio\nmap:\n  istio: 1\n"


@pytest.mark.parametrize(
    ("number", "text"), [(1e16, "1.0e+16"), (1e-7, "1.0e-07"), (1.0, "1.0"), (0.1, "0.1")]
)
def test_floats_carry_a_point(number: float, text: str) -> None:
    """YAML 1.1 reads a number without a point and with an exponent as text."""
    assert yaml_text({"a": number}) == f"a: {text}\n"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "spec.a[1].b: nan is not a number that JSON can carry"),
        (float("inf"), "spec.a[1].b: inf is not a number that JSON can carry"),
        (float("-inf"), "spec.a[1].b: -inf is not a number that JSON can carry"),
        (-0.0, "spec.a[1].b: -0.0 is not a number that JSON can carry"),
        (2**63, "spec.a[1].b: 9223372036854775808 does not fit into 64 bits; write it as text"),
        (-(2**63) - 1, "spec.a[1].b: -9223372036854775809 does not fit into 64 bits; write it as text"),
        ({1: "x"}, "spec.a[1].b: the key 1 is not text; write it in quotes"),
        ({None: "x"}, "spec.a[1].b: the key None is not text; write it in quotes"),
        ({1, 2}, "spec.a[1].b: set is not a value that YAML can carry"),
        (b"x", "spec.a[1].b: bytes is not a value that YAML can carry"),
        ("\ud800", "spec.a[1].b: '\\ud800' is not valid Unicode"),
        ({"\ud800": 1}, "spec.a[1].b: '\\ud800' is not valid Unicode"),
    ],
)
def test_what_json_cannot_carry_is_refused_with_its_path(value: Any, message: str) -> None:
    """A value that a reader would change, or that has no YAML form, is an error that names its place."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        yaml_text({"spec": {"a": ["x", {"b": value}]}})


def test_a_manifest_that_contains_itself_is_refused() -> None:
    """Endless nesting is an error rather than a crash."""
    manifest: dict[str, Any] = {}
    manifest["spec"] = manifest
    with pytest.raises(ValueError, match="contains itself"):
        yaml_text(manifest)


@pytest.mark.parametrize("header", ["# one\n# two", "# one\n# two\n"])
def test_a_header_stands_in_front(header: str) -> None:
    """Comment lines come first, on lines of their own."""
    assert yaml_text({"a": 1}, header=header) == "# one\n# two\na: 1\n"


@pytest.mark.parametrize("header", ["a: 1", "# one\nb: 2", "# one\rb: 2", "# one\u2028b: 2", "\n", " # one"])
def test_a_header_is_a_comment(header: str) -> None:
    """Nothing but comments can slip into a file by way of the header."""
    with pytest.raises(ValueError, match="every line must be a comment"):
        yaml_text({"a": 1}, header=header)
