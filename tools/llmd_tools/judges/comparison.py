"""What the API server stored, against what was applied: nothing that was written may be lost."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, cast

_SUFFIXES: Mapping[str, Decimal] = {
    **{
        suffix: Decimal(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)
    },
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
    "m": Decimal("0.001"),
    "u": Decimal("0.000001"),
    "n": Decimal("0.000000001"),
}
_QUANTITIES = frozenset({"requests", "limits", "sizeLimit", "capacity", "allocatable"})
"""Fields below which the server writes numbers its own way: `0.5` as `500m`."""


def lost(applied: Any, stored: Any, path: str = "") -> Iterator[str]:
    """Each field that was applied and is not stored with that value, as its path and both values."""
    if isinstance(applied, Mapping) and isinstance(stored, Mapping):
        yield from _lost_keys(cast("Mapping[str, Any]", applied), cast("Mapping[str, Any]", stored), path)
    elif isinstance(applied, list) and isinstance(stored, list):
        yield from _lost_items(cast("list[Any]", applied), cast("list[Any]", stored), path)
    elif applied != stored and not _same_quantity(applied, stored, path):
        yield f"{path}: {applied!r} was applied, {stored!r} is stored"


def _lost_keys(applied: Mapping[str, Any], stored: Mapping[str, Any], path: str) -> Iterator[str]:
    for key, value in applied.items():
        place = f"{path}.{key}" if path else key
        if key in stored:
            yield from lost(value, stored[key], place)
        elif value not in ({}, [], None, ""):  # the server leaves out what is empty
            yield f"{place}: was dropped"


def _lost_items(applied: Sequence[Any], stored: Sequence[Any], path: str) -> Iterator[str]:
    """Lists keep their order; a longer one has been defaulted at its end, or by name."""
    named = _by_name(stored)
    for index, value in enumerate(applied):
        name = _name(value)
        place = f"{path}[{name or index}]"
        if name and name in named:
            yield from lost(value, named[name], place)
        elif index < len(stored):
            yield from lost(value, stored[index], place)
        else:
            yield f"{place}: was dropped"


def _by_name(items: Sequence[Any]) -> Mapping[str, Any]:
    named = {name: item for item in items if (name := _name(item))}
    return named if len(named) == len(items) else {}


def _name(item: Any) -> str:
    return str(cast("Mapping[str, Any]", item).get("name", "")) if isinstance(item, Mapping) else ""


def _same_quantity(applied: Any, stored: Any, path: str) -> bool:
    if not _QUANTITIES.intersection(path.split(".")):
        return False
    one, other = quantity(applied), quantity(stored)
    return one is not None and one == other


def quantity(text: object) -> Decimal | None:
    """The value of a Kubernetes quantity, such as `500m` or `2Gi`; None if it is none."""
    number, factor = str(text), Decimal(1)
    for suffix, value in _SUFFIXES.items():
        if number.endswith(suffix):
            number, factor = number.removesuffix(suffix), value
            break
    try:
        return Decimal(number) * factor
    except InvalidOperation:
        return None
