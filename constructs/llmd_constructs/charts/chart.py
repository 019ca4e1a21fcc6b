"""The files of one chart."""

import json
import re
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any, cast

import yaml

from llmd_constructs.charts.expressions import Scope
from llmd_constructs.charts.nodes import Fields, Node, Path, Plain, Text
from llmd_constructs.charts.tables import Tables, table_name
from llmd_constructs.charts.template import ChartTemplate, ObjectTemplate
from llmd_constructs.charts.writing import Writer, singular

Files = dict[str, str]


def template_files(chart: ChartTemplate, objects: Sequence[ObjectTemplate]) -> Files:
    """Every template, and the tables that they look things up in."""
    tables = Tables(chart.domains)
    by_path = {setting.path: setting for setting in chart.settings}
    files: Files = {}
    for item in objects:
        tables.start()
        scope = Scope(
            by_path, chart.domains, tables, {item.over: loop_variable(item.over)} if item.over else {}
        )
        text = _template(item, scope, tables)
        files[f"templates/{_file_name(item.node, files)}.yaml"] = text
    for name, rows in tables.tables.items():
        files[f"tables/{name}.yaml"] = _table(name, rows)
    return files


def _template(item: ObjectTemplate, scope: Scope, tables: Tables) -> str:
    body = Writer(scope).object(item.node)
    if not item.when.always:
        body = [f"{{{{- if {scope.condition(item.when, '')} }}}}", *body, "{{- end }}"]
    rows = list(_rows(scope, tables))
    if item.over:
        body = [
            f"{{{{- range $index, {loop_variable(item.over)} := {Scope(scope.settings, scope.domains, tables).value(item.over)} }}}}",
            *[line for path, line in rows if path[:1] == item.over],
            "---",
            *body,
            "{{- end }}",
        ]
        rows = [(path, line) for path, line in rows if path[:1] != item.over]
    names = dict.fromkeys(table_name(axis) for axis, _ in tables.used)
    files = [f'{{{{- $tableOf{_title(n)} := $.Files.Get "tables/{n}.yaml" | fromYaml }}}}' for n in names]
    return _with_variables("\n".join([*files, *[line for _, line in rows], *body]) + "\n")


_OFTEN = re.compile(r"\(([$.\w]*\.(\w+)) \| default dict\)")


def _with_variables(text: str) -> str:
    """What is asked for again and again gets a name."""
    for expression, name in dict.fromkeys((m[0], m[2]) for m in _OFTEN.finditer(text)):
        if text.count(expression) > 1:
            text = f"{{{{- ${name} := {expression[1:-1]} }}}}\n{text.replace(expression, f'${name}')}"
    return text


def _rows(scope: Scope, tables: Tables) -> Iterator[tuple[Any, str]]:
    for axis, variable in tables.used:
        value = scope.value(axis)
        table = f"$tableOf{_title(table_name(axis))}"
        yield axis, f'{{{{- {variable} := index {table} ({value} | default "") }}}}'


def loop_variable(over: Path) -> str:
    """What an item is called; `$model` is what the table says of a model."""
    return "$served" if over == ("models",) else f"${singular(str(over[-1]))}"


def _title(name: str) -> str:
    return name[:1].upper() + name[1:]


def _table(name: str, rows: dict[str, dict[str, Any]]) -> str:
    """A table, a line for each row and column that a reviewer can compare."""
    return f"# What the templates know of {name}. Generated; do not edit.\n" + yaml.dump(
        rows, Dumper=yaml.CSafeDumper, sort_keys=False, width=10**6, default_flow_style=None
    )


def _file_name(node: Node, taken: Files) -> str:
    """The object's kind, and what its name always holds."""
    fields = {slot.key: slot.node for slot in node.slots} if isinstance(node, Fields) else {}
    kind = fields.get("kind")
    metadata = fields.get("metadata")
    names = {slot.key: slot.node for slot in metadata.slots} if isinstance(metadata, Fields) else {}
    name = names.get("name")
    literal = "-".join(p for p in name.pieces if isinstance(p, str)) if isinstance(name, Text) else ""
    if isinstance(name, Plain):
        literal = str(name.value)
    words = re.findall(r"[a-z0-9]+", literal)
    base = "-".join([str(kind.value) if isinstance(kind, Plain) else "Object", *words])
    count = sum(file.startswith((f"templates/{base}.", f"templates/{base}~")) for file in taken)
    return f"{base}~{count + 1}" if count else base


def values_file(schema: dict[str, Any], defaults: dict[str, Any]) -> str:
    """`values.yaml`: every default under its description."""
    lines = list(_values(schema, schema, defaults, ""))
    return "\n".join(lines).strip() + "\n"


def _values(
    root: dict[str, Any], schema: dict[str, Any], values: dict[str, Any], indent: str
) -> Iterator[str]:
    for name, field in schema["properties"].items():
        resolved = resolve(root, field)
        description = field.get("description") or resolved.get("description", "")
        if not indent:
            yield ""
        for line in wrap(
            description, 110 - len(indent), break_long_words=False, break_on_hyphens=False
        ):
            yield f"{indent}# {line}"
        value = values.get(name)
        if "properties" in resolved and value is not None:
            yield f"{indent}{name}:"
            yield from _values(root, resolved, value, f"{indent}  ")
        elif isinstance(value, list) and value:
            yield f"{indent}{name}:"
            dumped = yaml.dump(cast("list[object]", value), Dumper=yaml.CSafeDumper, sort_keys=False)
            yield from (f"{indent}  {line}" for line in dumped.splitlines())
        else:
            yield f"{indent}{name}: {json.dumps(value)}"


def resolve(root: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The schema behind references and beside null."""
    if "$ref" in schema:
        return resolve(root, root["$defs"][schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return resolve(root, next(each for each in schema["anyOf"] if each.get("type") != "null"))
    return schema
