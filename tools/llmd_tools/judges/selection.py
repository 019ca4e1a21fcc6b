"""Label selectors, and what they pick."""

from collections.abc import Iterable, Mapping
from typing import Any


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector picks an object with these labels; an empty one picks everything."""
    equal = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    return equal and all(_holds(each, labels) for each in selector.get("matchExpressions", []))


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value, values = labels.get(expression["key"]), expression.get("values", [])
    match expression["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case _:
            return value is None


def picked(selector: Mapping[str, Any], objects: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names of those objects that a selector picks."""
    return [
        each["metadata"]["name"] for each in objects if selects(selector, each["metadata"].get("labels", {}))
    ]
