"""Archives of charts."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from llmd_tools.chart_archive import archive_name, pack


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    """A chart of three files."""
    files = {
        "Chart.yaml": 'name: any\nversion: "1.2.3"\n',
        "values.yaml": "{}\n",
        "templates/a.yaml": "a: 1\n",
    }
    for path, text in files.items():
        file = tmp_path / "folder" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "folder"


def test_an_archive_is_named_as_helm_names_it(chart: Path) -> None:
    """Name and version are those of the card, whatever the folder's name."""
    assert archive_name(chart) == "any-1.2.3.tgz"


def test_every_file_is_below_the_charts_name(chart: Path) -> None:
    """The card comes first, for readers that stop there."""
    with tarfile.open(fileobj=io.BytesIO(pack(chart))) as archive:
        assert archive.getnames() == ["any/Chart.yaml", "any/templates/a.yaml", "any/values.yaml"]


def test_times_and_modes_do_not_show(chart: Path) -> None:
    """The same files make the same bytes; another byte in a file makes others."""
    before = pack(chart)
    os.utime(chart / "values.yaml", (1, 1))
    (chart / "values.yaml").chmod(0o600)
    assert pack(chart) == before
    (chart / "values.yaml").write_text("{ }\n")
    assert pack(chart) != before
