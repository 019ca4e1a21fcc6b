"""Which pattern works on which stack, gateway and accelerator: asked of the code, cell by cell."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from llmd_constructs import catalogue
from llmd_constructs.config.environment import Environment
from llmd_constructs.context import Context
from llmd_constructs.patterns.support import Refusal, refusals

Json = dict[str, Any]

PATH = "docs/matrix.md"

MODEL = "Qwen/Qwen3-8B"
EXPERTS = "Qwen/Qwen3-30B-A3B"
NEWEST_KSERVE = "0.20"
NEWEST_ISTIO = "1.29"
SEVERAL_GPU_NODES = (
    "Several GPU nodes talk over TCP unless the cluster has networks for GPUs and its pods ask for them, which is not "
    "rendered, because their names are the cluster's own: such a replica starts, at a fraction of the speed. Rule "
    "[ACC-15](rules.md#acc-15-gpus-of-one-replica-on-several-nodes-have-a-network-of-their-own) says so, and what to add."
)
INTRODUCTION = (
    "Each cell was asked of the code that refuses combinations, with the newest releases of the catalogue "
    f"(KServe {NEWEST_KSERVE}, Istio {NEWEST_ISTIO}). A number is the reason for a refusal."
)


@dataclass(frozen=True)
class Variant:
    """A row: a pattern with the settings that make a difference."""

    title: str
    pattern: str
    settings: Mapping[str, Any]
    multi_host: bool = False


VARIANTS = (
    Variant("1 single replica", "single-replica", {"model": MODEL, "nodePool": "pool"}),
    Variant("2 multi-model, by path", "multi-model", {"routing": "path"}),
    Variant("2 multi-model, by the request's body", "multi-model", {"routing": "body"}),
    Variant("2 multi-model, with LoRA adapters", "multi-model", {"routing": "path", "adapters": True}),
    Variant(
        "3 prefix cache, approximate", "prefix-cache", {"model": MODEL, "nodePool": "pool", "replicas": 2}
    ),
    Variant(
        "3 prefix cache, precise",
        "prefix-cache",
        {"model": MODEL, "nodePool": "pool", "replicas": 2, "routing": "precise"},
    ),
    Variant("4 mixture of experts, one node", "mixture-of-experts", {"model": EXPERTS, "nodePool": "pool"}),
    Variant(
        "4 mixture of experts, several nodes",
        "mixture-of-experts",
        {"model": EXPERTS, "nodePool": "pool", "nodesPerReplica": 2},
        multi_host=True,
    ),
    Variant("5 prefill and decode", "prefill-decode", {"model": MODEL, "nodePool": "pool"}),
)
"""Every row of the matrix."""

STACKS = ("kserve", "llm-d")
GATEWAYS = ("gke", "istio")
KINDS = ("tpu", "gpu")


@dataclass(frozen=True)
class Cell:
    """One combination and, where it is refused, why."""

    variant: Variant
    stack: str
    gateway: str
    kind: str
    refusal: Refusal | None

    @property
    def reason(self) -> str:
        """The refusal in one sentence; empty where it works."""
        return f"{self.refusal.message}; {self.refusal.instead}" if self.refusal else ""


def cells() -> Iterator[Cell]:
    """Every combination, in the order of the table."""
    for variant in VARIANTS:
        for stack in STACKS:
            for gateway in GATEWAYS:
                for kind in KINDS:
                    environment = cell_environment(variant, stack, gateway, kind)
                    first = next(refusals(Context("matrix", environment)), None)
                    yield Cell(variant, stack, gateway, kind, first)


def cell_environment(variant: Variant, stack: str, gateway: str, kind: str) -> Environment:
    """The smallest environment that asks for one combination, with the newest releases."""
    platform: Json = {
        "gateway": {"provider": gateway, "namespace": "inference-gateway"},
        "kserve": NEWEST_KSERVE,
    }
    if gateway == "istio":
        platform["istio"] = NEWEST_ISTIO
    return Environment.model_validate(
        {
            "cluster": {
                "name": "matrix",
                "project": "matrix-project",
                "location": "europe-west4-a",
                "kubernetes": "1.34",
                "nodePools": [_accelerator_pool(kind, multi_host=variant.multi_host)],
            },
            "gitops": {"repository": {"url": "https://github.com/example/matrix.git"}},
            "platform": platform,
            "deployments": [_deployment(variant, stack)],
        },
    )


def _accelerator_pool(kind: str, *, multi_host: bool) -> Json:
    if kind == "gpu":
        return {"name": "pool", "machineType": "a3-highgpu-1g", "maxNodes": 4}
    topology = "2x4" if multi_host else "2x2"
    return {
        "name": "pool",
        "machineType": "ct6e-standard-4t",
        "topology": topology,
        "maxNodes": 4,
        "bootDiskGb": 200,
    }


def _deployment(variant: Variant, stack: str) -> Json:
    base: Json = {"name": "sample", "pattern": variant.pattern, "stack": stack, "namespace": "sample"}
    settings = dict(variant.settings)
    if variant.pattern == "multi-model":
        first: Json = {"name": "first", "model": MODEL, "nodePool": "pool"}
        if settings.pop("adapters", False):
            first["adapters"] = [{"name": "tuned", "uri": "hf://example/tuned"}]
        settings["models"] = [first, {"name": "second", "model": EXPERTS, "nodePool": "pool"}]
    return {**base, **settings}


def matrix_page() -> str:
    """The matrix as a page of the documentation."""
    table = list(cells())
    reasons = list(dict.fromkeys(cell.reason for cell in table if cell.refusal))
    columns = [(stack, gateway, kind) for stack in STACKS for gateway in GATEWAYS for kind in KINDS]
    head = [f"{_stack(stack)}, {_gateway(gateway)}, {kind.upper()}" for stack, gateway, kind in columns]
    rows = [
        [variant.title, *(_mark(cell, reasons) for cell in table if cell.variant is variant)]
        for variant in VARIANTS
    ]
    return "\n".join(
        [
            "# What works with what",
            "",
            INTRODUCTION,
            "",
            *_markdown(["pattern", *head], rows),
            "",
            *(f"{number}. {reason}" for number, reason in enumerate(reasons, 1)),
            "",
            SEVERAL_GPU_NODES,
            "",
            "## KServe releases and gateways",
            "",
            "Where gateway and controller do not agree on the API of the InferencePool, the release is refused.",
            "",
            *_markdown(
                ["KServe", "GKE", *(f"Istio {item}" for item in catalogue.ids("istio_release"))], _releases()
            ),
            "",
        ],
    )


def _releases() -> list[list[str]]:
    rows: list[list[str]] = []
    for release in catalogue.ids("kserve_release"):
        written = catalogue.kserve_release(release).pool_apis
        reads = ["inference.networking.k8s.io/v1"]
        reads += [catalogue.istio_release(item).inference_pool_api for item in catalogue.ids("istio_release")]
        rows.append([release, *("yes" if api in written else "no" for api in reads)])
    return rows


def _mark(cell: Cell, reasons: list[str]) -> str:
    return str(reasons.index(cell.reason) + 1) if cell.refusal else "yes"


def _stack(stack: str) -> str:
    return {"kserve": "KServe", "llm-d": "llm-d"}[stack]


def _gateway(gateway: str) -> str:
    return {"gke": "GKE", "istio": "Istio"}[gateway]


def _markdown(head: list[str], rows: list[list[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]
