"""Quantities of resources, such as `500m`, `2Gi` and `8`."""

import math
import re
from decimal import Decimal

_QUANTITY = re.compile(r"([+-]?[0-9.]+)(?:([eE][+-]?[0-9]+)|([KMGTPE]i|[numkMGTPE]))?")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}


def parse(text: str) -> Decimal:
    """The number that a quantity stands for.

    Raises:
        ValueError: If it is none.
    """
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no quantity")
    number, exponent, suffix = match.groups()
    if exponent:
        return Decimal(number + exponent)
    if suffix in _BINARY:
        return Decimal(number) * 1024 ** _BINARY[suffix]
    return Decimal(number).scaleb(_DECIMAL.get(suffix or "", 0))


def divided(text: str, divisor: str) -> int:
    """A quantity in units of a divisor, rounded up, as `resourceFieldRef` gives it."""
    unit = parse(divisor)
    return math.ceil(parse(text) / (unit or 1))
