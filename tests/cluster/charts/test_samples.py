"""Charts say what the constructs say, for values that nobody thought of."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmd_constructs.charts.definition import Definition
from llmd_constructs.charts.definitions import definitions
from llmd_constructs.charts.knobs import Sampler
from llmd_constructs.charts.sampling import NAMESPACE_NAME, RELEASE_NAME, Source
from llmd_tools.helm import Helm, templated
from llmd_tools.judges.charts import CHARTS

pytestmark = pytest.mark.cluster

SAMPLES = 4
SEED = 20261121
"""Not one of those that the charts were folded from."""
OTHER_NUMBERS = 30
"""Nor are the numbers, of which no chart has so many: one that is computed from a user's would be a constant there."""

Objects = dict[tuple[str, str, str], Any]


def _objects(manifests: list[Any]) -> Objects:
    return {
        (each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]): each
        for each in json.loads(json.dumps(manifests))
    }


@pytest.mark.parametrize("definition", [pytest.param(each, id=each.name) for each in definitions()])
def test_any_values_give_what_the_constructs_render(definition: Definition, tmp_path: Path) -> None:
    """A construct that changed without its chart, or a template that fits the known samples only, differs here."""
    chart = tmp_path / definition.name
    shutil.copytree(CHARTS / definition.name, chart)
    # Whether a model drawn at random fits is no matter here.
    (chart / "templates" / "rules.yaml").unlink(missing_ok=True)
    helm = Helm(4, tmp_path)
    sampler = Sampler(definition.schema, skipped=OTHER_NUMBERS)
    for values, manifests in Source(sampler, definition).samples(SAMPLES, SEED):
        file = tmp_path / "values.yaml"
        file.write_text(yaml.safe_dump(values), "utf-8")
        text = helm(
            "template", RELEASE_NAME, chart, "--namespace", NAMESPACE_NAME, "--values", file, "--skip-tests"
        )
        assert _objects([each.manifest for each in templated(text)]) == _objects(manifests)
