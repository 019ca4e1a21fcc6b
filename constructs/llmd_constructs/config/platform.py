"""The platform: gateway, operators, secrets, Argo CD."""

from fnmatch import fnmatchcase
from typing import Annotated, Literal, Self

from pydantic import StringConstraints, model_validator

from llmd_constructs.config.base import DnsLabel, Flag, HostName, Model, SecretKey, in_words

GatewayProvider = Literal["gke", "istio"]
SecretProvider = Literal["external-secrets", "manual"]


NamespacePattern = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z*]([-a-z0-9*]*[a-z0-9*])?$", max_length=63),
    in_words("must be a namespace: lower-case letters, digits and `-`, with `*` for any text"),
]
"""A namespace, or several of them."""


class GatewayTls(Model):
    """HTTPS at the gateway, with a certificate from cert-manager."""

    issuer: DnsLabel
    """ClusterIssuer that signs it, such as a Let's Encrypt issuer of yours."""


class Gateway(Model):
    """The one Gateway that all models of the environment share."""

    provider: GatewayProvider
    """`gke`: Google's own load balancer. `istio`: Envoy pods run by Istio."""
    class_name: str | None = None
    """GatewayClass. Default: `gke-l7-regional-external-managed`, or `istio`."""
    name: DnsLabel = "inference-gateway"
    """Name of the Gateway object."""
    namespace: DnsLabel = "opendatahub"
    """Namespace of the Gateway object."""
    hostname: HostName | None = None
    """Host name the listeners answer to. Default: any."""
    tls: GatewayTls | None = None
    """Serve HTTPS on 443 instead of HTTP on 80. Needs `hostname`."""

    @model_validator(mode="after")
    def _tls_needs_hostname(self) -> Self:
        if self.tls and not self.hostname:
            raise ValueError("tls is set without a hostname; add the host name that the certificate is for")
        return self


class SecretReference(Model):
    """One Secret that the workloads need and that is never rendered with its content."""

    name: DnsLabel
    """Name of the Kubernetes Secret."""
    key: SecretKey
    """Key inside the Secret."""
    remote_key: str | None = None
    """Name of the secret in the store. Default: the Kubernetes name."""


class PullSecret(Model):
    """Registry credentials, type `kubernetes.io/dockerconfigjson`."""

    name: DnsLabel
    """Name of the Kubernetes Secret."""
    remote_key: str | None = None
    """Name of the secret in the store. Default: the Kubernetes name."""


class Secrets(Model):
    """Where secrets come from. Their content never enters this repository."""

    provider: SecretProvider = "manual"
    """`external-secrets`: read from Secret Manager. `manual`: created by hand (docs/secrets.md)."""
    hugging_face_token: SecretReference = SecretReference(name="hf-token", key="HF_TOKEN")
    """The Hugging Face token, for gated models and download limits."""
    image_pull_secret: PullSecret | None = None
    """Credentials for private registries such as registry.redhat.io."""


class Platform(Model):
    """What the models stand on."""

    gateway: Gateway
    """The way in."""
    kserve: str | None = None
    """KServe release id from the catalogue, such as `odh-0.15`. Needed by deployments with `stack: kserve`."""
    istio: (
        Annotated[str, StringConstraints(pattern=r"^1\.[0-9]+$"), in_words('must be a minor such as "1.27"')]
        | None
    ) = None
    """Istio minor, such as `"1.27"`. Needed when the gateway's provider is `istio`."""
    picker: str = "v0.9.2"
    """Endpoint picker release of deployments with `stack: llm-d`; KServe brings its own."""
    secrets: Secrets = Secrets()
    """Where secrets come from."""
    network_policies: Flag = False
    """Deny by default in every model namespace, and allow what the models need."""
    monitoring: Flag = False
    """Have Google Cloud Managed Service for Prometheus collect the metrics of vLLM and of the endpoint picker."""


class Repository(Model):
    """The git repository that Argo CD reads."""

    url: Annotated[
        str,
        StringConstraints(pattern=r"^(https://|ssh://|git@|file://)\S+$"),
        in_words("must be a clone URL: https://, ssh://, git@ or file://"),
    ]
    """Clone URL."""
    revision: str = "main"
    """Branch, tag or commit."""


IN_CLUSTER = "https://kubernetes.default.svc"
"""How Argo CD calls the API server of the cluster that it runs on."""


class Destination(Model):
    """The cluster that Argo CD deploys to."""

    server: Annotated[
        str, StringConstraints(pattern=r"^https://\S+$"), in_words("must be an https:// URL")
    ] = IN_CLUSTER
    """API server as Argo CD knows it. Default: the cluster Argo CD runs on."""


class GitOps(Model):
    """Argo CD: what it reads and where it deploys."""

    repository: Repository
    """The git repository that holds `dist/` and `argocd/`."""
    destination: Destination = Destination()
    """The cluster to deploy to."""
    namespace: DnsLabel = "argocd"
    """Namespace Argo CD runs in."""
    namespaces: tuple[NamespacePattern, ...] = ()
    """Namespaces that Argo CD may change beside those of the deployments, with `*` for any text. One that a
    deployment leaves, so that Argo CD may still delete there; or `llm-*`, so that deployments can come and go."""

    @model_validator(mode="after")
    def _leaves_the_cluster_alone(self) -> Self:
        for pattern in self.namespaces:
            for name in ("kube-system", self.namespace):
                if fnmatchcase(name, pattern):
                    raise ValueError(
                        f"namespaces has '{pattern}', which takes in {name}; name those of your deployments"
                    )
        return self
