"""A wrong value is refused before anything is installed, and each mistake is named."""

from pathlib import Path

import pytest
import yaml

from llmd_tools.helm import Helm
from llmd_tools.judges.charts import charts

pytestmark = pytest.mark.cluster

_FIXTURES = Path(__file__).parents[2] / "fixtures" / "charts"


def test_each_of_ten_mistakes_is_told(helm: Helm) -> None:
    """All mistakes of a values file are told at once, by place and by what would be right, and by nothing else."""
    told = yaml.safe_load((_FIXTURES / "ten-mistakes.told.yaml").read_text())
    chart = charts()["llm-d-prefix-cache"]
    done = helm.run("template", "any", chart, "--values", _FIXTURES / "ten-mistakes.yaml")
    assert done.returncode == 1
    assert not done.stdout
    print(done.stderr)  # noqa: T201  # to be shown with -s
    assert [mistake for mistake, words in told.items() if words not in done.stderr] == []
    assert done.stderr.count("- at '") == len(told) + 1  # two of them are below the same heading
    assert len(told) == 10


def test_every_chart_refuses_what_it_does_not_know(helm: Helm, chart: Path) -> None:
    """No chart takes a value that it would not look at."""
    done = helm.run("template", "any", chart, "--set", "nobodyKnowsIt=1")
    assert done.returncode == 1
    assert "additional properties 'nobodyKnowsIt' not allowed" in done.stderr
