"""The two majors of Helm, and the charts that they are given."""

from pathlib import Path

import pytest

from llmd_tools.helm import PROGRAMS, Helm
from llmd_tools.judges.charts import CHARTS, charts, values_files


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test for each chart, or values file, that is committed."""
    if "chart" in metafunc.fixturenames:
        metafunc.parametrize("chart", [pytest.param(path, id=name) for name, path in charts().items()])
    if "values" in metafunc.fixturenames:
        metafunc.parametrize("values", [pytest.param(each, id=str(each)) for each in values_files()])


@pytest.fixture(params=sorted(PROGRAMS), ids=lambda major: f"helm{major}")
def helm(request: pytest.FixtureRequest, tmp_path: Path) -> Helm:
    """One major of Helm, with a home of its own."""
    return Helm(request.param, tmp_path)


@pytest.fixture
def a_chart() -> Path:
    """A chart, for what is the same for all."""
    return CHARTS / "llm-d-single-replica"
