"""What is made of a LeaderWorkerSet."""

from typing import Any

from llmd_tools.box.demo_groups import objects

GROUP: dict[str, Any] = {
    "metadata": {"name": "web", "namespace": "shop", "uid": "u1"},
    "spec": {
        "replicas": 2,
        "leaderWorkerTemplate": {
            "size": 2,
            "leaderTemplate": {
                "metadata": {"labels": {"role": "leader"}},
                "spec": {"containers": [{"name": "a"}]},
            },
            "workerTemplate": {"spec": {"containers": [{"name": "b", "env": [{"name": "X", "value": "1"}]}]}},
        },
    },
}


def made() -> dict[str, dict[str, Any]]:
    """The objects, by kind and name."""
    return {f"{each['kind']}/{each['metadata']['name']}": each for each in objects(GROUP)}


def test_a_group_has_a_leader_and_workers() -> None:
    """As many as its size, for each replica, and a Service that names them."""
    assert list(made()) == ["Service/web", "Pod/web-0", "Pod/web-0-1", "Pod/web-1", "Pod/web-1-1"]


def test_every_pod_knows_its_leader() -> None:
    """By a name that the Service gives, with its own place in the group."""
    env = {
        name: {each["name"]: each["value"] for each in thing["spec"]["containers"][0]["env"]}
        for name, thing in made().items()
        if thing["kind"] == "Pod"
    }
    assert env["Pod/web-1-1"] == {
        "LWS_LEADER_ADDRESS": "web-1.web.shop",
        "LWS_GROUP_SIZE": "2",
        "LWS_WORKER_INDEX": "1",
        "X": "1",
    }
    assert env["Pod/web-1"]["LWS_WORKER_INDEX"] == "0"


def test_pods_can_be_found_by_name_before_they_are_ready() -> None:
    """A worker waits for its leader's address."""
    service, leader = made()["Service/web"]["spec"], made()["Pod/web-0"]
    assert service["publishNotReadyAddresses"]
    assert service["selector"].items() <= leader["metadata"]["labels"].items()
    assert (leader["spec"]["hostname"], leader["spec"]["subdomain"]) == ("web-0", "web")


def test_what_is_made_goes_with_the_group() -> None:
    """The group owns all of it."""
    assert {thing["metadata"]["ownerReferences"][0]["uid"] for thing in made().values()} == {"u1"}
