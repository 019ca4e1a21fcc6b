"""Releases of KServe: what an LLMInferenceService may say, and how Argo CD installs each."""

from collections.abc import Mapping
from functools import cache
from typing import Literal

from llmd_constructs.catalogue._install import Install
from llmd_constructs.catalogue._table import Entry, Table, Value, read_table


class KServeFeatures(Value):
    """Fields of the LLMInferenceService, and behaviour, that only some releases have.

    Attributes:
        model_criticality: `model.criticality`.
        labels_on_workload: `labels` and `annotations` of a workload.
        storage_initializer: `storageInitializer.enabled`.
        scaling: `scaling` with the workload variant autoscaler.
        scaling_keda_direct: `scaling.keda`, without the workload variant autoscaler.
        replicas_left_alone: A workload's replicas stay as an autoscaler set them, where the service names none.
        scheduler_config: `router.scheduler.config`, inline or by reference.
        scheduler_replicas: `router.scheduler.replicas`, `labels` and `annotations`.
        scheduler_tokenizer: `router.scheduler.tokenizer`.
        gateway_section_name: `router.gateway.refs[].sectionName`.
        lora_wiring: The controller turns `model.lora.adapters` into engine flags.
        lora_limits: `model.lora.maxRank`, `maxAdapters` and `maxCpuAdapters`.
        model_based_routing: Routing by a header that names the model.
        route_group: `router.route.group` and `weight`.
        tracing: `tracing`.
        kv_cache_offloading: `kvCacheOffloading`.
        confidential_model: `model.confidential`.
        rollout_strategy: `rolloutStrategy`.
        latency_predictor_preset: The preset `kserve-config-llm-scheduler-latency-predictor`.
        oci_native_uri: Model URIs of the form `oci+native://`.
    """

    model_criticality: bool
    labels_on_workload: bool
    storage_initializer: bool
    scaling: bool
    scaling_keda_direct: bool
    replicas_left_alone: bool
    scheduler_config: bool
    scheduler_replicas: bool
    scheduler_tokenizer: bool
    gateway_section_name: bool
    lora_wiring: bool
    lora_limits: bool
    model_based_routing: bool
    route_group: bool
    tracing: bool
    kv_cache_offloading: bool
    confidential_model: bool
    rollout_strategy: bool
    latency_predictor_preset: bool
    oci_native_uri: bool


class KServeImages(Value):
    """Images of one release; None where the presets or charts of the release already name them."""

    controller: str
    storage_initializer: str
    agent: str | None = None
    router: str | None = None
    picker: str
    engine_preset: str | None = None


class Webhook(Value):
    """The webhook server of the controller.

    Attributes:
        service: Its Service.
        certificate: The cert-manager Certificate that the installation itself renders.
        secret: The Secret that holds the certificate.
    """

    service: str
    certificate: str
    secret: str


class KServeRelease(Entry):
    """One release.

    Attributes:
        id: Our name for it.
        distribution: Upstream KServe, or the Open Data Hub fork.
        version: The version as the distribution writes it.
        served_api_versions: Versions of LLMInferenceService that the CRD serves.
        api_version: The one we write.
        system_namespace: Where the controller, its configuration and the presets live.
        controller: The controller's Deployment.
        container_form: What `args` of the main container mean to the preset: `shell-string` is one string for
            `bash -c`, `flag-list` is the whole flag list after the preset's command, `extra-flags` is appended.
        scheduler_config: Where the picker's configuration goes: the scheduler template's whole `args`
            with `--config-text`, or `router.scheduler.config.inline`.
        pool_apis: API groups with version of the InferencePools that the controller creates.
        picker: The picker release that its presets start.
        engine_tls: Whether the presets start the engine with TLS: `always`, `never`, or `flag` where the setting
            `ingress.enableLLMInferenceServiceTLS` decides.
        engine_tls_default: What the flag is in the installation that `install` describes.
        workload_service_app_protocol: `https`, or `follows-tls`.
        ca_required: Whether the controller signs workload certificates with a CA Secret that must exist first.
        istio_destination_rules: Whether the controller makes DestinationRules for an Istio gateway.
        uri_schemes: Schemes that `model.uri` accepts.
        presets: Names of the LLMInferenceServiceConfigs that it ships.
        features: What only some releases can do.
        requires: Versions of the CRDs and operators that it is built against.
        install: Argo CD sources, in the order of installation.
        installs: Kinds and names that the sources render, which must not be rendered again.
        needs: What must exist before, and which the sources do not render.
        images: Its images.
        webhook: Its webhook server.
        default_gateway: `<namespace>/<name>` of the Gateway that its configuration names for managed routes, if any.
        note: What to know before relying on it.
    """

    id: str
    distribution: Literal["upstream", "opendatahub"]
    version: str
    served_api_versions: tuple[str, ...]
    api_version: str
    system_namespace: str
    controller: str
    container_form: Literal["shell-string", "flag-list", "extra-flags"]
    scheduler_config: Literal["template-args", "config-inline"]
    pool_apis: tuple[str, ...]
    picker: str
    engine_tls: Literal["always", "flag", "never"]
    engine_tls_default: bool
    workload_service_app_protocol: Literal["https", "follows-tls"]
    ca_required: bool
    istio_destination_rules: bool
    uri_schemes: tuple[str, ...]
    presets: tuple[str, ...]
    features: KServeFeatures
    requires: Mapping[str, str]
    install: tuple[Install, ...]
    installs: tuple[str, ...]
    needs: tuple[str, ...]
    images: KServeImages
    webhook: Webhook
    default_gateway: str | None = None
    note: str | None = None


@cache
def kserve_releases() -> Table[KServeRelease]:
    """All KServe releases, by id."""
    return read_table("releases/kserve.yaml", KServeRelease)
