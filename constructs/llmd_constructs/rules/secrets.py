"""Secrets: where they come from, and that nothing of them is in git."""

import re
from collections.abc import Iterator

from llmd_constructs.rules.model import Offence, Where, rule
from llmd_constructs.rules.pods import Pod
from llmd_constructs.rules.reading import all_texts, entries, leaves, mapping, text
from llmd_constructs.rules.resources import Resource
from llmd_constructs.rules.view import View
from llmd_constructs.serving.kserve_names import KServeNames

PRIVATE_REGISTRIES = ("registry.redhat.io/",)
_TOKEN = re.compile(
    r"\b(?:hf_[A-Za-z0-9]{20,}|ghp_[A-Za-z0-9]{30,}|AKIA[A-Z0-9]{16})|-----BEGIN [A-Z ]*PRIVATE KEY"
)
_SERVER_FIELDS = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink")
_HUGGING_FACE = "https://huggingface.co/docs/hub/security-tokens"
_PULL = "https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/"


@rule(
    "SEC-01",
    "No secret's content is in git",
    symptom="The token is public, in every clone, for ever.",
    cause="A Secret's data is base64, which hides nothing.",
    instead="use an ExternalSecret, a SealedSecret, or create it by hand, and revoke what was committed",
    source=("F-65", "https://kubernetes.io/docs/concepts/configuration/secret/"),
)
def no_content(view: View) -> Iterator[Offence]:
    """Secrets with content, and values that look like tokens."""
    for secret in view.of("Secret"):
        for field in ("data", "stringData"):
            if secret.get(field):
                yield Offence(secret.at(field), "holds the content of a Secret")
    for resource in view.resources:
        if not any(_TOKEN.search(value) for value in all_texts(resource.manifest)):
            continue
        for path, value in leaves(resource.manifest):
            if isinstance(value, str) and _TOKEN.search(value):
                yield Offence(resource.place(path), "looks like a token or a private key")


@rule(
    "SEC-02",
    "Pull secrets are declared, and private images have one",
    symptom="ImagePullBackOff: unauthorized.",
    cause="No Secret of that name is in the pod's namespace, or none is named at all.",
    instead="name the pull secret under platform.secrets.imagePullSecret, and nothing else",
    source=("F-62", "seed 001", _PULL),
)
def pull_secrets(view: View) -> Iterator[Offence]:
    """Pull secrets of pods and ServiceAccounts, and private images."""
    for account in view.of("ServiceAccount"):
        for index, item in enumerate(entries(account.manifest, "imagePullSecrets")):
            where = account.at("imagePullSecrets", index)
            yield from _missing(view, account.namespace, text(item, "name"), where)
    for pod in view.pods:
        for index, item in enumerate(entries(pod.spec, "imagePullSecrets")):
            yield from _missing(view, pod.namespace, text(item, "name"), pod.at("imagePullSecrets", index))
        for container in pod.all_containers:
            if container.image.startswith(PRIVATE_REGISTRIES) and not _pulls(view, pod):
                yield Offence(container.at("image"), f"is {container.image}, and the pod has no pull secret")


def _pulls(view: View, pod: Pod) -> bool:
    account = view.find("ServiceAccount", pod.namespace, text(pod.spec, "serviceAccountName"))
    return bool(
        entries(pod.spec, "imagePullSecrets") or (account and entries(account.manifest, "imagePullSecrets"))
    )


def _missing(view: View, namespace: str, name: str, where: Where) -> Iterator[Offence]:
    if _keys(view, namespace, name) is None:
        yield Offence(where, f"is {name or 'empty'}, which nothing brings to namespace {namespace}")


@rule(
    "SEC-03",
    "A Secret that is read exists, with the key that is read",
    symptom='CreateContainerConfigError: "secret not found", or "couldn\'t find key".',
    cause="Guides disagree: hf-token with HF_TOKEN here, huggingface-token with token there.",
    instead="name it once, under platform.secrets.huggingFaceToken",
    source=("F-64", "seeds 003 and 004", _HUGGING_FACE),
)
def secret_keys(view: View) -> Iterator[Offence]:
    """Secrets in variables, volumes and ServiceAccounts."""
    for namespace, name, key, where in _uses(view):
        keys = _keys(view, namespace, name)
        if keys is None:
            yield Offence(where, f"reads Secret {name}, which nothing brings to namespace {namespace}")
        elif key and keys and key not in keys:
            yield Offence(where, f"reads key {key} of Secret {name}, which has {', '.join(sorted(keys))}")


def _uses(view: View) -> Iterator[tuple[str, str, str, Where]]:
    for account in view.of("ServiceAccount"):
        for index, item in enumerate(entries(account.manifest, "secrets")):
            yield account.namespace, text(item, "name"), "", account.at("secrets", index)
    for pod in view.pods:
        for index, volume in enumerate(entries(pod.spec, "volumes")):
            name = text(volume, "secret", "secretName")
            if name and mapping(volume, "secret").get("optional") is not True:
                yield pod.namespace, name, "", pod.at("volumes", index)
        for container in pod.all_containers:
            for index, variable in enumerate(entries(container.manifest, "env")):
                reference = mapping(variable, "valueFrom", "secretKeyRef")
                if reference and reference.get("optional") is not True:
                    where = container.at("env", index)
                    yield pod.namespace, text(reference, "name"), text(reference, "key"), where


def _keys(view: View, namespace: str, name: str) -> set[str] | None:
    """Keys of a Secret that something brings; empty where nobody knows them; `None` where nothing brings it."""
    for resource in view.of("ExternalSecret", "SealedSecret", "Certificate", "Secret"):
        if resource.namespace == namespace and _target(resource) == name:
            return _declared(resource)
    if name in {KServeNames(service.name).certificate_secret for service in view.services}:
        return set()
    secrets = view.environment.platform.secrets
    if secrets.provider == "manual":
        pull = secrets.image_pull_secret
        if name == secrets.hugging_face_token.name:
            return {secrets.hugging_face_token.key}
        if pull and name == pull.name:
            return set()
    return None


def _target(resource: Resource) -> str:
    if resource.kind == "ExternalSecret":
        return text(resource.manifest, "spec", "target", "name") or resource.name
    if resource.kind == "Certificate":
        return text(resource.manifest, "spec", "secretName")
    return resource.name


def _declared(resource: Resource) -> set[str]:
    if resource.kind != "ExternalSecret":
        return set()
    template = mapping(resource.manifest, "spec", "target", "template", "data")
    return set(template) or {text(item, "secretKey") for item in entries(resource.manifest, "spec", "data")}


@rule(
    "SEC-04",
    "Manifests hold nothing that the API server writes",
    symptom='The sync fails: "the object has been modified", or Argo CD is never in sync.',
    cause="The manifest was copied from a cluster, with uid, resourceVersion or status.",
    instead="take these fields out",
    source=("F-63", "https://kubernetes.io/docs/reference/using-api/api-concepts/"),
)
def server_fields(view: View) -> Iterator[Offence]:
    """Metadata and status of every object."""
    for resource in view.resources:
        for field in _SERVER_FIELDS:
            if resource.get("metadata", field) is not None:
                yield Offence(resource.at("metadata", field), "is written by the API server")
        if "status" in resource.manifest and resource.kind != "CustomResourceDefinition":
            yield Offence(resource.at("status"), "is written by a controller")


@rule(
    "SEC-05",
    "An ExternalSecret reads from a store that is there",
    symptom="The Secret never appears: SecretStore not found.",
    cause="secretStoreRef names no store of this environment.",
    instead="name the store that is rendered",
    source=("F-62", "F-64", "https://external-secrets.io/latest/api/externalsecret/"),
)
def stores(view: View) -> Iterator[Offence]:
    """Stores of every ExternalSecret."""
    for secret in view.of("ExternalSecret"):
        reference = mapping(secret.manifest, "spec", "secretStoreRef")
        kind, name = text(reference, "kind") or "SecretStore", text(reference, "name")
        if not view.find(kind, "" if kind == "ClusterSecretStore" else secret.namespace, name):
            yield Offence(secret.at("spec", "secretStoreRef"), f"is {kind} {name}, which is not there")


@rule(
    "SEC-06",
    "A binding binds a role that is there to an account that is there",
    symptom="The pod's requests end with 403: forbidden.",
    cause="roleRef or a subject is spelled differently from the Role or ServiceAccount.",
    instead="name a Role and a ServiceAccount of this environment",
    source=("F-90", "F-56", "https://kubernetes.io/docs/reference/access-authn-authz/rbac/"),
)
def bindings(view: View) -> Iterator[Offence]:
    """Roles and ServiceAccounts of every binding."""
    for binding in view.of("RoleBinding", "ClusterRoleBinding"):
        kind, name = text(binding.manifest, "roleRef", "kind"), text(binding.manifest, "roleRef", "name")
        if kind == "Role" and not view.find(kind, binding.namespace, name):
            yield Offence(binding.at("roleRef"), f"is Role {name}, which {binding.namespace} does not have")
        for index, subject in enumerate(entries(binding.manifest, "subjects")):
            account, namespace = text(subject, "name"), text(subject, "namespace") or binding.namespace
            known = view.find("ServiceAccount", namespace, account)
            if text(subject, "kind") == "ServiceAccount" and not known:
                yield Offence(binding.at("subjects", index), f"is {account}, which {namespace} does not have")


RULES = (no_content, pull_secrets, secret_keys, server_fields, stores, bindings)
