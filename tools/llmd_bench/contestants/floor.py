"""The floor: the same objects, plain dicts, written by PyYAML's C emitter. Nothing is built, checked or named."""

import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from llmd_bench.contest import Contestant, python_path
from llmd_bench.workload import Values, manifests, workload


def prepare(folder: Path, values: Sequence[Values]) -> list[Contestant]:
    """One Python process that writes a file per application."""
    output = folder / "output"
    command = (sys.executable, "-m", __name__, str(len(values)), str(output))
    return [Contestant("floor: PyYAML", command, folder, output, environment=python_path())]


def _write(applications: int, output: Path) -> None:
    for values in workload(applications):
        with (output / f"{values.name}.yaml").open("w", encoding="utf-8") as file:
            yaml.dump_all(manifests(values), file, Dumper=yaml.CSafeDumper, sort_keys=False)


if __name__ == "__main__":
    _write(int(sys.argv[1]), Path(sys.argv[2]))
