"""One Kubernetes object as YAML that every reader in Kubernetes reads back as exactly what went in.

kubectl, the API server and Argo CD read YAML with go-yaml (by way of sigs.k8s.io/yaml), which mixes YAML 1.1
and 1.2; other tools follow one of the two. So text stands plain only where all of them agree that it is text,
and is quoted everywhere else. That is decided here, before libyaml writes the lines.
"""

import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

import yaml

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
"""A value as JSON knows it."""

_Path: TypeAlias = "tuple[_Path, str | int] | None"
"""The way to a value, from its end; written out only where something is wrong."""

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

_MAPPING = yaml.MappingStartEvent(None, None, implicit=True, flow_style=False)
_MAPPING_END = yaml.MappingEndEvent()
_SEQUENCE = yaml.SequenceStartEvent(None, None, implicit=True, flow_style=False)
_SEQUENCE_END = yaml.SequenceEndEvent()
_BEGIN = (yaml.StreamStartEvent(), yaml.DocumentStartEvent(explicit=False))
_END = (yaml.DocumentEndEvent(explicit=False), yaml.StreamEndEvent())
_UNTAGGED = (True, True)
"""Neither plain nor quoted text gets a tag: each scalar carries its final style, so there is nothing to resolve."""


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
    events: list[yaml.Event] = [*_BEGIN]
    try:
        _add({**first, **manifest}, None, events.append)
    except RecursionError:
        raise ValueError("the manifest is nested too deeply, or contains itself") from None
    events += _END
    text = io.StringIO(newline="")
    # PyYAML's stubs leave the events untyped.
    yaml.emit(  # pyright: ignore[reportUnknownMemberType]
        events, text, Dumper=yaml.CSafeDumper, indent=2, width=-1, allow_unicode=True
    )
    body = text.getvalue()
    return f"{header}\n{body}" if header and not header.endswith("\n") else header + body


def _add(value: Json, path: _Path, add: Callable[[yaml.Event], None]) -> None:
    """Add the events of a value."""
    match value:
        case str():
            add(_scalar(value, path))
        case dict() | Mapping():  # dict first: the check of an abstract class is slow
            add(_MAPPING)
            for key, item in value.items():
                add(_key(key, path))
                _add(item, (path, key), add)
            add(_MAPPING_END)
        case list() | tuple():
            add(_SEQUENCE)
            for index, item in enumerate(value):
                _add(item, (path, index), add)
            add(_SEQUENCE_END)
        case _:
            add(yaml.ScalarEvent(None, None, _UNTAGGED, _literal(value, path)))


def _written(path: _Path) -> str:
    """A path as people write it: `spec.ports[0]`."""
    if path is None:
        return ""
    above, step = _written(path[0]), path[1]
    return f"{above}[{step}]" if isinstance(step, int) else f"{above}.{step}" if above else step


def _key(key: object, path: _Path) -> yaml.ScalarEvent:
    if not isinstance(key, str):
        raise ValueError(  # noqa: TRY004 (a wrong value of a manifest, not of a call)
            f"{_written(path) or 'manifest'}: the key {key!r} is not text; write it in quotes"
        )
    return _scalar(key, path, key=True)


def _scalar(text: str, path: _Path, *, key: bool = False) -> yaml.ScalarEvent:
    try:
        return _text_event(text, key)
    except UnicodeEncodeError:
        raise ValueError(f"{_written(path)}: {text!r} is not valid Unicode") from None


@lru_cache(maxsize=8192)  # keys and labels come again and again
def _text_event(text: str, key: bool) -> yaml.ScalarEvent:
    text = str.__str__(text)
    style = _style(text)
    if style == '"' and not text.isprintable():
        text.encode()
    return yaml.ScalarEvent(None, None, _UNTAGGED, text, style='"' if key and style == "|" else style)


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


def _literal(value: object, path: _Path) -> str:
    """A number, a bool or null as all readers know it."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            if not -(2**63) <= value < 2**63:
                raise ValueError(f"{_written(path)}: {value} does not fit into 64 bits; write it as text")
            return int.__repr__(value)
        case float():
            return _float(value, path)
        case _:
            raise ValueError(
                f"{_written(path) or 'manifest'}: {type(value).__name__} is not a value that YAML can carry"
            )


def _float(value: float, path: _Path) -> str:
    if not math.isfinite(value) or (value == 0 and math.copysign(1, value) < 0):
        raise ValueError(f"{_written(path)}: {value!r} is not a number that JSON can carry")
    text = float.__repr__(value)
    # YAML 1.1 reads 1e+16 as text; with a point it is a number everywhere.
    return text if "." in text else text.replace("e", ".0e")
