"""`values.schema.json`: the model's schema in the form in which Helm's refusals read best.

Helm prints every step that led to a refusal. So nothing is behind a reference, and what may be null says so in its
type rather than in a choice of two schemas, one of which always fails for no reason that a user understands.
"""

import json
from typing import Any

from llmd_constructs.charts.chart import resolve

DIALECT = "http://json-schema.org/draft-07/schema#"
"""Both majors of Helm read it, and so does every editor."""
GLOBAL = {"type": "object", "description": "Helm's own: values that a chart shares with the charts below it."}


def values_schema(name: str, schema: dict[str, Any]) -> str:
    """The text of the schema of the chart `name`: closed, but for what Helm itself puts among the values."""
    mine = _plain(schema, schema)
    mine["properties"]["global"] = GLOBAL
    head = {"$schema": DIALECT, "title": f"Values of {name}"}
    return json.dumps({**head, **mine}, indent=2, ensure_ascii=False) + "\n"


def _plain(root: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without references, choices between null and something, and titles that repeat names."""
    beside = {key: value for key, value in schema.items() if key not in ("$ref", "anyOf", "$defs", "title")}
    meant = resolve(root, schema)
    plain = {key: value for key, value in meant.items() if key not in ("$defs", "title")} | beside
    if "properties" in plain:
        plain["properties"] = {name: _plain(root, each) for name, each in plain["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(plain.get(key), dict):
            plain[key] = _plain(root, plain[key])
    return _or_null(plain) if _may_be_null(schema) else plain


def _may_be_null(schema: dict[str, Any]) -> bool:
    return any(each.get("type") == "null" for each in schema.get("anyOf", ()))


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The same, or null. A pattern or a bound says nothing about null; a list of choices does."""
    schema = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    return schema
