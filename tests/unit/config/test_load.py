"""Files beside each other: their names, and the clusters that they describe."""

from pathlib import Path

import pytest

from llmd_constructs.config.errors import InputError
from llmd_constructs.config.load import LONGEST_NAME, load_environments

TEXT = """\
cluster:
  project: sample-project
  name: sample
  location: us-central1-a
  kubernetes: "1.34"
  nodePools:
    - {name: t4, machineType: n1-standard-4, accelerator: {type: nvidia-t4}, maxNodes: 3}
gitops:
  repository: {url: https://github.com/example/sample.git}
platform:
  gateway: {provider: gke}
deployments:
  - {name: one, pattern: single-replica, stack: llm-d, namespace: models, model: google/gemma-2b-it, nodePool: t4}
"""


def _told(root: Path, **files: str) -> list[str]:
    folder = root / "environments"
    (folder / "bases").mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    try:
        load_environments(root)
    except InputError as error:
        return [str(problem) for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("file", "good"),
    [
        ("Acme_3.yaml", "acme-3"),
        ("my env.yaml", "my-env"),
        ("a.b.yaml", "a-b"),
        ("-a-.yaml", "a"),
        ("ü.yaml", "cluster"),
        (f"{'a' * LONGEST_NAME}-b.yaml", "a" * LONGEST_NAME),
        ("settings.yaml", "settings-cluster"),
        ("Two Words.yml", "two-words"),
    ],
)
def test_a_file_that_cannot_name_an_environment_is_refused(file: str, good: str, tmp_path: Path) -> None:
    """The stem becomes the name of a project, of labels and of folders; a name that works is told."""
    told = _told(tmp_path, **{file: TEXT})
    assert len(told) == 1
    assert told[0].startswith(f"environments/{file}: ")
    assert told[0].endswith(f"rename it to {good}.yaml")


@pytest.mark.parametrize("name", ["a", "3-tier", "acme-3", "a" * LONGEST_NAME])
def test_a_file_with_a_name_for_labels_is_taken(name: str, tmp_path: Path) -> None:
    """Lower-case letters, digits and dashes, up to the longest."""
    assert _told(tmp_path, **{f"{name}.yaml": TEXT}) == []


def test_two_files_of_one_cluster_are_refused(tmp_path: Path) -> None:
    """Both files are named, at the cluster's name in the second."""
    assert _told(tmp_path, **{"a.yaml": TEXT, "b.yaml": TEXT}) == [
        (
            "environments/b.yaml:3: cluster.name: environments/b.yaml describes sample in sample-project, us-central1-a, "
            "as environments/a.yaml does; give each cluster one file, and its own name or project in it"
        )
    ]


def test_two_files_of_one_base_are_named_both(tmp_path: Path) -> None:
    """Where the name is inherited, the line is the base's, and the text names the files."""
    told = _told(
        tmp_path,
        **{
            "bases/all.yaml": TEXT,
            "a.yaml": "extends: bases/all.yaml\n",
            "b.yaml": "extends: bases/all.yaml\n",
        },
    )
    assert len(told) == 1
    assert told[0].startswith(
        "environments/bases/all.yaml:3: cluster.name: environments/b.yaml describes sample"
    )
    assert "environments/a.yaml" in told[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: sample", "name: other"),
        ("project: sample-project", "project: other-project"),
        ("location: us-central1-a", "location: us-central1-b"),
    ],
)
def test_staging_and_production_may_share_all_but_one(old: str, new: str, tmp_path: Path) -> None:
    """Clusters of one name in two projects or places, or of two names in one, are two."""
    assert _told(tmp_path, **{"a.yaml": TEXT, "b.yaml": TEXT.replace(old, new)}) == []
