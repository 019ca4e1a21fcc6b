"""What operators do in a cluster whose images do not run here, as far as others wait for it."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from llmd_tools.box import istio
from llmd_tools.box.agent.states import now
from llmd_tools.cluster import ControlPlane

_READY: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("cert-manager.io/v1", "Certificate"): ("Ready",),
    ("cert-manager.io/v1", "ClusterIssuer"): ("Ready",),
    ("cert-manager.io/v1", "Issuer"): ("Ready",),
    ("external-secrets.io/v1", "ClusterSecretStore"): ("Ready",),
    ("external-secrets.io/v1", "ExternalSecret"): ("Ready",),
    ("monitoring.googleapis.com/v1", "PodMonitoring"): ("ConfigurationCreateSuccess",),
    ("trust.cert-manager.io/v1alpha1", "Bundle"): ("Synced",),
}
"""Conditions that are said to be true of kinds for which nothing is done here."""
_ISTIO = ("sailoperator.io/v1", "Istio")
_EXTERNAL_SECRET = "ExternalSecret"  # noqa: S105 - a kind
_BUNDLE = "Bundle"
_ISTIOD = "istiod"


class Operators:
    """Stands in for the Sail operator, cert-manager, trust-manager, External Secrets and managed Prometheus.

    Istio's control plane is installed and runs, and secrets from a store hold a made-up text, as do those that the
    runbook has somebody make by hand. Certificates and issuers are only said to be ready: whoever serves TLS here has
    certificates of its own. A bundle holds the authority of the cluster. Nothing is collected.
    """

    def __init__(self, cluster: ControlPlane, by_hand: Iterable[Mapping[str, Any]]) -> None:
        """Begin without anything done.

        Args:
            cluster: Where.
            by_hand: Secrets that are made as soon as their namespaces are there.
        """
        self._cluster = cluster
        self._by_hand = list(by_hand)
        self._installed: set[str] = set()
        self._told: set[tuple[str, int]] = set()

    def advance(self) -> None:
        """Do what can be done by now."""
        server = self._cluster.server
        there = {each["metadata"]["name"] for each in server.list("v1", "Namespace")}
        made = [each for each in self._by_hand if each["metadata"]["namespace"] in there]
        self._cluster.apply(made, field_manager="by-hand")
        self._by_hand = [each for each in self._by_hand if each not in made]
        for kind in (_ISTIO, *_READY):
            if server.serves(*kind):
                for found in server.list(*kind):
                    self._advance({"apiVersion": kind[0], "kind": kind[1], **found})

    def _advance(self, found: Mapping[str, Any]) -> None:
        metadata = found["metadata"]
        version = (metadata["uid"], metadata["generation"])
        if version in self._told:
            return
        kind = (found["apiVersion"], found["kind"])
        if kind == _ISTIO and not self._istio_runs(found):
            return
        if found["kind"] == _EXTERNAL_SECRET:
            self._cluster.apply([_secret(found)], field_manager="external-secrets")
        if found["kind"] == _BUNDLE:
            authority = (self._cluster.certificates / "apiserver.crt").read_text()
            made = _config_maps(found, self._cluster.server.list("v1", "Namespace"), authority)
            self._cluster.apply(made, field_manager="trust-manager")
        self._tell(found, _READY.get(kind, ("Reconciled", "Ready")))
        self._told.add(version)

    def _istio_runs(self, found: Mapping[str, Any]) -> bool:
        """Whether the control plane of an Istio runs; it is installed first if it is not there."""
        if found["metadata"]["name"] not in self._installed:
            istio.install(self._cluster, found)
            self._installed.add(found["metadata"]["name"])
        istiod = self._cluster.server.get("apps/v1", "Deployment", _ISTIOD, found["spec"]["namespace"]) or {}
        return bool(istiod.get("status", {}).get("availableReplicas"))

    def _tell(self, found: Mapping[str, Any], conditions: tuple[str, ...]) -> None:
        metadata = found["metadata"]
        generation = metadata["generation"]
        true = {"status": "True", "reason": "StandIn", "message": "", "lastTransitionTime": now()}
        status = {
            "observedGeneration": generation,
            "conditions": [{"type": each, "observedGeneration": generation, **true} for each in conditions],
        }
        group = found["apiVersion"].partition("/")[0]
        space = [f"--namespace={metadata['namespace']}"] if "namespace" in metadata else []
        self._cluster.kubectl(
            *("patch", f"{found['kind']}.{group}", metadata["name"], *space),
            *("--subresource=status", "--type=merge", "--patch", json.dumps({"status": status})),
        )


def _secret(found: Mapping[str, Any]) -> dict[str, Any]:
    """What an ExternalSecret asks for, with a made-up text for each key."""
    metadata, spec = found["metadata"], found["spec"]
    target = spec.get("target", {})
    keys = [each["secretKey"] for each in spec.get("data", [])]
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": target.get("name", metadata["name"]), "namespace": metadata["namespace"]},
        "type": target.get("template", {}).get("type", "Opaque"),
        "stringData": dict.fromkeys(keys, "{}"),
    }


def _config_maps(
    found: Mapping[str, Any], namespaces: Iterable[Mapping[str, Any]], authority: str
) -> Iterator[dict[str, Any]]:
    """What a Bundle asks for: a ConfigMap in every namespace that it selects by labels."""
    target = found["spec"]["target"]
    wanted = target.get("namespaceSelector", {}).get("matchLabels", {})
    for namespace in namespaces:
        if wanted.items() <= namespace["metadata"].get("labels", {}).items():
            metadata = {"name": found["metadata"]["name"], "namespace": namespace["metadata"]["name"]}
            data = {target["configMap"]["key"]: authority}
            yield {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
