# ruff: noqa: PLR0911 - a case for each application
"""An environment as Helm releases: which chart, and which values, give each of its applications."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from llmd_constructs.application import Application
from llmd_constructs.charts.accelerators import accelerator_id
from llmd_constructs.charts.definition import Values
from llmd_constructs.charts.definitions import chart_name
from llmd_constructs.config.base import Model
from llmd_constructs.config.deployment import Deployment, MultiModel, Phase, PrefillDecode, ServedModel
from llmd_constructs.context import Context
from llmd_constructs.environment import EnvironmentApp, body_routed_models
from llmd_constructs.patterns.models import default_route


@dataclass(frozen=True)
class Release:
    """One application as a Helm release.

    Attributes:
        environment: The environment.
        application: The application, and the release's name.
        chart: The chart.
        namespace: Where it is installed.
        values: What differs from the chart's own values.
    """

    environment: str
    application: str
    chart: str
    namespace: str
    values: Values

    @property
    def path(self) -> str:
        """Its values file, from the root of the repository."""
        return f"charts/values/{self.environment}/{self.application}.yaml"

    @property
    def text(self) -> str:
        """Its values file."""
        command = (
            f"# helm template {self.application} charts/{self.chart} --namespace {self.namespace} "
            f"--values {self.path}\n"
        )
        return command + yaml.dump(self.values, Dumper=yaml.CSafeDumper, sort_keys=False, width=100)


def releases(app: EnvironmentApp) -> Iterator[Release]:
    """Every application that `dist/` holds, as a release."""
    context = app.context
    deployments = {deployment.name: deployment for deployment in context.environment.active}
    for application in app.applications:
        if not isinstance(application, Application):
            continue
        deployment = deployments.get(application.name)
        if deployment:
            chart, values = (
                chart_name(deployment.pattern, deployment.stack),
                model_values(context, deployment),
            )
        else:
            chart, values = f"platform-{application.name}", platform_values(context, application)
        yield Release(
            context.name,
            application.name,
            chart,
            application.target_namespace,
            {"environment": context.name, **values},
        )


def model_values(context: Context, deployment: Deployment) -> Values:
    """The values of one deployment."""
    platform, network = context.environment.platform, context.environment.cluster.network
    values: Values = {
        "gateway": {
            "provider": platform.gateway.provider,
            "name": platform.gateway.name,
            "namespace": platform.gateway.namespace,
            **({"hostname": platform.gateway.hostname} if platform.gateway.hostname else {}),
        },
        "secrets": _secrets(context),
        "networkPolicies": _set(
            {
                "enabled": platform.network_policies,
                "proxyOnlySubnet": network.proxy_only_subnet and str(network.proxy_only_subnet),
                "controlPlane": network.control_plane and str(network.control_plane),
            }
        ),
    }
    if platform.monitoring:
        values["monitoring"] = {"enabled": True}
    if deployment.stack == "kserve":
        values |= _set({"kserve": platform.kserve, "istio": platform.istio})
    else:
        values["picker"] = platform.picker
        if not isinstance(deployment, MultiModel):
            values["route"] = deployment.route or default_route(deployment.stack)
    return {**values, **_settings(context, deployment)}


_ELSEWHERE = {"name", "namespace", "pattern", "stack", "enabled", "route"}


def _settings(context: Context, deployment: Deployment) -> Values:
    """A deployment's own settings, with accelerators for node pools."""
    values = _said(deployment, _ELSEWHERE)
    if isinstance(deployment, MultiModel):
        values["models"] = [
            {"name": served.name, **_placed(context, served, served.node_pool)}
            for served in deployment.models
        ]
        return values
    if isinstance(deployment, PrefillDecode):
        del values["nodePool"]
        for name, side in (("prefill", deployment.prefill), ("decode", deployment.decode)):
            values[name] = _placed(context, side, side.node_pool or deployment.node_pool)
        return values
    return _placed(context, deployment, deployment.node_pool)


def _placed(context: Context, settings: ServedModel | Phase | Deployment, pool: str) -> Values:
    said = _said(settings, {*_ELSEWHERE, "nodePool"})
    return {**said, "accelerator": accelerator_id(context.environment.node_pool(pool))}


def _said(settings: Model, apart: set[str]) -> Values:
    """What a user wrote, without what is said elsewhere."""
    written = settings.model_dump(by_alias=True, mode="json", exclude_defaults=True)
    values = {name: value for name, value in written.items() if name not in apart}
    weights = values.get("scheduler", {}).get("weights")
    if weights:
        values["scheduler"]["weights"] = {name: int(weight) for name, weight in weights.items()}
    return values


def _secrets(context: Context) -> Values:
    secrets = context.environment.platform.secrets
    pull = secrets.image_pull_secret
    token = secrets.hugging_face_token
    return {
        "provider": secrets.provider,
        "huggingFaceToken": {"name": token.name, "key": token.key},
        **({"imagePullSecret": {"name": pull.name}} if pull else {}),
    }


def platform_values(context: Context, application: Application) -> Values:
    """The values of one application of the platform."""
    environment = context.environment
    platform = environment.platform
    gateway = platform.gateway
    match application.name:
        case "namespaces":
            return {"namespaces": [_namespace(manifest) for manifest in application.manifests]}
        case "certificates":
            return _set({"bundleNamespace": gateway.namespace if context.serves_tls else None})
        case "secrets":
            secrets = platform.secrets
            return {
                "project": environment.cluster.project,
                "huggingFaceToken": secrets.hugging_face_token.model_dump(by_alias=True, exclude_none=True),
                **_set({"imagePullSecret": secrets.image_pull_secret and _dump(secrets.image_pull_secret)}),
                "namespaces": list(environment.namespaces),
            }
        case "istio":
            return _set({"istio": platform.istio})
        case "gateway":
            return {
                "gateway": _dump(gateway),
                "modelNamespaces": sorted(environment.namespaces),
                "trustsCa": context.serves_tls,
            }
        case "body-router":
            return {
                "gateway": {key: _dump(gateway)[key] for key in ("provider", "name", "namespace")},
                "models": [
                    {"name": each.name, "model": each.model, "adapters": list(each.adapters)}
                    for each in body_routed_models(environment)
                ],
            }
        case "network-policies":
            return {"namespaces": list(environment.namespaces)}
        case name:
            raise ValueError(f"no chart stands for the application {name}")


def _namespace(manifest: Mapping[str, Any]) -> Values:
    metadata = manifest["metadata"]
    return {"name": metadata["name"], "podSecurity": metadata["labels"]["pod-security.kubernetes.io/enforce"]}


def _dump(model: Model) -> Values:
    return model.model_dump(by_alias=True, mode="json", exclude_none=True)


def _set(values: Values) -> Values:
    return {name: value for name, value in values.items() if value is not None}
