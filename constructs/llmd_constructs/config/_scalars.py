"""Plain YAML scalars as Kubernetes reads them.

Source: `resolve.go` of go.yaml.in/yaml/v2, on which sigs.k8s.io/yaml stands. It is YAML 1.1 with
differences: `1:30` is text, `0o17` is octal, and an integer beyond 64 bits is a float.
Dates are left as text, because JSON has none.
"""

import math
import re

Scalar = str | int | float | bool | None
"""A value without parts."""

_WORDS: dict[str, bool | float | None] = {
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_INTEGER = re.compile(
    r"(?P<sign>[-+]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<bin>[01]+)|0[oO]?(?P<oct>[0-7]+)|(?P<dec>0|[1-9][0-9]*))",
)
_BASES = {"hex": 16, "bin": 2, "oct": 8, "dec": 10}
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SEPARATOR = re.compile(r"(?<=[0-9])_(?=[0-9])")
# A sign, a base prefix and 64 binary digits: no longer text can be a 64-bit integer.
_LONGEST_INTEGER = 67


def plain(text: str) -> Scalar:
    """The value of an unquoted scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "+-0123456789":
        return _number(text, text.replace("_", ""))
    return _number(text, _SEPARATOR.sub("", text)) if text[0] == "." else text


def _number(text: str, digits: str) -> Scalar:
    integer = _integer(digits)
    if integer is not None:
        return integer
    value = float(digits) if _FLOAT.fullmatch(digits) else math.inf
    return value if math.isfinite(value) else text


def _integer(digits: str) -> int | None:
    match = _INTEGER.fullmatch(digits) if len(digits) <= _LONGEST_INTEGER else None
    if match is None:
        return None
    base = match.lastgroup or "dec"
    size = int(match[base], _BASES[base])
    if match["sign"]:
        value = -size if match["sign"] == "-" else size
        return value if -(2**63) <= value < 2**63 else None
    return size if size < 2**64 else None
