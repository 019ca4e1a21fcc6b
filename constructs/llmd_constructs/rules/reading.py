"""Reading manifests of any shape: rules see what people added by hand, and must not stumble over it."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from llmd_constructs.config.errors import ValuePath
from llmd_constructs.manifest import JsonObject


def dig(value: Any, *path: str | int) -> Any:
    """The value under these keys and indexes; `None` where the path leads nowhere."""
    # Called a hundred times per object; a `cast` would be a call more.
    for part in path:
        if isinstance(value, dict):
            value = value.get(part)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):  # pyright: ignore[reportUnknownArgumentType]
            value = value[part]  # pyright: ignore[reportUnknownVariableType]
        else:
            return None
    return value  # pyright: ignore[reportUnknownVariableType]


def mapping(value: Any, *path: str | int) -> JsonObject:
    """The mapping under the path; empty where there is none."""
    found = dig(value, *path)
    return found if isinstance(found, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def entries(value: Any, *path: str | int) -> list[JsonObject]:
    """The mappings in the list under the path; what is no mapping counts as an empty one."""
    found = dig(value, *path)
    if not isinstance(found, list):
        return []
    return [item if isinstance(item, dict) else {} for item in found]  # pyright: ignore[reportUnknownVariableType]


def texts(value: Any, *path: str | int) -> list[str]:
    """The list under the path as text."""
    found = dig(value, *path)
    return [str(item) for item in cast("list[Any]", found)] if isinstance(found, list) else []


def text(value: Any, *path: str | int) -> str:
    """The text under the path; empty where there is none."""
    found = dig(value, *path)
    return found if isinstance(found, str) else ""


def number(value: Any, *path: str | int) -> int | None:
    """The whole number under the path, also where it is written as text."""
    found = dig(value, *path)
    if isinstance(found, bool):
        return None
    if isinstance(found, int):
        return found
    return int(found) if isinstance(found, str) and found.isdecimal() and len(found) < 19 else None


def labels(value: Any, *path: str | int) -> dict[str, str]:
    """The mapping under the path as labels."""
    return {str(key): str(item) for key, item in mapping(value, *path).items()}


def leaves(value: Any, path: ValuePath = ()) -> Iterator[tuple[ValuePath, Any]]:
    """Every scalar in the value, with its path."""
    if isinstance(value, dict):
        for key, child in cast("JsonObject", value).items():
            yield from leaves(child, (*path, key))
    elif isinstance(value, list):
        for index, child in enumerate(cast("list[Any]", value)):
            yield from leaves(child, (*path, index))
    else:
        yield path, value


def all_texts(value: Any) -> Iterator[str]:
    """Every text in the value, in no order that counts."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            waiting += cast("JsonObject", value).values()
        elif isinstance(value, list):
            waiting += cast("list[Any]", value)


def selects(selector: Mapping[str, Any], pod: Mapping[str, str]) -> bool:
    """Whether a label selector, with `matchLabels` and `matchExpressions`, picks these labels."""
    plain = all(pod.get(key) == value for key, value in labels(selector, "matchLabels").items())
    return plain and all(_holds(expression, pod) for expression in entries(selector, "matchExpressions"))


def _holds(expression: JsonObject, pod: Mapping[str, str]) -> bool:
    value = pod.get(text(expression, "key"))
    values = texts(expression, "values")
    match expression.get("operator"):
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case _:
            return False
