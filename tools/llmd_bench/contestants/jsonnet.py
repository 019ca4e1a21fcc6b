"""go-jsonnet: one library of objects; one process per application, or one for all."""

import json
from collections.abc import Sequence
from pathlib import Path

from llmd_bench.contest import Contestant, each, names
from llmd_bench.slots import as_json, expression, open_values
from llmd_bench.workload import Values, manifests
from llmd_tools.build import tool


def prepare(folder: Path, values: Sequence[Values]) -> list[Contestant]:
    """Write the library and its entries.

    A stream of JSON is YAML too, and cheaper for go-jsonnet than the text that people read and review.
    """
    jsonnet = str(tool("jsonnet"))
    objects = ",\n".join(expression(manifest) for manifest in manifests(open_values()))
    (folder / "llm.libsonnet").write_text(f"function(v) [\n{objects}\n]\n")
    (folder / "each").mkdir()
    for item in values:
        text = _as_yaml(f"(import '../llm.libsonnet')({_arguments(item)})")
        (folder / "each" / f"{item.name}.jsonnet").write_text(text)
    applications = ",\n".join(_arguments(item) for item in values)
    together = f"std.flatMap(import 'llm.libsonnet', [\n{applications}\n])"
    (folder / "json.jsonnet").write_text(f"{together}\n")
    (folder / "yaml.jsonnet").write_text(_as_yaml(together))
    output = folder / "output"
    yaml = [jsonnet, "--string", "--output-file"]
    all_json = (jsonnet, "--yaml-stream", "--output-file", f"{output}/all.yaml", "json.jsonnet")
    one_each = each([*yaml, f"{output}/{{}}.yaml", "each/{}.jsonnet"])
    return [
        Contestant("go-jsonnet, one process per application", one_each, folder, output, names(values)),
        Contestant("go-jsonnet, one process", (*yaml, f"{output}/all.yaml", "yaml.jsonnet"), folder, output),
        Contestant("go-jsonnet, one process, JSON", all_json, folder, output),
    ]


def _as_yaml(objects: str) -> str:
    return f"std.manifestYamlStream({objects}, quote_keys=false)\n"


def _arguments(values: Values) -> str:
    return json.dumps(as_json(values))
