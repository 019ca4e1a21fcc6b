"""Who can reach the models."""

import json
from typing import Any

import pytest
from tests.unit.rules.conftest import Workshop

Json = dict[str, Any]


def _exposed(workshop: Workshop, base: str, gateway: Json, extras: list[Json] | None = None) -> list[str]:
    content = {"extends": f"../bases/{base}.yaml", "platform": {"gateway": gateway}, "extras": extras or []}
    found = workshop.check("exposed", json.dumps(content))
    return [finding.message for finding in found if finding.rule.id == "GWY-12"]


def test_an_internal_class_is_for_the_network_alone(workshop: Workshop) -> None:
    """GKE's internal load balancer has no address on the internet."""
    assert not _exposed(workshop, "gke-llmd", {"className": "gke-l7-rilb"})


def test_https_is_encrypted_and_still_open(workshop: Workshop) -> None:
    """A certificate says who the server is, and not who the client is."""
    gateway = {"hostname": "models.example.com", "tls": {"issuer": "letsencrypt"}}
    [message] = _exposed(workshop, "gke-llmd", gateway)
    assert message.endswith("may ask the models")


@pytest.mark.parametrize(("kind", "open_"), [("Internal", False), ("External", True)])
def test_an_annotation_keeps_istios_load_balancer_inside(workshop: Workshop, kind: str, open_: bool) -> None:
    """Istio hands it on to the Service that GKE makes a load balancer for."""
    annotations = {"networking.gke.io/load-balancer-type": kind}
    patch = {"spec": {"infrastructure": {"annotations": annotations}}}
    target = {"kind": "Gateway", "name": "inference-gateway"}
    extras: list[Json] = [{"application": "gateway", "patches": [{"target": target, "patch": patch}]}]
    assert bool(_exposed(workshop, "istio-kserve", {}, extras)) is open_
