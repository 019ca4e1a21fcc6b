"""A contestant that renders something else is found out."""

from copy import deepcopy
from pathlib import Path

import yaml

from llmd_bench.equality import differences, expected, rendered
from llmd_bench.workload import workload


def test_equal_objects_have_no_difference(tmp_path: Path) -> None:
    """Neither the order of objects and keys nor the number of files matters."""
    wanted = expected(workload(2))
    objects = list(wanted.values())[::-1]
    (tmp_path / "one.yaml").write_text(yaml.safe_dump_all(objects[:7], sort_keys=True))
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "rest.yaml").write_text("---\n" + yaml.safe_dump_all(objects[7:]) + "---\n")
    assert differences(wanted, rendered(tmp_path)) == []


def test_argocd_applications_are_not_part_of_the_comparison(tmp_path: Path) -> None:
    """This repository's Argo CD Applications are beside the workload."""
    (tmp_path / "argocd").mkdir()
    (tmp_path / "argocd" / "extra.yaml").write_text(
        "kind: Application\napiVersion: v1\nmetadata: {name: extra}\n"
    )
    assert rendered(tmp_path) == {}


def test_every_kind_of_difference_is_named() -> None:
    """What is missing, too many, or changed is named by kind, namespace and name."""
    wanted = expected(workload(1))
    found = deepcopy(wanted)
    changed, gone, *_ = found
    found[changed]["spec"] = {"other": True}
    found["", "ConfigMap", "team-0000", "more"] = found.pop(gone)
    assert differences(wanted, found) == [
        "ConfigMap team-0000/more: too many",
        "Deployment team-0000/decode: missing",
        "ExternalSecret team-0000/hugging-face-token: not equal",
    ]
