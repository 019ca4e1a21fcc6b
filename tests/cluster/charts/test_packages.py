"""Every chart is one that Helm takes without a word, and that can be handed on."""

import os
from pathlib import Path

import pytest

from llmd_constructs.charts.definitions import definitions
from llmd_tools.chart_archive import archive_name, pack
from llmd_tools.helm import Helm, templated
from llmd_tools.judges.charts import charts

pytestmark = pytest.mark.cluster


def test_every_chart_is_there() -> None:
    """Every chart that there is a definition of is committed, and no other."""
    assert charts().keys() == {definition.name for definition in definitions()}


def test_lint_has_nothing_to_say(helm: Helm, chart: Path) -> None:
    """`helm lint --strict` passes with the chart's own values."""
    assert "0 chart(s) failed" in helm("lint", "--strict", chart)


def test_a_chart_renders_with_its_own_values(helm: Helm, chart: Path) -> None:
    """A release without values of the user's has objects, and a test that is left out when asked to."""
    everything = templated(helm("template", "any", chart, "--namespace", "some"))
    without = templated(helm("template", "any", chart, "--namespace", "some", "--skip-tests"))
    assert without
    tests = [each for each in everything if each.template.startswith("templates/tests/")]
    assert len(everything) == len(without) + len(tests)


def test_notes_name_the_model_and_the_checks(chart: Path, tmp_path: Path) -> None:
    """What Helm prints after an installation has the release's name and commands to run, and no hole.

    Only Helm 4 says so without a cluster.
    """
    text = Helm(4, tmp_path)("install", "any", chart, "--namespace", "some", "--dry-run=client")
    notes = text.partition("NOTES:")[2]
    assert " any --namespace some" in notes
    assert ("/v1/chat/completions" in notes) == (chart / "templates" / "tests").is_dir()
    assert "<no value>" not in text


def test_an_archive_is_the_same_at_any_time(chart: Path, tmp_path: Path) -> None:
    """Copies of a chart whose files are of other times and come in another order have the same archive."""
    copy = tmp_path / "elsewhere"
    for number, file in enumerate(sorted(chart.rglob("*"), reverse=True)):
        if file.is_file():
            target = copy / file.relative_to(chart)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
            os.utime(target, (number, number))
    assert pack(copy) == pack(chart)


def test_helm_takes_the_archive(helm: Helm, chart: Path, tmp_path: Path) -> None:
    """Helm renders from our archive what it renders from the folder."""
    archive = tmp_path / archive_name(chart)
    archive.write_bytes(pack(chart))
    assert helm("template", "any", archive) == helm("template", "any", chart)


def test_helm_packages_the_same_files(helm: Helm, chart: Path, tmp_path: Path) -> None:
    """What `helm package` makes renders the same as our archive."""
    helm("package", chart, "--destination", tmp_path)
    assert helm("template", "any", tmp_path / archive_name(chart)) == helm("template", "any", chart)


def test_helm_4_packages_reproducibly(a_chart: Path, tmp_path: Path) -> None:
    """Helm 4 makes the same bytes twice of the same files. Helm 3 writes the time of day, which is why we pack."""
    helm = Helm(4, tmp_path)
    made: list[bytes] = []
    for name in ("first", "second"):
        helm("package", a_chart, "--destination", tmp_path / name)
        made.append((tmp_path / name / archive_name(a_chart)).read_bytes())
    assert made[0] == made[1]
