"""One Kubernetes object as YAML that every reader in Kubernetes reads back as exactly what went in.

kubectl, the API server and Argo CD read YAML with go-yaml (by way of sigs.k8s.io/yaml), which mixes YAML 1.1
and 1.2; other tools follow one of the two. So text stands plain only where all of them agree that it is text,
and is quoted everywhere else. That is decided here, before libyaml writes the lines.
"""

import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

import yaml

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
"""A value as JSON knows it."""

_FIRST = ("apiVersion", "kind", "metadata", "spec")

_PLAIN = re.compile(
    r"""
    # Words that YAML 1.1, YAML 1.2 or go-yaml reads as bool, null or float.
    (?! (?i: y | yes | n | no | on | off | true | false | null | \.inf | \.nan ) \Z )
    # Numbers in any base, with go-yaml's `1_000` and `0b-1`; versions, times and addresses look alike.
    (?! [0-9] [-+0-9_.,:]* (?: [eE] [-+0-9_.]* )? \Z )
    (?! 0 _* [xXoObB] [-+0-9a-fA-F_]* \Z )
    # Timestamps.
    (?! [0-9]{4}-[0-9] )
    (?: [A-Za-z0-9/_$(] | -{1,2}[A-Za-z] | \.[A-Za-z/] )
    (?: (?: [A-Za-z0-9_./=+@%(),;$ -] | :(?=[A-Za-z0-9/]) )* [A-Za-z0-9_./=+@%(),;$-] )?
    """,
    re.VERBOSE,
)
_UNSAFE = re.compile("[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]")
"""What must be escaped: controls, other line breaks, the byte order mark, what libyaml cannot show."""
_HEADER = re.compile("(?:#[^\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]*(?:\n|\\Z))*")

_TEXT = "tag:yaml.org,2002:str"


class _Dumper(yaml.CSafeDumper):
    """libyaml's emitter without tags: nodes carry their final style, so there is nothing to resolve."""

    def resolve(self, kind: object, value: object, implicit: object) -> str:  # noqa: ARG002 (PyYAML's signature)
        """Give every node the one tag that all nodes have, so that none is written."""
        return _TEXT


def yaml_text(manifest: Mapping[str, Json], *, header: str = "") -> str:
    """Write one Kubernetes object as YAML.

    Keys keep their order, after `apiVersion`, `kind`, `metadata` and `spec`. Lists stand as kubectl prints them.
    Lines are never folded; text of several lines stands as a block where that loses nothing.

    Args:
        manifest: The object.
        header: Comment lines to put in front.

    Returns:
        The text, with a newline at the end.

    Raises:
        ValueError: The manifest holds what YAML for Kubernetes cannot carry (NaN, an integer beyond 64 bits,
            a key that is not text, ...), with the path to it; or `header` is not a comment.
    """
    if not _HEADER.fullmatch(header):
        raise ValueError("header: every line must be a comment that begins with '#'")
    first = {key: manifest[key] for key in _FIRST if key in manifest}
    try:
        node = _node({**first, **manifest}, "")
    except RecursionError:
        raise ValueError("the manifest is nested too deeply, or contains itself") from None
    # PyYAML's stubs leave the node untyped.
    body = yaml.serialize(  # pyright: ignore[reportUnknownMemberType]
        node, Dumper=_Dumper, indent=2, width=-1, allow_unicode=True
    )
    return f"{header}\n{body}" if header and not header.endswith("\n") else header + body


def _node(value: Json, path: str) -> yaml.Node:
    """The YAML node of a value, in its final style."""
    match value:
        case str():
            return _scalar(str.__str__(value), _style(value), path)
        case dict() | Mapping():  # dict first: the check of an abstract class is slow
            pairs = [
                (_key(key, path), _node(item, f"{path}.{key}" if path else key))
                for key, item in value.items()
            ]
            return yaml.MappingNode(_TEXT, pairs, flow_style=False)
        case list() | tuple():
            items = [_node(item, f"{path}[{index}]") for index, item in enumerate(value)]
            return yaml.SequenceNode(_TEXT, items, flow_style=False)
        case _:
            return yaml.ScalarNode(_TEXT, _literal(value, path))


def _key(key: object, path: str) -> yaml.ScalarNode:
    if not isinstance(key, str):
        raise ValueError(  # noqa: TRY004 (a wrong value of a manifest, not of a call)
            f"{path or 'manifest'}: the key {key!r} is not text; write it in quotes"
        )
    style = _style(key)
    return _scalar(str.__str__(key), '"' if style == "|" else style, path)


def _scalar(text: str, style: str | None, path: str) -> yaml.ScalarNode:
    if style == '"' and not text.isprintable():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{path}: {text!r} is not valid Unicode") from None
    return yaml.ScalarNode(_TEXT, text, style=style)


@lru_cache(maxsize=8192)  # keys and labels come again and again
def _style(text: str) -> str | None:
    """`None` for plain, or the quote or block sign that carries the text unharmed."""
    if _PLAIN.fullmatch(text):
        return None
    if _UNSAFE.search(text):
        return '"'
    if "\n" in text:
        return "|" if _is_block(text) else '"'
    # JSON reads best unescaped.
    return "'" if ('"' in text or "\\" in text) and "'" not in text else '"'


def _is_block(text: str) -> bool:
    """Whether a block shows the text without an indentation sign, or spaces and newlines that editors strip."""
    return text[0] not in " \n" and not text.endswith((" ", "\n\n")) and " \n" not in text


def _literal(value: object, path: str) -> str:
    """A number, a bool or null as all readers know it."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            if not -(2**63) <= value < 2**63:
                raise ValueError(f"{path}: {value} does not fit into 64 bits; write it as text")
            return int.__repr__(value)
        case float():
            return _float(value, path)
        case _:
            raise ValueError(
                f"{path or 'manifest'}: {type(value).__name__} is not a value that YAML can carry"
            )


def _float(value: float, path: str) -> str:
    if not math.isfinite(value) or (value == 0 and math.copysign(1, value) < 0):
        raise ValueError(f"{path}: {value!r} is not a number that JSON can carry")
    text = float.__repr__(value)
    # YAML 1.1 reads 1e+16 as text; with a point it is a number everywhere.
    return text if "." in text else text.replace("e", ".0e")
