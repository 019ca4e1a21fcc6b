"""Pydantic's errors in the words of the house: what is wrong, and what to write instead."""

import re
from collections.abc import Callable, Sequence
from ipaddress import ip_network
from typing import Any, Final, cast

from pydantic_core import ErrorDetails

from llmd_constructs.config._places import Meaning, Place, choices, field_at, fields, tags
from llmd_constructs.config._scalars import plain
from llmd_constructs.config.errors import closest, described, shown

Words = tuple[str, str]
"""What is wrong; what to write instead."""

_TEXT: Final = "text"
_MAPPING: Final = "a mapping"
_LIST: Final = "a list"
_EXPECTED: Final = {
    "string_type": _TEXT,
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a smaller number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "dict_type": _MAPPING,
    "mapping_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
}
_BOUNDS: Final = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
    "multiple_of": ("a multiple of", "multiple_of"),
}


def expected(error: ErrorDetails, place: Place) -> str:
    """What kind of value the place takes, if the error is about the kind; else empty."""
    if error["type"] in ("literal_error", "enum"):
        allowed = _allowed(error, place)
        return shown(allowed[0]) if len(allowed) == 1 else f"one of {', '.join(allowed)}"
    return _EXPECTED.get(error["type"], "")


def of_kind(kinds: Sequence[str], value: object, literal: str | None, place: Place) -> Words:
    """A value of another kind than those the place takes."""
    if _TEXT in kinds and literal:
        return f"is {described(value, literal)}", f'write it in quotes: "{literal}"'
    message = f"must be {' or '.join(dict.fromkeys(kinds))}, is {described(value, literal)}"
    if value is None:
        return message, ""
    if _MAPPING in kinds and (names := fields(place.annotation)):
        return message, f"write its fields below it: {', '.join(names)}"
    if _LIST in kinds:
        return message, "begin each entry with `- `"
    quoted = isinstance(value, str) and not isinstance(plain(value), str | None)
    return message, "take away the quotes" if quoted else ""


def unknown(key: str, place: Place) -> Words:
    """A key that the model at `place` does not have."""
    names = list(fields(place.annotation))
    allowed = f"allowed here: {', '.join(names)}" if names else "take it away"
    near = closest(key, names)
    return "unknown field", f"did you mean {near}?" if near else allowed


def missing(key: str, place: Place) -> Words:
    """A key that the model at `place` needs."""
    field = field_at(place, key)
    allowed = choices(field.annotation)
    if allowed:
        return "is required", f"write one of {', '.join(str(choice) for choice in allowed)}"
    meaning = _meaning(field)
    return "is required", f"add it: {meaning}" if meaning else ""


def wrong_tag(place: Place, value: object, literal: str | None) -> Words:
    """A discriminator that is missing, or names no branch of the union at `place`."""
    allowed = tags(place)
    if value is None:
        return "is required", f"write one of {', '.join(allowed)}"
    return _not_one_of(value, literal, allowed)


def other(error: ErrorDetails, place: Place, literal: str | None) -> Words:
    """Any other error: values out of bounds, of the wrong form, or refused by a validator."""
    wording = _WORDINGS.get(error["type"], _fallback)
    return wording(error, place, literal)


def _kind(error: ErrorDetails, place: Place, literal: str | None) -> Words:
    return of_kind([expected(error, place)], error["input"], literal, place)


def _choice(error: ErrorDetails, place: Place, literal: str | None) -> Words:
    if error["input"] is None or isinstance(error["input"], dict | list):
        return _kind(error, place, literal)
    return _not_one_of(error["input"], literal, _allowed(error, place))


def _not_one_of(value: object, literal: str | None, allowed: list[str]) -> Words:
    typed = literal if literal is not None else str(value)
    if literal in allowed:
        return f"is {described(value, literal)}", f'write it in quotes: "{literal}"'
    near = closest(typed, allowed)
    # What YAML would not read as text has to stand in quotes.
    near = near if isinstance(plain(near), str | None) else f'"{near}"'
    return f"{shown(typed)} is not one of {', '.join(allowed)}", f"did you mean {near}?" if near else ""


def _bound(error: ErrorDetails, _place: Place, literal: str | None) -> Words:
    words, key = _BOUNDS[error["type"]]
    limit = error.get("ctx", {}).get(key, "")
    limit = int(limit) if isinstance(limit, float) and limit.is_integer() else limit
    return f"must be {words} {limit}, is {literal or shown(str(error['input']))}", ""


def _length(error: ErrorDetails, _place: Place, _literal: str | None) -> Words:
    context: dict[str, Any] = error.get("ctx", {})
    text = error["type"].startswith("string")
    size = len(error["input"]) if text else context.get("actual_length", 0)
    least, most = context.get("min_length"), context.get("max_length")
    if size == 0:
        return "must not be empty", ""
    limit = f"at least {least}" if least is not None else f"at most {most}"
    return f"has {_counted(size, text=text)}, must have {limit}", ""


def _pattern(error: ErrorDetails, place: Place, _literal: str | None) -> Words:
    said = _said(place)
    if said:
        return f"{shown(error['input'])} {said}", ""
    meaning = _meaning(place)
    pattern = error.get("ctx", {}).get("pattern", "")
    return f"{shown(error['input'])} does not match {pattern}", f"expected: {meaning}" if meaning else ""


def _refused(error: ErrorDetails, _place: Place, _literal: str | None) -> Words:
    message, _, instead = str(error.get("ctx", {}).get("error", error["msg"])).partition("; ")
    return message, instead


def _network(error: ErrorDetails, _place: Place, literal: str | None) -> Words:
    value = error["input"]
    message = f"must be an IP address range such as 10.0.0.0/24, is {described(value, literal)}"
    try:
        return message, f"did you mean {ip_network(value, strict=False)}?" if isinstance(value, str) else ""
    except ValueError:
        return message, ""


def _fallback(error: ErrorDetails, _place: Place, literal: str | None) -> Words:
    message = re.sub(r"^\w+ should ", "must ", error["msg"])
    return f"{message}, is {described(error['input'], literal)}", ""


_WORDINGS: Final[dict[str, Callable[[ErrorDetails, Place, str | None], Words]]] = {
    **dict.fromkeys(_EXPECTED, _kind),
    **dict.fromkeys(("literal_error", "enum"), _choice),
    **dict.fromkeys(_BOUNDS, _bound),
    **dict.fromkeys(("string_too_short", "string_too_long", "too_short", "too_long"), _length),
    "string_pattern_mismatch": _pattern,
    **dict.fromkeys(("value_error", "assertion_error"), _refused),
    **dict.fromkeys(("ip_v4_network", "ip_v6_network", "ip_any_network"), _network),
}


def _allowed(error: ErrorDetails, place: Place) -> list[str]:
    # Pydantic's own list is a sentence; it serves where the type is not known.
    allowed = [str(choice) for choice in choices(place.annotation)]
    return allowed or [error.get("ctx", {}).get("expected", "")]


def _counted(size: int, *, text: bool) -> str:
    one, many = ("character", "characters") if text else ("entry", "entries")
    return f"{size} {one if size == 1 else many}"


def _meaning(place: Place) -> str:
    meanings = (item.text for item in place.metadata if isinstance(item, Meaning))
    return next((_sentence(text) for text in meanings if text), "")


def _said(place: Place) -> str:
    """The `patternErrorMessage`, in which JSON schema editors too say what a pattern means."""
    extras = (getattr(item, "json_schema_extra", None) for item in place.metadata)
    known = (cast("dict[str, Any]", extra) for extra in extras if isinstance(extra, dict))
    return next((str(extra["patternErrorMessage"]) for extra in known if "patternErrorMessage" in extra), "")


def _sentence(text: str) -> str:
    """The first sentence, without its full stop."""
    return re.split(r"\.(?:\s|$)", " ".join(text.split()), maxsplit=1)[0]
