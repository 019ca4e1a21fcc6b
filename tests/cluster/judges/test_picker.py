"""The real endpoint picker judges every configuration that is rendered for one, and gets ready with it."""

import json
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

import pytest

from llmd_constructs.catalogue import ids, kserve_release, picker_release
from llmd_constructs.config.environment import Environment
from llmd_constructs.context import Context
from llmd_constructs.environment import EnvironmentApp
from llmd_constructs.patterns.support import refusals
from llmd_constructs.plan.collect import collect
from llmd_constructs.reports.matrix import cell_environment, cells
from llmd_tools.cluster import ControlPlane, wait_until
from llmd_tools.crds import crd_files
from llmd_tools.judges.crd_sets import pool_sets
from llmd_tools.judges.grpc_health import Health, health
from llmd_tools.judges.picker import (
    RELEASE,
    Configured,
    RunningPicker,
    adapted,
    configurations,
    judge,
    unknown_words,
)
from llmd_tools.judges.plugin import Judged
from llmd_tools.judges.rendered import Manifest, environments

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("bare")]

LOOPBACK = "127.88.0.1"
"""The address of every pod here: the picker asks them for metrics, and nobody answers."""


@cache
def _configured(environment: str) -> tuple[Configured, ...]:
    rendered = environments()[environment]
    return _rendered(rendered.plan.environment, rendered.objects.values())


def _rendered(environment: Environment, manifests: Collection[Manifest]) -> tuple[Configured, ...]:
    platform = environment.platform
    kserve_picker = kserve_release(platform.kserve).picker if platform.kserve else None
    return tuple(configurations(manifests, platform.picker, kserve_picker))


@cache
def _cells() -> Mapping[tuple[str, str], str]:
    """Every configuration of the matrix, by release and text, with one cell that renders it.

    The matrix has the newest releases; here each cell is rendered for every release that its stack can have.
    """
    found: dict[tuple[str, str], str] = {}
    for cell in cells():
        newest = cell_environment(cell.variant, cell.stack, cell.gateway, cell.kind)
        field = "kserve" if cell.stack == "kserve" else "picker"
        for release in ids("kserve_release" if cell.stack == "kserve" else "picker_release"):
            platform = newest.platform.model_copy(update={field: release})
            environment = newest.model_copy(update={"platform": platform})
            if next(refusals(Context("matrix", environment)), None):
                continue
            manifests = [file.manifest for file in collect(EnvironmentApp("matrix", environment)).files]
            for each in _rendered(environment, manifests):
                title = f"{cell.variant.title}, {cell.stack}, {cell.gateway}, {cell.kind}, {release}"
                found.setdefault((each.release, each.text), title)
    return found


ALL = [
    pytest.param(name, each, id=f"{name}-{each.name}")
    for name in environments()
    for each in _configured(name)
]
WITH_FLAGS = [
    pytest.param(name, each, id=f"{name}-{each.name}")
    for name, rendered in environments().items()
    for each in _configured(name)
    if rendered.of_kind("InferencePool")
]


@pytest.mark.parametrize(("environment", "configured"), ALL)
def test_configuration_is_accepted(environment: str, configured: Configured, judged: Judged) -> None:
    """The catalogue knows every word for its release, and the picker that runs loads it."""
    assert not list(unknown_words(configured, picker_release(configured.release)))
    runs = picker_release(RELEASE)
    stands_in = configured.release != RELEASE
    asked = adapted(configured, runs) if stands_in else configured
    assert not list(unknown_words(asked, runs))
    assert judge(asked.text) == ""
    notes = (
        (
            f"configuration for {configured.release}: judged by the catalogue, and by {RELEASE} with its API version",
        )
        if stands_in
        else ()
    )
    judged("picker", environment, 1, notes)


def test_every_pattern_is_accepted(judged: Judged) -> None:
    """Every configuration of the matrix is in the words of its release, and the picker that runs loads it.

    What the running release has no words for any more is judged by the catalogue alone, and listed.
    """
    runs, alone = picker_release(RELEASE), list[str]()
    for (release, text), title in _cells().items():
        configured = Configured(title, "sample", release, text)
        assert not list(unknown_words(configured, picker_release(release))), title
        asked = configured if release == RELEASE else adapted(configured, runs)
        lost = list(unknown_words(asked, runs))
        alone += [f"{title}: {word} is gone from {RELEASE}; judged by the catalogue alone" for word in lost]
        assert lost or judge(asked.text) == "", title
    assert {release for release, _ in _cells()} >= {RELEASE, *_pickers_of_kserve()}
    judged("picker", "matrix", len(_cells()), tuple(alone))


def _pickers_of_kserve() -> set[str]:
    """Pickers of KServe's releases that take a configuration from us."""
    releases = map(kserve_release, ids("kserve_release"))
    return {release.picker for release in releases if release.features.scheduler_config}


def test_a_broken_configuration_is_told() -> None:
    """The picker names the plugin that it does not know, and the parameter."""
    [good] = [each for each in _configured("llmd-istio-tpu") if each.name.startswith("gaie-precise")]
    assert "'queue-scorrer' is not registered" in judge(good.text.replace("queue-scorer", "queue-scorrer"))
    assert "unknown field" in judge(good.text.replace("topicFilter", "topicFiltre"))


@pytest.fixture(scope="module")
def cluster(bare: ControlPlane) -> ControlPlane:
    """A control plane with the APIs that a picker watches."""
    bare.install_crds(crd_files(*pool_sets(None)))
    return bare


@pytest.mark.parametrize(("environment", "configured"), WITH_FLAGS)
def test_picker_finds_its_pool(
    cluster: ControlPlane, environment: str, configured: Configured, judged: Judged
) -> None:
    """Started with the rendered flags, the picker finds its InferencePool and its pods, and reports SERVING."""
    rendered = environments()[environment]
    runs = picker_release(RELEASE)
    asked = configured if configured.release == RELEASE else adapted(configured, runs)
    [pool] = [
        each
        for each in rendered.of_kind("InferencePool")
        if f"--pool-name={each['metadata']['name']}" in configured.flags
    ]
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": configured.namespace}}
    verdicts = cluster.apply([namespace, pool])
    assert all(each.accepted for each in verdicts), verdicts
    picker = RunningPicker(cluster, asked)
    service = runs.health_services.single
    wait_until(
        "the picker serves its pool",
        lambda: health(picker.health_port, service) is Health.SERVING,
        programs=cluster.programs,
    )
    names = {f"{configured.name}-one", f"{configured.name}-two"}
    for name in names:
        _serving_pod(cluster, name, pool)
    wait_until("the picker has found the pods", lambda: picker.pods() == names, programs=cluster.programs)
    cluster.programs.stop(picker.program)
    judged("picker", environment, 1)


def test_picker_without_a_pool_is_not_ready(cluster: ControlPlane) -> None:
    """A pool's name that leads nowhere leaves the picker not serving: readiness means something."""
    configured = next(each for each in _configured("llmd-istio-tpu") if each.flags)
    flags = tuple(
        "--pool-name=nowhere" if each.startswith("--pool-name") else each for each in configured.flags
    )
    picker = RunningPicker(
        cluster, Configured("nowhere", configured.namespace, RELEASE, configured.text, flags)
    )
    wait_until(
        "the picker answers",
        lambda: health(picker.health_port, picker_release(RELEASE).health_services.single) is not None,
        programs=cluster.programs,
        seconds=60,
    )
    assert health(picker.health_port, picker_release(RELEASE).health_services.single) is Health.NOT_SERVING
    cluster.programs.stop(picker.program)


def _serving_pod(cluster: ControlPlane, name: str, pool: dict[str, Any]) -> None:
    """A pod that a pool selects, with the status of one that serves."""
    labels, namespace = pool["spec"]["selector"]["matchLabels"], pool["metadata"]["namespace"]
    wait_until(
        "the default service account exists",
        lambda: cluster.server.get("v1", "ServiceAccount", "default", namespace) is not None,
        programs=cluster.programs,
    )
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    spec = {"containers": [{"name": "main", "image": "example.com/image"}]}
    [verdict] = cluster.apply([{"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}])
    assert verdict.accepted, verdict
    status = {
        "phase": "Running",
        "podIP": LOOPBACK,
        "podIPs": [{"ip": LOOPBACK}],
        "conditions": [{"type": "Ready", "status": "True"}],
    }
    patch = json.dumps({"status": status})
    cluster.kubectl(
        "-n", namespace, "patch", "pod", name, "--subresource=status", "--type=merge", "-p", patch
    )
