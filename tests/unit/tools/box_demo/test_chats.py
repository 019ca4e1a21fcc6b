"""Where the gateway answers, read from the routes."""

from typing import Any

from llmd_tools.box.demo_chats import Chat, chats


def pool(name: str, *models: str, namespace: str = "shop") -> list[dict[str, Any]]:
    """An InferencePool and a Deployment for each model that its pods serve."""
    labels = {"pool": name}
    return [
        {
            "kind": "InferencePool",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"selector": {"matchLabels": labels}},
        },
        *(
            {
                "kind": "Deployment",
                "metadata": {"name": f"{name}-{model}", "namespace": namespace},
                "spec": {
                    "template": {
                        "metadata": {"labels": {**labels, "role": "decode"}},
                        "spec": {"containers": [{"args": ["x", f"--served-model-name={model}", "--port=1"]}]},
                    }
                },
            }
            for model in models
        ),
    ]


def route(path: str, backend: str, kind: str = "InferencePool") -> dict[str, Any]:
    """An HTTPRoute that leads a path to a backend."""
    rule = {
        "matches": [{"path": {"type": "PathPrefix", "value": path}}],
        "backendRefs": [{"kind": kind, "name": backend}],
    }
    return {"kind": "HTTPRoute", "metadata": {"name": "r", "namespace": "shop"}, "spec": {"rules": [rule]}}


def test_a_path_of_chats_leads_to_its_model() -> None:
    """What comes before `/v1` is what a client puts before its own paths."""
    found = chats([*pool("p", "m"), route("/shop/web/v1/chat/completions", "p")])
    assert found == [Chat("/shop/web", "m", "shop")]


def test_the_root_leads_to_its_model() -> None:
    """A route for everything is one for chats, too."""
    assert chats([*pool("p", "m"), route("/", "p")]) == [Chat("", "m", "shop")]


def test_other_paths_are_no_chats() -> None:
    """Neither other endpoints of the API, nor routes that pass the endpoint picker by."""
    routes = [route("/shop/web/v1/completions", "p"), route("/shop/web", "p", kind="Service")]
    assert chats([*pool("p", "m"), *routes]) == []


def test_a_model_that_several_workloads_serve_is_one() -> None:
    """Prefill and decode are one model to a client."""
    assert chats([*pool("p", "m", "m"), route("/", "p")]) == [Chat("", "m", "shop")]


def test_kserve_routes_by_namespace_and_name() -> None:
    """Its routes are not rendered, and follow from the service."""
    service = {
        "kind": "LLMInferenceService",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"model": {"name": "Org/Model"}},
    }
    assert chats([service]) == [Chat("/shop/web", "Org/Model", "shop")]
