"""The committed charts, and the values files that the generator writes for each application."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from llmd_tools.judges.rendered import ROOT

CHARTS = ROOT / "charts"
"""The folder with a folder per chart, and `values/<environment>/<application>.yaml`."""
DIST = ROOT / "dist"


def charts() -> dict[str, Path]:
    """Every chart's folder, by its name."""
    return {card.parent.name: card.parent for card in sorted(CHARTS.glob("*/Chart.yaml"))}


@dataclass(frozen=True)
class ValuesFile:
    """The values of one release, with the command that its first line gives.

    Attributes:
        path: The file.
        release: Name of the release.
        chart: The chart's folder.
        namespace: Namespace of the release.
    """

    path: Path
    release: str
    chart: Path
    namespace: str

    @property
    def environment(self) -> str:
        """The environment that it is of."""
        return self.path.parent.name

    @property
    def application(self) -> str:
        """The application that the release is."""
        return self.path.stem

    def __str__(self) -> str:
        return f"{self.environment}/{self.application}"


def values_files() -> list[ValuesFile]:
    """Every values file."""
    return [_values_file(path) for path in sorted((CHARTS / "values").glob("*/*.yaml"))]


def _values_file(path: Path) -> ValuesFile:
    with path.open() as lines:
        words = shlex.split(lines.readline(), comments=False)
    _, helm, template, release, chart, *options = words
    if (helm, template) != ("helm", "template"):
        raise ValueError(f"{path}: the first line is not a command of helm")
    return ValuesFile(path, release, ROOT / chart, options[options.index("--namespace") + 1])


def applications() -> set[str]:
    """Every `<environment>/<application>` of `dist/`."""
    return {folder.relative_to(DIST).as_posix() for folder in DIST.glob("*/*") if folder.is_dir()}
