"""Helm: one chart, one values file and one `helm template` per application."""

from collections.abc import Sequence
from pathlib import Path

from llmd_bench.contest import Contestant, each, names
from llmd_bench.slots import as_json, fill, open_values
from llmd_bench.workload import Values, manifests
from llmd_constructs.emit.yaml_text import yaml_text
from llmd_tools.build import tool

_CHART = "apiVersion: v2\nname: llm\nversion: 1.0.0\n"


def prepare(folder: Path, values: Sequence[Values]) -> list[Contestant]:
    """Write the chart and the values; one contestant renders one after the other, one two at a time."""
    helm = str(tool("helm"))
    _chart(folder / "chart")
    (folder / "values").mkdir()
    for item in values:
        (folder / "values" / f"{item.name}.yaml").write_text(yaml_text(as_json(item)))
    output = folder / "output"
    command = [
        helm,
        "template",
        "{}",
        "chart",
        "--values",
        "values/{}.yaml",
        "--output-dir",
        f"{output}/{{}}",
    ]
    # A user's own plugins and repositories would be read on every start.
    own = {f"HELM_{kind}_HOME": str(folder / "home") for kind in ("CACHE", "CONFIG", "DATA")}
    return [
        Contestant(name, each(command, processes=processes), folder, output, names(values), own)
        for name, processes in (("helm template", 1), ("helm template, two at a time", 2))
    ]


def _chart(folder: Path) -> None:
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(_CHART)
    for number, manifest in enumerate(manifests(open_values())):
        text = fill(yaml_text(manifest), lambda name: f"{{{{ .Values.{name} }}}}")
        (folder / "templates" / f"{number:02}-{manifest['kind']}.yaml").write_text(text)
