"""Secrets from Google Secret Manager, by External Secrets. Their content never enters the repository."""

from collections.abc import Sequence

from llmd_constructs.application import SYNC_WAVE, Application, Component
from llmd_constructs.config.platform import PullSecret, SecretReference
from llmd_constructs.labels import recommended
from llmd_constructs.manifest import CLUSTER_SECRET_STORE, EXTERNAL_SECRET, JsonObject, compact

STORE = "gcp-secret-manager"
DOCKER_CONFIG = ".dockerconfigjson"


class SecretStore(Component):
    """Access to Secret Manager with the operator's own workload identity."""

    def __init__(self, scope: Application, id: str, *, project: str, part_of: str) -> None:
        """Render the store of one Google Cloud project."""
        super().__init__(scope, id)
        self.add(
            CLUSTER_SECRET_STORE.manifest(
                STORE,
                labels=recommended(STORE, "secret-store", part_of),
                spec={"provider": {"gcpsm": {"projectID": project}}},
            ),
        )


class TokenSecret(Component):
    """A Secret with one key."""

    def __init__(
        self, scope: Application, id: str, *, secret: SecretReference, namespace: str, part_of: str
    ) -> None:
        """Render the ExternalSecret for one namespace."""
        super().__init__(scope, id)
        data = [_entry(secret.key, secret.remote_key or secret.name)]
        self.add(_external_secret(secret.name, namespace, part_of, data=data))


class RegistrySecret(Component):
    """Credentials of a container registry."""

    def __init__(
        self, scope: Application, id: str, *, secret: PullSecret, namespace: str, part_of: str
    ) -> None:
        """Render the ExternalSecret for one namespace."""
        super().__init__(scope, id)
        template = {
            "type": "kubernetes.io/dockerconfigjson",
            "data": {DOCKER_CONFIG: "{{ .dockerconfigjson }}"},
        }
        data = [_entry("dockerconfigjson", secret.remote_key or secret.name)]
        self.add(_external_secret(secret.name, namespace, part_of, data=data, template=template))


def add_secrets(
    application: Application,
    namespaces: Sequence[str],
    token: SecretReference,
    registry: PullSecret | None,
    part_of: str,
) -> None:
    """What every model namespace gets from the store."""
    for namespace in namespaces:
        TokenSecret(application, f"token-{namespace}", secret=token, namespace=namespace, part_of=part_of)
        if registry:
            RegistrySecret(
                application, f"registry-{namespace}", secret=registry, namespace=namespace, part_of=part_of
            )


def _entry(key: str, remote_key: str) -> JsonObject:
    return {"secretKey": key, "remoteRef": {"key": remote_key}}


def _external_secret(
    name: str,
    namespace: str,
    part_of: str,
    *,
    data: list[JsonObject],
    template: JsonObject | None = None,
) -> JsonObject:
    return EXTERNAL_SECRET.manifest(
        name,
        namespace,
        labels=recommended(name, "secret", part_of),
        annotations={SYNC_WAVE: "1"},
        spec={
            "refreshInterval": "1h0m0s",
            "secretStoreRef": {"kind": CLUSTER_SECRET_STORE.kind, "name": STORE},
            "target": compact(name=name, template=template),
            "data": data,
        },
    )
