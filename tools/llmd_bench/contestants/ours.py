"""This repository's own synthesis, all of it: environment file, construct tree, plan, YAML, files on the disk."""

import sys
from collections.abc import Sequence
from pathlib import Path

from llmd_bench.contest import Contestant, python_path
from llmd_bench.workload import Values, environments

NAME = "this repository"
ENVIRONMENT = """\
cluster:
  name: {name}
  project: bench-project
  location: us-central1-a
  kubernetes: "1.34"
  nodePools:
    - {name: default-pool, machineType: e2-standard-4, maxNodes: 2}
    - {name: t4-pool, machineType: n1-standard-4, accelerator: {type: nvidia-t4, count: 1}, maxNodes: 3}
gitops:
  repository: {url: https://github.com/example/llm-inference-gitops.git, revision: main}
  destination: {server: https://kubernetes.default.svc}
platform:
  gateway:
    provider: gke
    className: gke-l7-regional-external-managed
    name: gateway
    namespace: gateway
  picker: v0.4.0
  secrets:
    provider: manual
    huggingFaceToken: {name: hugging-face-token, key: token}
deployments:
  - {name: chat, pattern: single-replica, stack: llm-d, namespace: chat, model: google/gemma-2b-it, nodePool: t4-pool}
"""
"""An environment to hang applications on. Its own deployment is read and checked, and not rendered."""


def prepare(folder: Path, values: Sequence[Values]) -> list[Contestant]:
    """Environment files, and the program that synthesizes them."""
    repository(folder / "repository", len(values))
    output = folder / "output"
    program = (sys.executable, "-m", "llmd_bench.synthesis")
    command = (*program, str(folder / "repository"), str(output), str(len(values)))
    return [
        Contestant(name, (*command, rules), folder, output, environment=python_path())
        for name, rules in ((NAME, "check"), (f"{NAME}, rules not checked", "skip"))
    ]


def repository(root: Path, applications: int) -> None:
    """Lay out the environment files for a workload."""
    (root / "environments").mkdir(parents=True)
    for number, _ in enumerate(environments(applications)):
        name = f"bench-{number:02}"
        (root / "environments" / f"{name}.yaml").write_text(ENVIRONMENT.replace("{name}", name))
