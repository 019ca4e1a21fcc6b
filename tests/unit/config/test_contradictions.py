"""What cannot be is refused at its own line: names given twice, node pools and versions against the catalogue."""

from pathlib import Path

import pytest

from llmd_constructs.config.errors import InputError
from llmd_constructs.config.load import load_environments

TEXT = """\
cluster:
  name: sample
  project: sample-project
  location: us-central1-a
  kubernetes: "1.34"
  nodePools:
    - machineType: n1-standard-4
      name: t4
      accelerator: {type: nvidia-t4}
      maxNodes: 3
    - machineType: e2-standard-4
      name: cpu
      maxNodes: 3
gitops:
  repository: {url: https://github.com/example/sample.git}
platform:
  gateway: {provider: istio}
  istio: "1.29"
deployments:
  - stack: llm-d
    name: one
    pattern: single-replica
    namespace: models
    model: google/gemma-2b-it
    nodePool: t4
  - stack: llm-d
    name: many
    pattern: multi-model
    namespace: models
    models:
      - model: Qwen/Qwen3-8B
        name: first
        nodePool: t4
        adapters:
          - uri: hf://example/a
            name: tuned
          - uri: hf://example/b
            name: better
"""


def _told(root: Path, *changes: tuple[str, str]) -> list[str]:
    path = root / "environments" / "sample.yaml"
    path.parent.mkdir(parents=True)
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, "utf-8")
    try:
        load_environments(root)
    except InputError as error:
        return [str(problem).removeprefix("environments/sample.yaml:") for problem in error.problems]
    return []


def test_what_the_cases_change_is_what_is_refused(tmp_path: Path) -> None:
    """Without a change nothing is."""
    assert _told(tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "name: cpu",
            "name: t4",
            (
                "12: cluster.nodePools[1].name: t4 is the name of cluster.nodePools[0] too; "
                "give each node pool its own name"
            ),
        ),
        (
            "name: many",
            "name: one",
            "27: deployments[1].name: one is the name of deployments[0] too; give each deployment its own name",
        ),
        (
            "name: better",
            "name: tuned",
            (
                "38: deployments[1].models[0].adapters[1].name: tuned is the name of "
                "deployments[1].models[0].adapters[0] too; give each adapter its own name"
            ),
        ),
    ],
)
def test_a_name_given_twice_is_shown_at_the_second(old: str, new: str, told: str, tmp_path: Path) -> None:
    """The line is that of the second name, and the text says where the first is."""
    assert _told(tmp_path, (old, new)) == [told]


GPU = "n1-standard-4\n      name: t4\n      accelerator: {type: nvidia-t4}"


@pytest.mark.parametrize(
    ("machine", "accelerator", "told"),
    [
        (
            "ct6e-standard-4t",
            "{type: nvidia-t4}",
            (
                "type: is nvidia-t4, and ct6e-standard-4t has 4 x tpu-v6e built in; "
                "leave `accelerator` out, or choose a machine type of n1"
            ),
        ),
        (
            "g2-standard-12",
            "{type: nvidia-h100-80gb}",
            (
                "type: is nvidia-h100-80gb, and g2-standard-12 has 1 x nvidia-l4 built in; "
                "leave `accelerator` out, or choose a machine type of a3"
            ),
        ),
        (
            "e2-standard-4",
            "{type: nvidia-t4}",
            (
                "type: is nvidia-t4, and e2-standard-4 takes no GPUs; "
                "leave `accelerator` out, or choose a machine type of n1"
            ),
        ),
        (
            "n1-standard-4",
            "{type: nvidia-l4}",
            (
                "type: is nvidia-l4, and n1-standard-4 takes nvidia-t4; "
                "leave `accelerator` out, or choose a machine type of g2"
            ),
        ),
        (
            "a3-highgpu-8g",
            "{type: nvidia-h100-80gb, count: 4}",
            "count: is 4, and a3-highgpu-8g has 8 x nvidia-h100-80gb built in; leave `accelerator` out",
        ),
    ],
)
def test_an_accelerator_that_the_machine_cannot_have(
    machine: str, accelerator: str, told: str, tmp_path: Path
) -> None:
    """What is built in, or can be attached, comes from the catalogue."""
    change = (GPU, f"{machine}\n      name: t4\n      accelerator: {accelerator}")
    assert _told(tmp_path, change) == [f"9: cluster.nodePools[0].accelerator.{told}"]


@pytest.mark.parametrize("accelerator", ["{type: nvidia-h100-80gb}", "{type: nvidia-h100-80gb, count: 8}"])
def test_an_accelerator_that_is_built_in_may_be_said(accelerator: str, tmp_path: Path) -> None:
    """It contradicts nothing, and gcloud wants it said."""
    assert _told(tmp_path, (GPU, f"a3-highgpu-8g\n      name: t4\n      accelerator: {accelerator}")) == []


def test_a_topology_needs_tpus(tmp_path: Path) -> None:
    """Nothing would read it."""
    assert _told(tmp_path, ("name: cpu", "name: cpu\n      topology: 2x2")) == [
        (
            "13: cluster.nodePools[1].topology: is 2x2, and e2-standard-4 has no TPUs; "
            "leave it out, or choose a machine type with TPUs"
        )
    ]


def test_a_model_needs_a_node_pool_with_an_accelerator(tmp_path: Path) -> None:
    """Said at the node pool's name, with those that have one."""
    assert _told(
        tmp_path,
        ("model: google/gemma-2b-it\n    nodePool: t4", "model: google/gemma-2b-it\n    nodePool: cpu"),
    ) == ["25: deployments[0].nodePool: cpu (e2-standard-4) has no accelerator; write one of t4"]


@pytest.mark.parametrize("version", ["1.31", "1.37", "1.31.14-gke.1986000"])
def test_minors_that_gke_offers_are_taken(version: str, tmp_path: Path) -> None:
    """Both ends of the range belong to it, and so does each patch of a minor."""
    assert _told(tmp_path, ('"1.34"', f'"{version}"')) == []


@pytest.mark.parametrize(
    ("version", "told"),
    [
        (
            "1.30",
            (
                "is 1.30, which GKE offered no more on 2026-09-16; "
                'write a minor from "1.31" to "1.37", and upgrade the cluster first'
            ),
        ),
        (
            "1.9",
            (
                "is 1.9, which GKE offered no more on 2026-09-16; "
                'write a minor from "1.31" to "1.37", and upgrade the cluster first'
            ),
        ),
        (
            "1.38.1-gke.1000000",
            (
                "is 1.38.1-gke.1000000, and on 2026-09-16 GKE offered 1.37 at most; write that or an older one, "
                "or add what is newer to constructs/llmd_constructs/catalogue/gke_versions.yaml"
            ),
        ),
    ],
)
def test_minors_that_gke_does_not_offer_are_refused(version: str, told: str, tmp_path: Path) -> None:
    """With the day of the facts, and where newer ones go."""
    assert _told(tmp_path, ('"1.34"', f'"{version}"')) == [f"5: cluster.kubernetes: {told}"]


@pytest.mark.parametrize(
    ("version", "refused"), [("1.32.2-gke.1000000", True), ("1.32.3-gke.1", False), ("1.32", False)]
)
def test_the_gateway_of_gke_needs_a_version_with_pools(version: str, refused: bool, tmp_path: Path) -> None:
    """A bare minor stands for its latest version."""
    told = _told(
        tmp_path,
        ('"1.34"', version if "gke" in version else f'"{version}"'),
        ("provider: istio", "provider: gke"),
    )
    said = (
        f"5: cluster.kubernetes: is {version}, and GKE's gateway knows InferencePools from 1.32.3 on; "
        "write 1.32.3 or later, and upgrade the cluster first"
    )
    assert told == ([said] if refused else [])


def test_an_accelerator_needs_its_first_version(tmp_path: Path) -> None:
    """TPU7x came with a version that its entry in the catalogue names."""
    change = (GPU, "tpu7x-standard-4t\n      name: t4")
    assert _told(tmp_path, change) == []
    assert _told(tmp_path / "second", change, ('"1.34"', '"1.33"')) == [
        (
            "5: cluster.kubernetes: is 1.33, and GKE has tpu7x-standard-4t from 1.34.0-gke.2201000 on; "
            "write 1.34.0-gke.2201000 or later, and upgrade the cluster first"
        )
    ]
