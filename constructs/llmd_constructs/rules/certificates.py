"""Certificates: issuers that exist, a CA that KServe can use, and a gateway that trusts it."""

from collections.abc import Iterator

from llmd_constructs.labels import NAMESPACE_NAME
from llmd_constructs.rules.model import Offence, rule
from llmd_constructs.rules.picker import parse
from llmd_constructs.rules.reading import dig, entries, mapping, selects, text
from llmd_constructs.rules.resources import Resource
from llmd_constructs.rules.routing import provider_of
from llmd_constructs.rules.view import View
from llmd_constructs.serving.kserve import TLS_FOLDER

SMALLEST_KEY = 2048
CA_PATH = "/var/run/secrets/opendatahub/ca.crt"
"""Where KServe's controller tells the gateway's pods to find the CA."""
CERT_MANAGER = "cert-manager"


@rule(
    "CRT-01",
    "The CA's key is RSA",
    symptom='The service stays not Ready: "CA private key is not an RSA key".',
    cause="KServe's controller signs with RSA only.",
    instead="write privateKey {algorithm: RSA, size: 4096}",
    source=("F-52", "kserve workload_tls_self_signed.go:253", "seed 000"),
)
def rsa(view: View) -> Iterator[Offence]:
    """Every CA Certificate, where KServe signs with one."""
    release = view.context.kserve
    for certificate in view.of("Certificate") if release and release.ca_required else ():
        if certificate.get("spec", "isCA") is not True:
            continue
        algorithm = certificate.get("spec", "privateKey", "algorithm") or "RSA"
        size = certificate.number("spec", "privateKey", "size") or SMALLEST_KEY
        if algorithm != "RSA":
            yield Offence(certificate.at("spec", "privateKey", "algorithm"), f"is {algorithm}")
        elif size < SMALLEST_KEY:
            yield Offence(certificate.at("spec", "privateKey", "size"), f"is {size}", "write 4096")


@rule(
    "CRT-02",
    "Istio's gateway finds the CA that the servers' certificates come from",
    symptom='Every request ends with 503: "Secret is not supplied by SDS".',
    cause="KServe's DestinationRules name a file that the gateway's pods do not have.",
    instead=f"mount the CA's ConfigMap at the folder of {CA_PATH}, by the Gateway's parametersRef",
    source=("F-53", "C-35", "seed: security model"),
)
def gateway_trusts(view: View) -> Iterator[Offence]:
    """Gateways of Istio in front of servers with TLS."""
    release = view.context.kserve
    serves_tls = any(engine.tls for engine in view.engines)
    if not (release and release.istio_destination_rules and serves_tls):
        return
    folder, _, file = CA_PATH.rpartition("/")
    bundles = {
        bundle.name: text(bundle.manifest, "spec", "target", "configMap", "key")
        for bundle in view.of("Bundle")
        if _reaches(view, bundle)
    }
    for gateway in view.of("Gateway"):
        if provider_of(gateway) != "istio":
            continue
        name = text(gateway.manifest, "spec", "infrastructure", "parametersRef", "name")
        options = view.find("ConfigMap", gateway.namespace, name)
        if options is None:
            where = gateway.at("spec", "infrastructure", "parametersRef")
            yield Offence(where, "names no ConfigMap with the CA's mount")
            continue
        patch = parse(text(options.manifest, "data", "deployment")) or {}
        pod = mapping(patch, "spec", "template", "spec")
        mounts = {
            text(m, "mountPath") for c in entries(pod, "containers") for m in entries(c, "volumeMounts")
        }
        sources = {text(volume, "configMap", "name") for volume in entries(pod, "volumes")}
        if folder not in mounts:
            yield Offence(options.at("data", "deployment"), f"mounts nothing at {folder}")
        elif not any(_brings(view, gateway.namespace, source, file, bundles) for source in sources):
            yield Offence(
                options.at("data", "deployment"), f"mounts {' and '.join(sorted(sources))}, without {file}"
            )


def _reaches(view: View, bundle: Resource) -> bool:
    """Whether a Bundle copies the CA into the namespace of a Gateway."""
    selector = mapping(bundle.manifest, "spec", "target", "namespaceSelector")
    places = {gateway.namespace for gateway in view.of("Gateway")}
    return not selector or any(selects(selector, {NAMESPACE_NAME: place}) for place in places)


def _brings(view: View, namespace: str, name: str, key: str, bundles: dict[str, str]) -> bool:
    found = view.find("ConfigMap", namespace, name)
    return bundles.get(name) == key or (found is not None and key in mapping(found.manifest, "data"))


@rule(
    "CRT-03",
    "Issuers and their Secrets exist",
    symptom="The Certificate stays not Ready: issuer not found, or the issuer's secret not found.",
    cause="issuerRef names no issuer of this environment, or a CA issuer names a Secret that no Certificate makes.",
    instead="name an issuer that is rendered, and the secretName of the CA's Certificate",
    source=("F-49", "https://cert-manager.io/docs/configuration/ca/"),
)
def issuers(view: View) -> Iterator[Offence]:
    """Certificates and CA issuers."""
    tls = view.environment.platform.gateway.tls
    own = {tls.issuer} if tls else set[str]()
    for certificate in view.of("Certificate"):
        reference = mapping(certificate.manifest, "spec", "issuerRef")
        kind, name = text(reference, "kind") or "Issuer", text(reference, "name")
        namespace = certificate.namespace if kind == "Issuer" else ""
        if name not in own and view.find(kind, namespace, name) is None:
            yield Offence(certificate.at("spec", "issuerRef"), f"is {kind} {name}, which is not there")
    for issuer in view.of("ClusterIssuer", "Issuer"):
        secret = text(issuer.manifest, "spec", "ca", "secretName")
        namespace = issuer.namespace or CERT_MANAGER
        if secret and secret not in _secrets(view, namespace):
            yield Offence(
                issuer.at("spec", "ca", "secretName"), f"is {namespace}/{secret}, which no Certificate makes"
            )
    for bundle in view.of("Bundle"):
        for index, source in enumerate(entries(bundle.manifest, "spec", "sources")):
            secret = text(source, "secret", "name")
            if secret and secret not in _secrets(view, CERT_MANAGER):
                yield Offence(
                    bundle.at("spec", "sources", index), f"is Secret {secret}, which no Certificate makes"
                )


def _secrets(view: View, namespace: str) -> set[str]:
    return {
        text(item.manifest, "spec", "secretName")
        for item in view.of("Certificate")
        if item.namespace == namespace
    }


@rule(
    "CRT-04",
    "A listener's certificate is made in the Gateway's own namespace",
    symptom="The listener stays ResolvedRefs=False, and HTTPS does not answer.",
    cause="certificateRefs names a Secret that nothing makes there.",
    instead="name the secretName of a Certificate in the Gateway's namespace",
    source=("F-90", "https://gateway-api.sigs.k8s.io/guides/tls/"),
)
def listener_certificate(view: View) -> Iterator[Offence]:
    """HTTPS listeners of every Gateway."""
    for gateway in view.of("Gateway"):
        made = _secrets(view, gateway.namespace) | _external(view, gateway)
        for index, listener in enumerate(entries(gateway.manifest, "spec", "listeners")):
            references = entries(listener, "tls", "certificateRefs")
            for number_, reference in enumerate(references):
                if text(reference, "name") not in made:
                    where = gateway.at("spec", "listeners", index, "tls", "certificateRefs", number_)
                    yield Offence(
                        where, f"is {text(reference, 'name')}, which nothing makes in {gateway.namespace}"
                    )
            if (
                text(listener, "protocol") == "HTTPS"
                and not references
                and not mapping(listener, "tls", "options")
            ):
                yield Offence(gateway.at("spec", "listeners", index, "tls"), "has no certificate")


def _external(view: View, gateway: Resource) -> set[str]:
    return {
        text(item.manifest, "spec", "target", "name") or item.name
        for item in view.of("ExternalSecret")
        if item.namespace == gateway.namespace
    }


@rule(
    "CRT-05",
    "A server with TLS reads certificates that somebody mounts",
    symptom="vLLM stops at start: No such file or directory: tls.crt.",
    cause=f"KServe mounts certificates at {TLS_FOLDER} only where the release runs its services with TLS.",
    instead="leave TLS to the release, or mount the certificate yourself",
    source=("F-35b", "C-7", "kserve workload_tls_self_signed.go"),
)
def mounted(view: View) -> Iterator[Offence]:
    """Certificate files of every engine."""
    release = view.context.kserve
    for engine in view.engines:
        for flag in ("ssl-certfile", "ssl-keyfile"):
            path = engine.flags.get(flag)
            if path is None:
                continue
            folders = [
                text(mount, "mountPath") for mount in entries(engine.container.manifest, "volumeMounts")
            ]
            if engine.pod.made_by_kserve and release and release.engine_tls != "never":
                folders.append(TLS_FOLDER)
            if not any(folder and path.startswith(f"{folder}/") for folder in folders):
                yield Offence(engine.at_flag(flag), f"is {path}, where nothing is mounted")
        if ("ssl-certfile" in engine.flags) != ("ssl-keyfile" in engine.flags):
            yield Offence(engine.at("args"), "has one of --ssl-certfile and --ssl-keyfile", "write both")


@rule(
    "CRT-06",
    "Istio's control plane is pinned, and resolves InferencePools",
    symptom="Routes to pools answer 500, or an operator's update changes Envoy under traffic.",
    cause="The inference extension is off unless istiod is told, and -latest aliases move.",
    instead="write spec.version with the patch, and the variables of the release under values.pilot.env",
    source=(
        "F-96",
        "F-48",
        "F-61",
        "https://istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api-inference-extension/",
    ),
)
def control_plane(view: View) -> Iterator[Offence]:
    """Every Istio object."""
    release = view.context.istio
    for istio in view.of("Istio") if release else ():
        version = text(istio.manifest, "spec", "version")
        if release and version != release.version:
            message = f"is {version}, and platform.istio {release.id} is {release.version}"
            yield Offence(istio.at("spec", "version"), message, f"write {release.version}")
        if istio.name != "default":
            yield Offence(
                istio.at("metadata", "name"),
                f"is {istio.name}, and gateways look for default",
                "write default",
            )
        env = mapping(istio.manifest, "spec", "values", "pilot", "env")
        for name in release.inference_env if release else ():
            if str(dig(env, name)).lower() != "true":
                yield Offence(istio.at("spec", "values", "pilot", "env"), f"does not set {name}=true")


RULES = (rsa, gateway_trusts, issuers, listener_certificate, mounted, control_plane)
