"""Where the names and addresses of Services lead."""

from typing import Any

from llmd_tools.box.agent.forwards import balancer_address, forwards, wants_balancer
from llmd_tools.box.agent.hosts import hosts

WEB: dict[str, Any] = {
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {
        "clusterIP": "10.96.2.3",
        "clusterIPs": ["10.96.2.3"],
        "ports": [{"name": "http", "port": 80}, {"name": "metrics", "port": 9090}],
    },
}
HEADLESS: dict[str, Any] = {
    "metadata": {"name": "peers", "namespace": "shop"},
    "spec": {"clusterIP": "None", "clusterIPs": ["None"], "ports": [{"port": 80}]},
}


def slice_of(service: str, *ends: tuple[str, bool], hostname: str = "", **ports: int) -> dict[str, Any]:
    """An EndpointSlice of a Service: addresses, each ready or not."""
    return {
        "metadata": {"namespace": "shop", "labels": {"kubernetes.io/service-name": service}},
        "ports": [{"name": name, "port": port} for name, port in ports.items()],
        "endpoints": [
            {"addresses": [address], "conditions": {"ready": ready}}
            | ({"hostname": hostname} if hostname else {})
            for address, ready in ends
        ],
    }


def test_each_port_leads_to_ready_endpoints() -> None:
    """By the name of the port, since two endpoints may serve it at different numbers."""
    slices = [
        slice_of("web", ("10.244.1.2", True), ("10.244.1.3", False), http=8000, metrics=9090),
        slice_of("web", ("10.244.1.4", True), http=8001),
    ]
    assert forwards([WEB], slices) == {
        ("10.96.2.3", 80): (("10.244.1.2", 8000), ("10.244.1.4", 8001)),
        ("10.96.2.3", 9090): (("10.244.1.2", 9090),),
    }


def test_a_service_without_ready_endpoints_leads_nowhere() -> None:
    """A connection is then refused."""
    assert forwards([WEB], [slice_of("web", ("10.244.1.2", False), http=8000)]) == {}


def test_a_headless_service_has_no_address() -> None:
    """Clients connect to its pods."""
    assert forwards([HEADLESS], [slice_of("peers", ("10.244.1.2", True))]) == {}


def test_a_load_balancer_has_an_address_of_its_own() -> None:
    """It leads where the cluster's own address does, and is given once."""
    balancer: dict[str, Any] = {**WEB, "spec": {**WEB["spec"], "type": "LoadBalancer"}}
    assert wants_balancer(balancer)
    assert balancer_address(balancer) == "10.97.2.3"
    balancer["status"] = {"loadBalancer": {"ingress": [{"ip": "10.97.2.3"}]}}
    assert not wants_balancer(balancer)
    found = forwards([balancer], [slice_of("web", ("10.244.1.2", True), http=8000)])
    assert found["10.97.2.3", 80] == found["10.96.2.3", 80] == (("10.244.1.2", 8000),)


def pod(namespace: str) -> dict[str, Any]:
    """A pod that asks."""
    return {"metadata": {"name": "asker", "namespace": namespace}, "status": {"podIP": "10.244.1.9"}}


def test_a_service_has_the_names_that_search_domains_make() -> None:
    """Its bare name is known in its own namespace alone."""
    full = "web.shop.svc.cluster.local web.shop.svc web.shop"
    assert f"10.96.2.3 {full} web\n" in hosts(pod("shop"), [WEB], [])
    assert f"10.96.2.3 {full}\n" in hosts(pod("other"), [WEB], [])


def test_a_headless_service_names_its_pods() -> None:
    """All that are ready, or simply all if it says so; a pod with a host name has a name of its own."""
    slices = [slice_of("peers", ("10.244.1.2", True), ("10.244.1.3", False), hostname="peer")]
    text = hosts(pod("other"), [HEADLESS], slices)
    assert "10.244.1.2 peer.peers.shop.svc.cluster.local" in text
    assert "10.244.1.3" not in text
    early = {**HEADLESS, "spec": {**HEADLESS["spec"], "publishNotReadyAddresses": True}}
    assert "10.244.1.3" in hosts(pod("other"), [early], slices)


def test_a_pod_knows_itself() -> None:
    """Programs look their own host name up."""
    assert hosts(pod("shop"), [], []) == "127.0.0.1 localhost\n10.244.1.9 asker\n"
