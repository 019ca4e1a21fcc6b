# ruff: noqa: C901, PLR0912 - one repair after the other
"""What the constructs render for values of a chart: the same code that fills `dist/`."""

from random import Random

import cdk8s

from llmd_constructs import catalogue
from llmd_constructs.application import Application, Wave
from llmd_constructs.charts.accelerators import node_pool
from llmd_constructs.charts.knobs import Json
from llmd_constructs.charts.sampling import Values, placement
from llmd_constructs.config.deployment import Stack
from llmd_constructs.config.environment import Environment
from llmd_constructs.context import Context
from llmd_constructs.manifest import JsonObject
from llmd_constructs.patterns import PATTERNS
from llmd_constructs.patterns.support import refusals

_OWN = ("environment", "gateway", "secrets", "networkPolicies", "monitoring", "kserve", "istio", "picker")
"""Values that are no setting of a deployment."""


def as_environment(
    pattern: str, stack: Stack, values: dict[str, Json], *, release: str, namespace: str
) -> Context:
    """The environment in which a deployment has just these values."""
    pools: list[dict[str, Json]] = []

    def placed(settings: dict[str, Json]) -> dict[str, Json]:
        rest = {name: value for name, value in settings.items() if name != "accelerator"}
        if "accelerator" not in settings:
            return rest
        pools.append(node_pool(settings["accelerator"], f"pool-{len(pools)}"))
        return {**rest, "nodePool": pools[-1]["name"]}

    deployment = placed({name: value for name, value in values.items() if name not in _OWN})
    if "models" in deployment:
        deployment["models"] = [placed(served) for served in deployment["models"]]
    for side in ("prefill", "decode"):
        if side in deployment:
            deployment[side] = placed(deployment[side])
            deployment["nodePool"] = deployment[side]["nodePool"]
    policies = values["networkPolicies"]
    gateway = values["gateway"]
    istio = values.get("istio") or ("1.29" if gateway["provider"] == "istio" else None)
    environment = Environment.model_validate(
        {
            "cluster": {
                "name": "any",
                "project": "any-project",
                "location": "europe-west4-a",
                "kubernetes": "1.35",
                "network": {
                    "proxyOnlySubnet": policies.get("proxyOnlySubnet"),
                    "controlPlane": policies.get("controlPlane"),
                }
                if policies.get("proxyOnlySubnet") and policies.get("controlPlane")
                else {k: policies[k] for k in ("proxyOnlySubnet", "controlPlane") if policies.get(k)},
                "nodePools": pools,
            },
            "gitops": {"repository": {"url": "https://git.example/any.git"}},
            "platform": {
                "gateway": gateway,
                **({"kserve": values["kserve"]} if "kserve" in values else {}),
                **({"istio": istio} if istio else {}),
                **({"picker": values["picker"]} if "picker" in values else {}),
                "secrets": values["secrets"],
                "networkPolicies": policies["enabled"],
                "monitoring": values["monitoring"]["enabled"],
            },
            "deployments": [
                {**deployment, "name": release, "pattern": pattern, "stack": stack, "namespace": namespace}
            ],
        }
    )
    return Context(values["environment"], environment)


class Renderer:
    """Renders one pattern on one stack again and again."""

    def __init__(self, pattern: str, stack: Stack) -> None:
        """Prepare for one pattern on one stack."""
        self._pattern = pattern
        self._stack: Stack = stack
        self._samples = Samples()

    def __call__(self, values: Values, release: str, namespace: str) -> list[JsonObject] | None:
        """The objects of a release, or None where the values cannot work together."""
        context = as_environment(self._pattern, self._stack, values, release=release, namespace=namespace)
        # How many nodes there are is the cluster's affair.
        if any(refusal.path[-1] != "maxNodes" for refusal in refusals(context)):
            return None
        deployment = context.environment.deployments[0]
        application = self._samples.application(deployment.namespace)
        PATTERNS[self._pattern](application, context, deployment)
        return application.manifests


class Samples:
    """A construct tree for what is rendered only to be looked at."""

    def __init__(self) -> None:
        """Start with an empty tree."""
        self._app: cdk8s.App | None = None
        self._count = 0

    def application(self, namespace: str = "default") -> Application:
        """An empty application."""
        self._app = self._app or cdk8s.App()
        self._count += 1
        return Application(self._app, f"sample-{self._count}", wave=Wave.MODELS, namespace=namespace)


OFTEN = 0.5
"""How often a scorer takes part."""


def repair(values: Values, random: Random) -> None:
    """Values made to work together where chance seldom makes them."""
    gateway = values["gateway"]
    if "kserve" in values:
        if gateway["provider"] == "istio":
            values.setdefault("istio", random.choice(catalogue.ids("istio_release")))
            if catalogue.kserve_release(values["kserve"]).default_gateway:
                gateway |= {"name": "inference-gateway", "namespace": "opendatahub"}
        else:
            values.pop("istio", None)
        picker = catalogue.kserve_release(values["kserve"]).picker
    else:
        picker = values["picker"]
    plugins = catalogue.picker_release(picker).plugins
    weights = values["scheduler"].get("weights")
    if weights is not None:
        kept = {
            name: weight for name, weight in weights.items() if name in plugins and random.random() < OFTEN
        }
        values["scheduler"]["weights"] = kept
        if not kept:
            del values["scheduler"]["weights"]
    if "nodesPerReplica" in values:
        placed = placement(values["accelerator"])
        # One node is as different from several as a stack from another.
        if random.random() < OFTEN:
            values["nodesPerReplica"] = 1
        if placed.is_tpu:
            values["nodesPerReplica"] = placed.hosts
            if placed.hosts > 1:
                values["replicas"] = 1
    _scale(values)
    _divide(values)
    taken: set[str] = set()
    for served in values.get("models", ()):
        if served["model"] in taken:
            served["model"] = next(model for model in catalogue.ids("model") if model not in taken)
        if served["engine"].get("image") in taken:
            del served["engine"]["image"]
        taken |= {served["model"], served["engine"].get("image", "")}
    if values.get("routing") == "precise":
        values["engine"].pop("blockSize", None)


def _scale(values: Values) -> None:
    """Autoscalers where the release leaves replicas alone, with metrics to follow."""
    holders = [
        each
        for each in (values, *values.get("models", ()), values.get("prefill", {}), values.get("decode", {}))
        if "autoscaling" in each
    ]
    if "kserve" in values and not catalogue.kserve_release(values["kserve"]).features.replicas_left_alone:
        for holder in holders:
            del holder["autoscaling"]
    elif holders:
        values["monitoring"]["enabled"] = True


def _divide(values: Values) -> None:
    """Leave out tensor parallelism that the devices cannot be divided by."""
    for holder in (values, *values.get("models", ())):
        engine = holder.get("engine", {})
        accelerators = [
            side["accelerator"]
            for side in (holder, values.get("prefill", {}), values.get("decode", {}))
            if "accelerator" in side
        ]
        size = engine.get("tensorParallelSize", 1)
        if any(placement(each).devices_per_node % size for each in accelerators):
            del engine["tensorParallelSize"]
