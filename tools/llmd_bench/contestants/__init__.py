"""The contestants, and those that are named without being measured."""

from collections.abc import Mapping

from llmd_bench.contest import Prepare
from llmd_bench.contestants import cdk8s_js, cue, floor, helm, jsonnet, kustomize, ours

CONTESTANTS: Mapping[str, Prepare] = {
    "this repository": ours.prepare,
    "floor": floor.prepare,
    "helm": helm.prepare,
    "kustomize": kustomize.prepare,
    "go-jsonnet": jsonnet.prepare,
    "CUE": cue.prepare,
    "cdk8s in TypeScript": cdk8s_js.prepare,
}

NOT_MEASURED: Mapping[str, str] = {
    "Tanka": "the Go module proxy refuses its current release; it evaluates with the library of go-jsonnet",
    "timoni": "the Go module proxy refuses its current release; it evaluates with the library of CUE",
    "helmfile": "does not build as a pinned module: a dependency asks for k8s.io/api/autoscaling/v2beta2, which is "
    "gone; it starts one `helm template` per release",
}
"""Tools that people would look for, and why they are not here."""
