"""Helm renders from the generator's values files exactly what is in `dist/`."""

import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmd_tools.helm import Helm, templated
from llmd_tools.judges.charts import DIST, ValuesFile, applications, values_files
from llmd_tools.judges.comparison import lost
from llmd_tools.judges.plugin import Judged
from llmd_tools.judges.rendered import ROOT

pytestmark = pytest.mark.cluster

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Objects = dict[tuple[str, str, str], Any]


def _key(manifest: dict[str, Any]) -> tuple[str, str, str]:
    metadata = manifest["metadata"]
    return manifest["kind"], metadata.get("namespace", ""), metadata["name"]


def _committed(folder: Path) -> Objects:
    manifests = [yaml.load(file.read_text(), _LOADER) for file in folder.glob("*.yaml")]  # noqa: S506  # safe, in C
    return {_key(manifest): manifest for manifest in manifests}


def test_helm_renders_what_is_committed(helm: Helm, values: ValuesFile, judged: Judged) -> None:
    """Each object that Helm renders is the committed one, field by field; none is missing and none is more."""
    begun = time.monotonic()
    options = ["--namespace", values.namespace, "--values", values.path, "--skip-tests"]
    text = helm("template", values.release, values.chart, *options)
    spent = time.monotonic() - begun
    manifests = [each.manifest for each in templated(text)]
    rendered = {_key(manifest): manifest for manifest in manifests}
    assert [key for key, count in Counter(map(_key, manifests)).items() if count > 1] == []
    committed = _committed(DIST / values.environment / values.application)
    assert committed
    assert rendered.keys() == committed.keys()
    differing = {
        key: [*lost(committed[key], manifest), *lost(manifest, committed[key])]
        for key, manifest in rendered.items()
        if manifest != committed[key]
    }
    assert differing == {}
    judged(f"helm {helm.major}", str(values), len(rendered), seconds=spent)


def test_every_application_has_values() -> None:
    """Every application in `dist/` has a values file, and every values file an application."""
    assert {str(each) for each in values_files()} == applications()


def test_every_values_file_gives_its_own_command() -> None:
    """The command in the first line names the file itself and the application as the release."""
    for each in values_files():
        assert each.release == each.application
        assert each.path.relative_to(ROOT).as_posix() in each.path.read_text().splitlines()[0]
