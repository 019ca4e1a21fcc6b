"""The local control plane is a real one."""

import os
from pathlib import Path
from typing import Any

import pytest

from llmd_tools.cluster import ControlPlane, Node, Outcome, wait_until
from llmd_tools.crds import crd_files
from llmd_tools.errors import ToolError

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("control-plane")]


def _deployment(name: str, namespace: str = "default", **pod_spec: Any) -> dict[str, Any]:
    labels = {"app": name}
    containers = [{"name": "main", "image": "example.com/image"}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers, **pod_spec}}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def _namespace(name: str, **labels: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _pods(cluster: ControlPlane, app: str) -> list[dict[str, Any]]:
    return cluster.server.list("v1", "Pod", labels=f"app={app}")


def test_deployment_runs(cluster: ControlPlane) -> None:
    """A Deployment's pods are made, scheduled and ready, by way of the real controllers and scheduler."""
    cluster.create_nodes([Node("worker", capacity={"cpu": "8", "memory": "32Gi"})])
    assert [verdict.outcome for verdict in cluster.apply([_deployment("runs")])] == [Outcome.ACCEPTED]
    wait_until(
        "both pods run",
        lambda: [pod["status"]["phase"] for pod in _pods(cluster, "runs")] == ["Running", "Running"],
        programs=cluster.programs,
    )
    assert {pod["spec"]["nodeName"] for pod in _pods(cluster, "runs")} == {"worker"}


def test_pod_that_fits_nowhere_stays_pending(cluster: ControlPlane) -> None:
    """The scheduler counts what a node has and heeds its taints and labels."""
    taint = {"key": "google.com/tpu", "value": "present", "effect": "NoSchedule"}
    cluster.create_nodes(
        [Node("tpu", {"kind": "tpu"}, (taint,), {"cpu": "8", "memory": "32Gi", "google.com/tpu": "4"})]
    )
    [verdict] = cluster.apply([_deployment("untolerated", nodeSelector={"kind": "tpu"})])
    assert verdict.accepted

    def refused() -> bool:
        conditions = [c for pod in _pods(cluster, "untolerated") for c in pod["status"].get("conditions", [])]
        return sum("untolerated taint" in condition.get("message", "") for condition in conditions) == 2

    wait_until("the scheduler has said why", refused, programs=cluster.programs)


def test_unknown_field_is_refused(cluster: ControlPlane) -> None:
    """A misspelt field is the server's error, and the object is not there."""
    [verdict] = cluster.apply([_deployment("typo", nodeSelectr={"a": "b"})])
    assert verdict.outcome is Outcome.REFUSED
    assert "spec.template.spec.nodeSelectr: field not declared in schema" in verdict.message
    assert cluster.server.get("apps/v1", "Deployment", "typo", "default") is None


def test_unknown_kind_is_told_apart(cluster: ControlPlane) -> None:
    """A kind without a CRD is neither accepted nor a fault of the object."""
    [verdict] = cluster.apply([{"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}}])
    assert verdict.outcome is Outcome.UNKNOWN_KIND
    assert str(verdict) == "Widget w: unknown kind: the server has no kind Widget in example.com/v1"
    with pytest.raises(ToolError, match=r"the server has no kind Widget in example\.com/v1"):
        cluster.server.list("example.com/v1", "Widget")


def test_warnings_of_the_server_are_kept(cluster: ControlPlane) -> None:
    """A workload whose pods would break the namespace's Pod Security level is accepted with a warning."""
    labels = {"pod-security.kubernetes.io/warn": "restricted"}
    cluster.apply([_namespace("strict", **labels)])
    [verdict] = cluster.apply([_deployment("loose", "strict")])
    assert verdict.accepted
    assert [warning[:22] for warning in verdict.warnings] == ["would violate PodSecur"]


def test_dry_run_stores_nothing(cluster: ControlPlane) -> None:
    """The verdict of a dry run shows the defaults, and the object is not there."""
    [verdict] = cluster.apply([_deployment("dry")], dry_run=True)
    assert verdict.live["spec"]["strategy"]["type"] == "RollingUpdate"
    assert cluster.server.get("apps/v1", "Deployment", "dry", "default") is None


def test_deleted_object_is_gone(cluster: ControlPlane) -> None:
    """Deleting works, and again does no harm."""
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "gone"}}
    cluster.apply([config])
    for _ in range(2):
        cluster.server.delete("v1", "ConfigMap", "gone", "default")
    assert cluster.server.get("v1", "ConfigMap", "gone", "default") is None


def test_kubectl_speaks_to_this_cluster(cluster: ControlPlane) -> None:
    """Kubectl has the cluster's own kubeconfig, takes input, and fails in its own words."""
    manifest = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "by-hand"}}'
    assert cluster.kubectl("create", "-f", "-", stdin=manifest) == "configmap/by-hand created\n"
    with pytest.raises(ToolError, match='configmaps "by-hand" already exists'):
        cluster.kubectl("create", "-f", "-", stdin=manifest)


def test_crds_are_served_and_judge(cluster: ControlPlane, tmp_path: Path) -> None:
    """CRDs out of pinned modules are established, and their rules hold: unknown fields, CEL, and kwok's stages."""
    names = cluster.install_crds(crd_files("gateway-api"))
    assert "httproutes.gateway.networking.k8s.io" in names
    route: dict[str, Any] = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "route", "namespace": "default"},
    }
    both: dict[str, Any] = {"type": "URLRewrite", "urlRewrite": {}, "requestRedirect": {}}
    verdicts = cluster.apply(
        [
            route | {"spec": {"hostnames": ["example.com"]}},
            route | {"spec": {"hostnamse": []}},
            route | {"spec": {"rules": [{"filters": [both]}]}},
        ]
    )
    assert [verdict.accepted for verdict in verdicts] == [True, False, False]
    assert verdicts[0].live["spec"]["rules"][0]["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]
    assert ".spec.hostnamse: field not declared in schema" in verdicts[1].message
    assert "filter.requestRedirect must be nil" in verdicts[2].message

    stage = tmp_path / "stage.yaml"
    stage.write_text(_STAGE)
    cluster.simulate(stage)

    def parents() -> list[Any]:
        live = cluster.server.get(route["apiVersion"], "HTTPRoute", "route", "default") or {}
        return live.get("status", {}).get("parents", [])

    wait_until("the stage has written a status", lambda: parents() != [], programs=cluster.programs)


_STAGE = """
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: route}
spec:
  resourceRef: {apiGroup: gateway.networking.k8s.io/v1, kind: HTTPRoute}
  selector:
    matchExpressions: [{key: '.status.parents.[] | .controllerName', operator: DoesNotExist}]
  next:
    statusTemplate: |
      parents:
      - controllerName: example.com/test
        parentRef: {name: gateway}
        conditions: [{type: Accepted, status: "True", reason: Test, message: "", lastTransitionTime: {{ Now | Quote }}}]
"""


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_nothing_is_left_behind(cluster: ControlPlane) -> None:
    """A second control plane runs beside the first, and when its block ends so do its processes and files."""
    with ControlPlane(simulate_pods=False) as second:
        assert second.server.url != cluster.server.url
        pids = [program.pid for program in second.programs.running]
        assert len(pids) == 4
    assert not any(map(_alive, pids))
    assert not second.folder.exists()
    assert cluster.server.ready()


def test_logs_stay_when_the_block_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error inside the block names the logs; nothing secret stays beside them."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def fail() -> None:
        with ControlPlane(simulate_pods=False):
            raise RuntimeError("something else")

    with pytest.raises(RuntimeError) as caught:
        fail()
    [note] = caught.value.__notes__
    logs = Path(note.removeprefix("logs of the local control plane: "))
    assert "kube-apiserver.log" in {log.name for log in logs.iterdir()}
    assert [each.name for each in logs.parent.iterdir()] == ["logs"]
