"""The certificate authority that KServe signs workload certificates with.

Source: seeds 000 and 001 (opendatahub-* issuers); failure F-52: KServe refuses a key that is not RSA.
"""

from llmd_constructs.application import SYNC_WAVE, Application, Component
from llmd_constructs.labels import NAMESPACE_NAME, recommended
from llmd_constructs.manifest import BUNDLE, CERTIFICATE, CLUSTER_ISSUER

CERT_MANAGER_NAMESPACE = "cert-manager"
"""Where cert-manager looks for the Secrets of ClusterIssuers, and trust-manager for sources."""
BOOTSTRAP_ISSUER = "opendatahub-selfsigned-issuer"
CA_CERTIFICATE = "opendatahub-ca"
"""Certificate and Secret of the CA; KServe's controller reads it by this name."""
CA_ISSUER = "opendatahub-ca-issuer"
CA_BUNDLE = "odh-ca-bundle"
"""ConfigMap with the CA's certificate, for the gateway's pods."""
CA_BUNDLE_KEY = "ca.crt"


class CertificateAuthority(Component):
    """A self-signed root, and the issuer that signs with it."""

    def __init__(self, scope: Application, id: str, *, part_of: str) -> None:
        """Render issuers and root, in the order in which they depend on each other."""
        super().__init__(scope, id)
        labels = recommended(CA_CERTIFICATE, "certificate-authority", part_of)
        self.add(CLUSTER_ISSUER.manifest(BOOTSTRAP_ISSUER, labels=labels, spec={"selfSigned": {}}))
        self.add(
            CERTIFICATE.manifest(
                CA_CERTIFICATE,
                CERT_MANAGER_NAMESPACE,
                labels=labels,
                annotations={SYNC_WAVE: "1"},
                spec={
                    "isCA": True,
                    "commonName": CA_CERTIFICATE,
                    "secretName": CA_CERTIFICATE,
                    "duration": "87600h",
                    "renewBefore": "2160h",
                    "privateKey": {"algorithm": "RSA", "size": 4096, "rotationPolicy": "Never"},
                    "issuerRef": {
                        "group": CLUSTER_ISSUER.group,
                        "kind": CLUSTER_ISSUER.kind,
                        "name": BOOTSTRAP_ISSUER,
                    },
                },
            ),
        )
        self.add(
            CLUSTER_ISSUER.manifest(
                CA_ISSUER,
                labels=labels,
                annotations={SYNC_WAVE: "2"},
                spec={"ca": {"secretName": CA_CERTIFICATE}},
            ),
        )


class CaBundle(Component):
    """The CA's certificate as a ConfigMap in the gateway's namespace, kept up to date by trust-manager.

    The seeds copied it with a script, and the copy outlived the certificate.
    """

    def __init__(self, scope: Application, id: str, *, namespace: str, part_of: str) -> None:
        """Render the Bundle for one namespace."""
        super().__init__(scope, id)
        self.add(
            BUNDLE.manifest(
                CA_BUNDLE,
                labels=recommended(CA_BUNDLE, "certificate-authority", part_of),
                annotations={SYNC_WAVE: "2"},
                spec={
                    "sources": [{"secret": {"name": CA_CERTIFICATE, "key": "tls.crt"}}],
                    "target": {
                        "configMap": {"key": CA_BUNDLE_KEY},
                        "namespaceSelector": {"matchLabels": {NAMESPACE_NAME: namespace}},
                    },
                },
            ),
        )
