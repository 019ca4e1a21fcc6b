"""CUE: one definition of an application, unified with every application's values in one process."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llmd_bench.contest import Contestant
from llmd_bench.slots import as_json, interpolated, open_values
from llmd_bench.workload import Values, manifests
from llmd_tools.build import build
from llmd_tools.groups import Group

_TEMPLATE = """\
package llm

import "encoding/yaml"

#Application: {{
	v: _
	objects: [
{objects}
	]
}}
applications: [
{applications}
]
text: yaml.MarshalStream([for item in applications for object in (#Application & {{v: item}}).objects {{object}}])
"""


@dataclass(frozen=True)
class _BenchGroup(Group):
    """A program that nothing but the benchmark runs; its pin lies beside it."""

    @property
    def folder(self) -> Path:
        """The folder of the group's `go.mod`."""
        return Path(__file__).parents[1] / "go" / self.name


GROUP = _BenchGroup("cue", "a comparison renderer", {"cue": "cuelang.org/go/cmd/cue"})


def prepare(folder: Path, values: Sequence[Values]) -> list[Contestant]:
    """Write the definition and all values into one file."""
    cue = str(build(GROUP) / "cue")
    text = _TEMPLATE.format(
        objects=",\n".join(interpolated(manifest) for manifest in manifests(open_values())),
        applications=",\n".join(json.dumps(as_json(item)) for item in values),
    )
    (folder / "llm.cue").write_text(text)
    output = folder / "output"
    command = (
        cue,
        "export",
        "llm.cue",
        "--expression",
        "text",
        "--out",
        "text",
        "--outfile",
        f"{output}/all.yaml",
    )
    return [Contestant("cue export, one process", command, folder, output)]
