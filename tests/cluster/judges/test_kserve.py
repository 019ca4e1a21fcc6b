"""KServe's real controller reconciles our models; its children are those that we count on."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from llmd_constructs.catalogue import kserve_release, picker_release
from llmd_constructs.serving.engine import MODEL_SERVER_PORT
from llmd_constructs.serving.kserve_names import KServeNames
from llmd_tools.judges.children import made, main_container, pod_templates, predicted
from llmd_tools.judges.plugin import Judged
from llmd_tools.judges.references import pools
from llmd_tools.judges.rehearsal import Rehearsal
from llmd_tools.judges.rendered import Manifest
from llmd_tools.judges.selection import selects

pytestmark = pytest.mark.cluster

PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
SIDECAR = "llm-d-routing-sidecar"


def test_every_model_is_reconciled(rehearsal: Rehearsal, services: list[Manifest]) -> None:
    """The controller gets every model to Ready; a group of pods, which nobody runs here, at least to its routes."""
    assert not rehearsal.late, rehearsal.late
    assert services


def test_children_have_the_predicted_names(
    rehearsal: Rehearsal, services: list[Manifest], judged: Judged
) -> None:
    """KServe makes exactly the workloads, Services, Secrets, routes and pools that `KServeNames` names."""
    count = 0
    for service in services:
        children = made(rehearsal, service)
        assert set(children) == predicted(service), service["metadata"]["name"]
        count += len(children)
    judged("KServe", rehearsal.rendered.name, count, seconds=rehearsal.seconds_to_reconcile)


def test_children_have_the_predicted_labels(rehearsal: Rehearsal, services: list[Manifest]) -> None:
    """Selectors of ours pick model servers, pickers and groups of pods, and nothing else."""
    for service in services:
        names, children = KServeNames(service["metadata"]["name"]), made(rehearsal, service)
        servers = {"matchLabels": names.model_server_selector}
        picker = {"matchLabels": names.picker_selector}
        for (kind, name), child in children.items():
            if kind not in {"Deployment", "LeaderWorkerSet"}:
                continue
            is_picker = name == names.picker
            labels = [template["metadata"]["labels"] for template in pod_templates(child)]
            assert [selects(picker, each) for each in labels] == [is_picker] * len(labels), name
            assert [selects(names.group_selector, each) for each in labels] == [not is_picker] * len(
                labels
            ), name
            # Of a group, the leader alone answers requests.
            assert selects(servers, labels[0]) is not is_picker, name


def test_children_have_the_predicted_ports(rehearsal: Rehearsal, services: list[Manifest]) -> None:
    """The workload's Service, the pool and the picker's Service listen where our policies and routes expect them."""
    release = kserve_release(rehearsal.rendered.plan.environment.platform.kserve or "")
    picker_ports = picker_release(release.picker).ports
    for service in services:
        names, children = KServeNames(service["metadata"]["name"]), made(rehearsal, service)
        workload = children["Service", names.workload_service]["spec"]
        assert [port["port"] for port in workload["ports"]] == [MODEL_SERVER_PORT]
        picker = {port["port"] for port in children["Service", names.picker_service]["spec"]["ports"]}
        assert {picker_ports.grpc, picker_ports.health, picker_ports.metrics} <= picker
        pool = pools(rehearsal, service["metadata"]["namespace"])[names.pool]["spec"]
        assert _target_ports(pool) == [MODEL_SERVER_PORT]
        assert _picker_of(pool) == names.picker_service


def test_updates_take_the_nodes_that_we_say(rehearsal: Rehearsal, services: list[Manifest]) -> None:
    """Model servers are updated as Kubernetes does by default, which adds one first; groups are replaced in place."""
    for service in services:
        names = KServeNames(service["metadata"]["name"])
        for (kind, name), child in made(rehearsal, service).items():
            if kind == "Deployment" and name != names.picker:
                shares = {"maxSurge": "25%", "maxUnavailable": "25%"}
                assert child["spec"]["strategy"] == {"type": "RollingUpdate", "rollingUpdate": shares}, name
            if kind == "LeaderWorkerSet":
                group = child["spec"]["rolloutStrategy"].get("rollingUpdateConfiguration", {})
                assert group.get("maxSurge", 0) == 0, name


def _target_ports(pool: Mapping[str, Any]) -> list[int]:
    """Of a pool of either API."""
    return (
        [port["number"] for port in pool["targetPorts"]]
        if "targetPorts" in pool
        else [pool["targetPortNumber"]]
    )


def _picker_of(pool: Mapping[str, Any]) -> str:
    return str((pool.get("endpointPickerRef") or pool["extensionRef"])["name"])


def test_our_template_wins_over_the_preset(rehearsal: Rehearsal, services: list[Manifest]) -> None:
    """Command, flags, image, resources and probes of the merged pod are ours, and all three probes speak alike."""
    for service in services:
        for wanted, pod in _pods(rehearsal, service):
            ours, merged = wanted["containers"][0], main_container(pod)
            print(yaml.safe_dump(pod["spec"], sort_keys=False))  # noqa: T201  # shown where the test fails
            for key in ("command", "image", "resources"):
                if key in ours:
                    assert merged[key] == ours[key], f"{service['metadata']['name']}: {key}"
            if "args" in ours:
                assert merged["args"] == ours["args"], service["metadata"]["name"]
            probes = {
                (merged[each]["httpGet"]["scheme"], merged[each]["httpGet"]["port"])
                for each in PROBES
                if each in merged
            }
            assert len(probes) <= 1, f"{service['metadata']['name']}: probes of {probes}"
            if PROBES[0] in ours:
                assert probes == {(ours[PROBES[0]]["httpGet"]["scheme"], ours[PROBES[0]]["httpGet"]["port"])}
            assert pod["spec"]["nodeSelector"] == wanted["nodeSelector"]
            assert pod["spec"]["serviceAccountName"] == wanted["serviceAccountName"]


def test_a_group_gets_its_flags(rehearsal: Rehearsal, services: list[Manifest]) -> None:
    """Leader and workers of a group keep the preset's command, and are given our flags by its variable."""
    for service in services:
        if "worker" not in service["spec"]:
            continue
        for wanted, pod in _pods(rehearsal, service):
            variable = [
                each for each in wanted["containers"][0]["env"] if each["name"] == "VLLM_ADDITIONAL_ARGS"
            ]
            container = main_container(pod)
            assert variable[0] in container["env"]
            assert "VLLM_ADDITIONAL_ARGS" in str(container["command"]) + str(container.get("args"))


def test_the_sidecar_stands_before_the_decoding_engine(
    rehearsal: Rehearsal, services: list[Manifest]
) -> None:
    """Where prefill is apart, KServe's sidecar has the pod's port and finds the engine where we let it listen."""
    for service in services:
        if "prefill" not in service["spec"]:
            continue
        names = KServeNames(service["metadata"]["name"])
        pod = made(rehearsal, service)["Deployment", names.workload]["spec"]["template"]
        [sidecar] = [each for each in pod["spec"]["initContainers"] if each["name"] == SIDECAR]
        told = [*sidecar.get("command", []), *sidecar.get("args", [])]
        port = main_container(pod)["readinessProbe"]["httpGet"]["port"]
        assert {f"--port={MODEL_SERVER_PORT}", f"--vllm-port={port}"} <= set(told)
        assert f"--port={port}" in main_container(pod)["args"]
        assert {"--connector=nixlv2", "--kv-connector=nixlv2"}.intersection(
            told
        )  # the name until 0.17, and since


def _pods(rehearsal: Rehearsal, service: Manifest) -> Iterator[tuple[Mapping[str, Any], dict[str, Any]]]:
    """What we ask for beside what KServe makes of it, for every kind of pod of a service."""
    spec, names = service["spec"], KServeNames(service["metadata"]["name"])
    children = made(rehearsal, service)
    if "worker" in spec:
        leader, worker = pod_templates(children["LeaderWorkerSet", names.workload_group])
        yield spec["template"], leader
        yield spec["worker"], worker
    else:
        yield spec["template"], children["Deployment", names.workload]["spec"]["template"]
    if "prefill" in spec:
        yield spec["prefill"]["template"], children["Deployment", names.prefill]["spec"]["template"]
