"""cdk8s in its own language: a Chart per application, an ApiObject per object."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from llmd_bench.contest import Contestant
from llmd_bench.slots import as_json, expression, open_values
from llmd_bench.workload import Values, environments, manifests
from llmd_tools import cache
from llmd_tools.errors import ToolError

PROJECT = Path(__file__).parents[1] / "cdk8s-js"
"""The npm project: its pins, and the program."""
_LOCKED = ("package.json", "package-lock.json", ".npmrc")
_VARIANTS = {
    "a file per application": ("FILE_PER_CHART", "one"),
    "a file per object": ("FOLDER_PER_CHART_FILE_PER_RESOURCE", "one"),
    "an App per environment": ("FILE_PER_CHART", "each"),
}
"""An App checks itself once per chart, so that one App for everything grows with the square of its charts."""


def prepare(folder: Path, values: Sequence[Values]) -> list[Contestant]:
    """Write objects and values as JavaScript; one contestant per way of writing the output."""
    node = _node()
    modules = _modules(node)
    objects = ",\n".join(expression(manifest) for manifest in manifests(open_values()))
    (folder / "llm.js").write_text(f"module.exports = (v) => [\n{objects}\n];\n")
    groups = [[as_json(item) for item in environment] for environment in environments(len(values))]
    (folder / "values.json").write_text(json.dumps(groups))
    output = folder / "output"
    command = (node, PROJECT / "main.js", folder / "llm.js", folder / "values.json", output)
    own = {"NODE_PATH": str(modules)}
    return [
        Contestant(
            f"cdk8s in TypeScript, {name}", (*map(str, command), *variant), folder, output, environment=own
        )
        for name, variant in _VARIANTS.items()
    ]


def _node() -> Path:
    """The node that jsii gets: the one of the pinned Python packages, unless the user has chosen another."""
    found = os.environ.get("JSII_NODE") or shutil.which("node")
    if not found:
        raise ToolError("node is missing; it comes with the pinned Python packages")
    return Path(found)


def _modules(node: Path) -> Path:
    """The locked npm packages, installed once into the tools' cache."""
    locked = [(PROJECT / name).read_bytes() for name in _LOCKED]
    folder = cache.cache_root() / "npm" / f"cdk8s-{cache.key(*locked)}"
    return cache.made_once(folder, lambda staging: _install(node, staging)) / "node_modules"


def _install(node: Path, staging: Path) -> None:
    for name in _LOCKED:
        shutil.copy(PROJECT / name, staging)
    done = subprocess.run(
        [*_npm(node), "ci", "--ignore-scripts", "--loglevel=error"],
        cwd=staging,
        env={**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ToolError(f"npm cannot install cdk8s: {done.stderr.strip().splitlines()[:1]}")


def _npm(node: Path) -> list[str]:
    """The npm beside that node, else the machine's own."""
    beside = node.resolve().parents[1] / "lib/node_modules/npm/bin/npm-cli.js"
    if beside.is_file():
        return [str(node), str(beside)]
    found = shutil.which("npm")
    if found is None:
        raise ToolError("npm not found")
    return [found]
