"""The construct tree of one environment: one cdk8s app, one chart per Argo CD application."""

import cdk8s

from llmd_constructs import catalogue
from llmd_constructs.addons.autoscaling import METRICS_ADAPTER
from llmd_constructs.addons.network_policies import NamespacePolicies
from llmd_constructs.application import SYNC_WAVE, Application, IgnoredDifference, UpstreamApplication, Wave
from llmd_constructs.catalogue import GitSource, Install, KServeRelease, reaches
from llmd_constructs.config.deployment import Deployment, MixtureOfExperts, MultiModel, PrefillDecode
from llmd_constructs.config.environment import Environment
from llmd_constructs.context import Context
from llmd_constructs.emit.yaml_text import yaml_text
from llmd_constructs.manifest import INFERENCE_POOL_V1ALPHA2, JsonObject, Kind
from llmd_constructs.patterns import PATTERNS
from llmd_constructs.patterns.scaling import autoscales
from llmd_constructs.platform.applications import PlatformApplication, kserve_application
from llmd_constructs.platform.body_router import BodyRouter, RoutedModel
from llmd_constructs.platform.certificates import CERT_MANAGER_NAMESPACE, CaBundle, CertificateAuthority
from llmd_constructs.platform.gateway import InferenceGateway
from llmd_constructs.platform.istio import ISTIO_NAMESPACE, IstioControlPlane
from llmd_constructs.platform.namespaces import Namespace, PodSecurity
from llmd_constructs.platform.secrets import SecretStore, add_secrets

DEFAULT_NAMESPACE = "default"
"""Every cluster has it; Argo CD wants some namespace for applications that have none of their own."""


class EnvironmentApp(cdk8s.App):
    """All applications of one environment."""

    def __init__(self, name: str, environment: Environment) -> None:
        """Build the tree. Nothing is written.

        Args:
            name: The environment's name.
            environment: Its settings, checked.
        """
        super().__init__()
        self.context = Context(name, environment)
        self.applications: list[Application | UpstreamApplication] = []
        self._operators()
        self._certificates()
        self._secrets()
        self._controllers()
        self._gateway()
        for deployment in environment.active:
            self._deployment(deployment)
        if any(autoscales(deployment) for deployment in environment.active):
            # Autoscalers wait for it, and nothing else should.
            self._upstream(METRICS_ADAPTER, wave=Wave.MODELS)
        self._model_namespaces()
        self._namespaces()

    def _operators(self) -> None:
        """Third-party software that everything else stands on."""
        platform = self.context.environment.platform
        istio, kserve = self.context.istio, self.context.kserve
        if kserve or platform.gateway.tls:
            self._upstream("cert-manager")
        if self.context.serves_tls:
            self._upstream("trust-manager", wave=Wave.DEPENDENT_OPERATORS)
        if platform.secrets.provider == "external-secrets":
            self._upstream("external-secrets")
        if istio:
            self._upstream("sail-operator", version=istio.sail_operator)
        if any(spans_nodes(deployment) for deployment in self.context.environment.active):
            self._upstream("lws")
        for crds in inference_extension_crds(self.context):
            self._upstream(crds)

    def _certificates(self) -> None:
        if not (self.context.kserve and self.context.kserve.ca_required):
            return
        application = self._platform("certificates", Wave.CERTIFICATES, CERT_MANAGER_NAMESPACE)
        CertificateAuthority(application, "authority", part_of=self.context.name)
        if self.context.serves_tls:
            namespace = self.context.environment.platform.gateway.namespace
            CaBundle(application, "bundle", namespace=namespace, part_of=self.context.name)

    def _secrets(self) -> None:
        environment, part_of = self.context.environment, self.context.name
        secrets = environment.platform.secrets
        if secrets.provider != "external-secrets" or not environment.namespaces:
            return
        application = self._platform("secrets", Wave.CERTIFICATES, environment.namespaces[0])
        SecretStore(application, "store", project=environment.cluster.project, part_of=part_of)
        add_secrets(
            application,
            environment.namespaces,
            secrets.hugging_face_token,
            secrets.image_pull_secret,
            part_of,
        )

    def _controllers(self) -> None:
        istio, kserve = self.context.istio, self.context.kserve
        if istio:
            application = self._platform("istio", Wave.CONTROLLERS, ISTIO_NAMESPACE)
            IstioControlPlane(application, "control-plane", release=istio, part_of=self.context.name)
        for install in kserve.install if kserve else ():
            self._kserve(install)

    def _kserve(self, install: Install) -> None:
        """One source of a KServe release: the whole of it, or one of its charts."""
        release = self.context.kserve
        if release is None:
            return
        name = kserve_application(install)
        self.applications.append(
            UpstreamApplication(
                self,
                name,
                wave=Wave.OPERATORS if name.endswith("-crd") else Wave.CONTROLLERS,
                install=install,
                namespace=release.system_namespace,
                patches=[presets_after_controller(release), KEEP_CRDS]
                if isinstance(install, GitSource)
                else [],
                ignored=[INJECTED_CA] if name in WITH_WEBHOOKS else [],
            ),
        )

    def _gateway(self) -> None:
        environment = self.context.environment
        gateway = environment.platform.gateway
        application = self._platform("gateway", Wave.GATEWAY, gateway.namespace)
        InferenceGateway(
            application,
            "gateway",
            gateway=gateway,
            namespaces=environment.namespaces,
            trusts_ca=self.context.serves_tls,
            part_of=self.context.name,
        )
        models = body_routed_models(environment)
        if models:
            router = self._platform("body-router", Wave.GATEWAY, gateway.namespace)
            BodyRouter(router, "router", gateway=gateway, models=models, part_of=self.context.name)

    def _deployment(self, deployment: Deployment) -> None:
        application = self._application(deployment.name, Wave.MODELS, deployment.namespace)
        PATTERNS[deployment.pattern](application, self.context, deployment)

    def _model_namespaces(self) -> None:
        """What holds for a whole model namespace, whichever deployments share it."""
        namespaces = self.context.environment.namespaces
        if not self.context.environment.platform.network_policies or not namespaces:
            return
        application = self._platform("network-policies", Wave.GATEWAY, namespaces[0])
        for namespace in namespaces:
            NamespacePolicies(application, namespace, namespace=namespace, part_of=self.context.name)

    def _namespaces(self) -> None:
        """Every namespace that something above lives in."""
        namespaces = {
            manifest["metadata"].get("namespace", application.target_namespace)
            for application in self.applications
            if isinstance(application, Application)
            for manifest in application.manifests
        } | {application.target_namespace for application in self.applications}
        application = self._platform("namespaces", Wave.NAMESPACES, DEFAULT_NAMESPACE)
        for name in sorted(namespaces - {DEFAULT_NAMESPACE}):
            Namespace(application, name, enforce=self._pod_security(name), part_of=self.context.name)

    def _pod_security(self, namespace: str) -> PodSecurity:
        """KServe's presets for groups ask for capabilities (IPC_LOCK, SYS_RAWIO) that `baseline` does not allow."""
        groups = any(
            deployment.stack == "kserve" and spans_nodes(deployment) and deployment.namespace == namespace
            for deployment in self.context.environment.active
        )
        return "privileged" if groups else "baseline"

    def _platform(self, id: PlatformApplication, wave: Wave, namespace: str) -> Application:
        """An application of the platform, whose name no deployment can have."""
        return self._application(id, wave, namespace)

    def _application(self, id: str, wave: Wave, namespace: str) -> Application:
        application = Application(self, id, wave=wave, namespace=namespace)
        self.applications.append(application)
        return application

    def _upstream(self, id: str, *, wave: Wave = Wave.OPERATORS, version: str | None = None) -> None:
        upstream = catalogue.upstream(id)
        install = upstream.install.model_copy(update={"version": version}) if version else upstream.install
        self.applications.append(
            UpstreamApplication(
                self,
                id,
                wave=wave,
                install=install,
                namespace=upstream.namespace or DEFAULT_NAMESPACE,
            ),
        )


WITH_WEBHOOKS = ("kserve", "kserve-llmisvc-resources")
"""Applications that bring KServe's webhooks."""
INJECTED_CA = IgnoredDifference(
    "admissionregistration.k8s.io",
    "ValidatingWebhookConfiguration",
    ".webhooks[]?.clientConfig.caBundle",
    "KServe's manifests hold a placeholder, and cert-manager writes the real CA over it",
)


KEEP_CRDS: JsonObject = {
    "target": {"kind": "CustomResourceDefinition"},
    "patch": yaml_text(
        Kind("apiextensions.k8s.io/v1", "CustomResourceDefinition", namespaced=False).manifest(
            "any", annotations={"argocd.argoproj.io/sync-options": "Prune=false,Delete=false"}
        ),
    ),
}
"""A CRD that goes takes every object of its kind along (failure F-14i)."""


def presets_after_controller(release: KServeRelease) -> JsonObject:
    """KServe's presets pass its own webhook, so they wait for the controller (failure F-49)."""
    kind = Kind(release.api_version, "LLMInferenceServiceConfig")
    patch = kind.manifest("any", annotations={SYNC_WAVE: "1"})
    return {"target": {"kind": kind.kind}, "patch": yaml_text(patch)}


def body_routed_models(environment: Environment) -> list[RoutedModel]:
    """Every model that is chosen by a request's body."""
    return [
        RoutedModel(served.name, served.model, tuple(adapter.name for adapter in served.adapters))
        for deployment in environment.active
        if isinstance(deployment, MultiModel) and deployment.routing == "body"
        for served in deployment.models
    ]


def spans_nodes(deployment: Deployment) -> bool:
    """Whether a replica needs several nodes, and so a LeaderWorkerSet."""
    return isinstance(deployment, MixtureOfExperts) and deployment.nodes_per_replica > 1


def inference_extension_crds(context: Context) -> tuple[str, ...]:
    """Inference extension CRDs that GKE does not bring itself, as ids of third-party software.

    Installing what GKE installs too would be a fight that nobody wins (failure F-14h).
    """
    cluster = context.environment.cluster
    wanted: list[str] = []
    if not brings_inference_pool(cluster.kubernetes):
        wanted.append("inference-extension-crds")
    sides = any(
        isinstance(item, PrefillDecode) and item.stack == "kserve" for item in context.environment.active
    )
    # The sidecar of KServe's decode preset still watches the older pool, which KServe writes where its CRD is.
    if sides or INFERENCE_POOL_V1ALPHA2.api_version in context.inference_pool_apis:
        wanted.append("inference-extension-crds-v1alpha2")
    groups = {rule.group for picker in context.pickers for rule in picker.rbac}
    wanted += [crds for group, crds in OBJECTIVE_CRDS.items() if group in groups]
    return tuple(wanted)


OBJECTIVE_CRDS = {"inference.networking.x-k8s.io": "inference-objective-crds", "llm-d.ai": "llm-d-crds"}
"""CRDs that a picker watches beside its pool, by the group that it reads them in."""


def brings_inference_pool(kubernetes: str) -> bool:
    """Whether GKE of this version installs the v1 InferencePool. A bare minor stands for its latest version."""
    return reaches(kubernetes, catalogue.gke().version_gates["inference-pool-crd"].version)
