"""Charts of what models stand on, one for each of its Argo CD applications, so that they can be installed in order."""

from collections.abc import Callable
from random import Random
from typing import Annotated, Any, Literal

from pydantic import Field

from llmd_constructs import catalogue
from llmd_constructs.addons.network_policies import NamespacePolicies
from llmd_constructs.application import Application
from llmd_constructs.charts.definition import Definition, Values, as_they_are
from llmd_constructs.charts.rendering import Samples
from llmd_constructs.config.base import DnsLabel, Flag, Model, ProjectId, SecretKey
from llmd_constructs.config.platform import Gateway, GatewayProvider, PullSecret, SecretReference
from llmd_constructs.manifest import JsonObject
from llmd_constructs.platform.body_router import BodyRouter, RoutedModel
from llmd_constructs.platform.certificates import CaBundle, CertificateAuthority
from llmd_constructs.platform.gateway import InferenceGateway
from llmd_constructs.platform.istio import IstioControlPlane
from llmd_constructs.platform.namespaces import Namespace
from llmd_constructs.platform.secrets import SecretStore, add_secrets

MODEL_NAMESPACES: tuple[str, ...] = ("llm-d",)


class _Values(Model):
    """What every chart takes."""

    environment: DnsLabel = "default"
    """Name that ties the objects of an environment together (`app.kubernetes.io/part-of`)."""


class NamespaceValues(Model):
    """One namespace."""

    name: DnsLabel
    """Its name."""
    pod_security: Literal["baseline", "privileged"] = "baseline"
    """Pod Security level that is enforced. KServe's presets for groups of nodes need `privileged`."""


class NamespacesValues(_Values):
    """Namespaces with their Pod Security levels."""

    namespaces: tuple[NamespaceValues, ...] = (NamespaceValues(name="llm-d"),)
    """The namespaces."""


class CertificatesValues(_Values):
    """The certificate authority from which KServe issues certificates to model servers."""

    bundle_namespace: DnsLabel | None = None
    """Namespace of the Gateway whose pods get the authority's certificate. Default: none does."""


class TokenSecretValues(SecretReference):
    """The Hugging Face token."""

    name: DnsLabel = "hf-token"
    """Name of the Kubernetes Secret."""
    key: SecretKey = "HF_TOKEN"
    """Key inside the Secret."""


class SecretsValues(_Values):
    """Secrets that External Secrets reads from Google Secret Manager."""

    project: ProjectId = "my-project"
    """The Google Cloud project's id."""
    hugging_face_token: TokenSecretValues = TokenSecretValues()
    """The Hugging Face token, for gated models and download limits."""
    image_pull_secret: PullSecret | None = None
    """Credentials for private registries. Default: none."""
    namespaces: tuple[DnsLabel, ...] = MODEL_NAMESPACES
    """Namespaces that get the Secrets."""


class IstioValues(_Values):
    """Istio's control plane, through the Sail operator."""

    istio: Annotated[str, Field(json_schema_extra={"enum": list(catalogue.ids("istio_release"))})] = "1.29"
    """Istio minor."""


class GatewayValues(_Values):
    """The shared Gateway."""

    gateway: Gateway = Gateway(provider="gke")
    """The Gateway."""
    model_namespaces: tuple[DnsLabel, ...] = MODEL_NAMESPACES
    """Namespaces whose routes may attach. Default: only the Gateway's own."""
    trusts_ca: Flag = False
    """Check the certificates that KServe issues to model servers. Istio only."""


class RoutedModelValues(Model):
    """A base model and the adapters served with it."""

    name: DnsLabel
    """Name of its objects."""
    model: str
    """Model id, as on Hugging Face."""
    adapters: tuple[DnsLabel, ...] = ()
    """Names of its LoRA adapters."""


class RouterGateway(Model):
    """The Gateway whose requests are read."""

    provider: GatewayProvider = "gke"
    """`gke`: Google's own load balancer. `istio`: Envoy pods run by Istio."""
    name: DnsLabel = "inference-gateway"
    """Name of the Gateway object."""
    namespace: DnsLabel = "opendatahub"
    """Namespace of the Gateway object, and of the router."""


class BodyRouterValues(_Values):
    """The body-based router: routes by the `model` field of the request."""

    gateway: RouterGateway = RouterGateway()
    """The Gateway whose requests are read."""
    models: tuple[RoutedModelValues, ...] = (
        RoutedModelValues.model_validate({"name": "small", "model": "Qwen/Qwen3-0.6B"}),
    )
    """The models that it knows."""


class NetworkPoliciesValues(_Values):
    """Deny by default in every model namespace, but let names be looked up."""

    namespaces: tuple[DnsLabel, ...] = MODEL_NAMESPACES
    """The namespaces."""


def _namespaces(application: Application, values: NamespacesValues) -> None:
    for each in values.namespaces:
        Namespace(application, each.name, enforce=each.pod_security, part_of=values.environment)


def _certificates(application: Application, values: CertificatesValues) -> None:
    CertificateAuthority(application, "authority", part_of=values.environment)
    if values.bundle_namespace:
        CaBundle(application, "bundle", namespace=values.bundle_namespace, part_of=values.environment)


def _secrets(application: Application, values: SecretsValues) -> None:
    part_of = values.environment
    SecretStore(application, "store", project=values.project, part_of=part_of)
    add_secrets(application, values.namespaces, values.hugging_face_token, values.image_pull_secret, part_of)


def _istio(application: Application, values: IstioValues) -> None:
    release = catalogue.istio_release(values.istio)
    IstioControlPlane(application, "control-plane", release=release, part_of=values.environment)


def _gateway(application: Application, values: GatewayValues) -> None:
    InferenceGateway(
        application,
        "gateway",
        gateway=values.gateway,
        namespaces=values.model_namespaces,
        trusts_ca=values.trusts_ca,
        part_of=values.environment,
    )


def _body_router(application: Application, values: BodyRouterValues) -> None:
    models = [RoutedModel(each.name, each.model, each.adapters) for each in values.models]
    gateway = Gateway.model_validate(values.gateway.model_dump(by_alias=True))
    BodyRouter(application, "router", gateway=gateway, models=models, part_of=values.environment)


def _network_policies(application: Application, values: NetworkPoliciesValues) -> None:
    for namespace in values.namespaces:
        NamespacePolicies(application, namespace, namespace=namespace, part_of=values.environment)


def _repair_gateway(values: Values, random: Random) -> None:
    del random
    gateway = values["gateway"]
    values["modelNamespaces"].sort()
    if gateway.get("tls") and not gateway.get("hostname"):
        del gateway["tls"]


def _definition(
    name: str,
    model: type[_Values],
    fill: Callable[[Application, Any], None],
    items: str | None = None,
    repair: Callable[[Values, Random], None] | None = None,
) -> Definition:
    samples = Samples()

    def render(values: Values, release: str, namespace: str) -> list[JsonObject]:
        del release
        application = samples.application(namespace)
        fill(application, model.model_validate(values))
        return application.manifests

    description = (model.__doc__ or "").strip()
    return Definition(
        f"platform-{name}", description, model, render, repair or as_they_are, (items,) if items else ()
    )


def platform_charts() -> tuple[Definition, ...]:
    """Every chart of the platform, by the Argo CD application that it stands for."""
    return (
        _definition("namespaces", NamespacesValues, _namespaces, "namespaces"),
        _definition("certificates", CertificatesValues, _certificates),
        _definition("secrets", SecretsValues, _secrets, "namespaces"),
        _definition("istio", IstioValues, _istio),
        _definition("gateway", GatewayValues, _gateway, repair=_repair_gateway),
        _definition("body-router", BodyRouterValues, _body_router, "models"),
        _definition("network-policies", NetworkPoliciesValues, _network_policies, "namespaces"),
    )
