"""Laws that the catalogue's facts hold among themselves."""

import math
import re
from collections.abc import Iterator
from datetime import date
from ipaddress import IPv4Network
from pathlib import Path
from typing import get_args

import yaml

from llmd_constructs import catalogue

LABEL_VALUE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
COMMIT = re.compile(r"[0-9a-f]{40}")
TAG = re.compile(r"v?\d+(\.\d+)+")
TPU_HOST_SHAPES = re.compile(r"\d+,\d+,\d+")


def _accelerators() -> list[catalogue.Accelerator]:
    return [catalogue.accelerator(name) for name in catalogue.ids("accelerator")]


def _machine_types() -> list[catalogue.MachineType]:
    return [catalogue.machine_type(name) for name in catalogue.ids("machine_type")]


def _models() -> list[catalogue.Model]:
    return [catalogue.model(name) for name in catalogue.ids("model")]


def _kserve() -> list[catalogue.KServeRelease]:
    return [catalogue.kserve_release(name) for name in catalogue.ids("kserve_release")]


def _pickers() -> list[catalogue.PickerRelease]:
    return [catalogue.picker_release(name) for name in catalogue.ids("picker_release")]


def _engines() -> list[catalogue.EngineImage]:
    return [catalogue.engine_image(name) for name in catalogue.ids("engine_image")]


def _installs() -> Iterator[tuple[str, catalogue.Install]]:
    yield from ((name, catalogue.upstream(name).install) for name in catalogue.ids("upstream"))
    yield from ((release.id, source) for release in _kserve() for source in release.install)


def test_every_entry_has_a_source_and_a_past_date() -> None:
    """Nothing is taken on faith, or from the future."""
    tables = [[_entry(kind, name) for name in catalogue.ids(kind)] for kind in get_args(catalogue.Kind)]
    entries = [*(entry for table in tables for entry in table), *catalogue.prices()]
    entries += [*catalogue.gke().networks.values(), *catalogue.gke().version_gates.values()]
    assert [
        e for e in entries if not all(e.source) or not date(2025, 1, 1) <= e.date <= date(2027, 1, 1)
    ] == []


def _entry(kind: catalogue.Kind, name: str) -> catalogue.Entry:
    look_up = getattr(catalogue, kind)
    return look_up(name)


def test_every_data_file_is_read() -> None:
    """A file that no look-up reads would rot unseen."""
    root = Path(catalogue.__file__).parent
    code = "".join(path.read_text(encoding="utf-8") for path in root.rglob("*.py"))
    assert [p.name for p in root.rglob("*.yaml") if str(p.relative_to(root)) not in code] == []


def test_every_shared_anchor_is_used() -> None:
    """An anchor without a reference is a fact that nobody sees."""
    unused: list[str] = []
    for path in Path(catalogue.__file__).parent.rglob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        anchors = {e.anchor for e in yaml.parse(text) if isinstance(e, yaml.events.NodeEvent) and e.anchor}
        unused += [f"{path.name}: {a}" for a in anchors if not re.search(rf"\*{a}\b", text)]
    assert unused == []


def test_built_in_and_attachable_accelerators_exist() -> None:
    """A machine type only names accelerators that the catalogue describes."""
    known = set(catalogue.ids("accelerator"))
    named = {m.name: {*m.attachable, *([m.accelerator] if m.accelerator else [])} for m in _machine_types()}
    assert {name: found - known for name, found in named.items() if found - known} == {}


def test_every_accelerator_has_a_machine_type() -> None:
    """No accelerator without a machine that has it."""
    named = {a for m in _machine_types() for a in (*m.attachable, m.accelerator)}
    assert set(catalogue.ids("accelerator")) - named == set()


def test_a_machine_type_with_an_accelerator_has_chips_and_only_then() -> None:
    """Chips count what is built in; what is attached is counted by the node pool."""
    assert [m.name for m in _machine_types() if (m.chips > 0) != (m.accelerator is not None)] == []


def test_topologies_multiply_to_chips() -> None:
    """The product of a slice's shape is its hosts times their chips."""
    wrong = [
        (m.name, t.topology)
        for m in _machine_types()
        for t in m.topologies
        if math.prod(map(int, t.topology.split("x"))) != m.chips * t.hosts
    ]
    assert wrong == []


def test_tpu_machine_types_have_one_single_host_shape_and_matching_bounds() -> None:
    """Chips per host bounds describe the one slice that fits a single host."""
    tpus = [
        m for m in _machine_types() if m.accelerator and catalogue.accelerator(m.accelerator).kind == "tpu"
    ]
    assert tpus
    for machine in tpus:
        assert [t.hosts for t in machine.topologies].count(1) == 1, machine.name
        assert machine.chips_per_host_bounds is not None
        assert TPU_HOST_SHAPES.fullmatch(machine.chips_per_host_bounds), machine.name
        assert math.prod(map(int, machine.chips_per_host_bounds.split(","))) == machine.chips, machine.name
    assert [
        m.name for m in _machine_types() if m not in tpus and (m.topologies or m.chips_per_host_bounds)
    ] == []


def test_slice_shapes_have_the_dimensions_of_their_generation() -> None:
    """The v5e and v6e have two dimensions; the v5p and the tpu7x have three."""
    dimensions = {"tpu-v5e": 2, "tpu-v6e": 2, "tpu-v5p": 3, "tpu7x": 3}
    wrong = [
        (m.name, t.topology)
        for m in _machine_types()
        for t in m.topologies
        if len(t.topology.split("x")) != dimensions[m.accelerator or ""]
    ]
    assert wrong == []


def test_labels_and_taints_are_valid_label_values() -> None:
    """What becomes a node selector or a toleration is accepted by the API server."""
    values = [v for a in _accelerators() for v in (a.node_label_value, a.taint.value)]
    values += [t.topology for m in _machine_types() for t in m.topologies]
    assert [v for v in values if not LABEL_VALUE.fullmatch(v)] == []


def test_node_labels_tell_accelerators_apart() -> None:
    """No two accelerators share a label value."""
    values = [a.node_label_value for a in _accelerators()]
    assert sorted(set(values)) == sorted(values)


def test_only_gpus_have_a_compute_capability_and_only_tpus_a_topology() -> None:
    """Each kind has its own facts."""
    assert [a.id for a in _accelerators() if (a.compute_capability is None) != (a.kind == "tpu")] == []
    assert [a.id for a in _accelerators() if (a.topology_label_key is None) != (a.kind == "gpu")] == []


def test_usable_memory_is_not_more_than_the_chip_has() -> None:
    """GiB that a program can use are close to, and never above, what the vendor's GB can be read as."""
    assert [a.id for a in _accelerators() if not 0.9 * a.memory_gb < a.memory_gib <= a.memory_gb * 1.01] == []


def test_a_mixture_of_experts_says_how_many_and_a_dense_model_none() -> None:
    """The kind of a model and its experts agree, and fewer parameters are active than there are."""
    for model in _models():
        moe = model.kind == "moe"
        assert (model.experts is not None) == moe, model.id
        assert (model.active_parameters < model.parameters) == moe, model.id


def test_attention_heads_share_key_and_value_heads_evenly() -> None:
    """Grouped attention needs a whole number of query heads per key and value head."""
    assert [m.id for m in _models() if m.attention_heads % m.kv_heads] == []


def test_sliding_and_full_layers_are_all_layers() -> None:
    """A model with a window says how every layer attends."""
    windows = [(m, m.sliding_window) for m in _models() if m.sliding_window]
    assert windows
    assert [m.id for m, w in windows if w.full_layers + w.sliding_layers != m.layers] == []


def test_weights_weigh_what_their_format_says() -> None:
    """Bytes per parameter follow from the published format, within what stays in another format."""
    bytes_per_parameter = {"bfloat16": (1.98, 2.02), "fp8": (1.0, 1.06), "mxfp4": (0.53, 0.68)}
    for model in _models():
        low, high = bytes_per_parameter[model.native_dtype]
        assert low < model.weight_gib * 2**30 / (model.parameters * 1e9) < high, model.id


def test_kserve_names_a_picker_that_the_catalogue_describes() -> None:
    """The picker that a release starts is known down to its plugins."""
    assert {r.id: r.picker for r in _kserve() if r.picker not in catalogue.ids("picker_release")} == {}


def test_kserve_writes_a_served_version() -> None:
    """The API version that we write is one that the release serves."""
    assert [r.id for r in _kserve() if r.api_version.split("/")[1] not in r.served_api_versions] == []


def test_kserve_requirements_are_software_of_the_catalogue() -> None:
    """A release only requires what Argo CD can install, or what GKE brings."""
    software = {*catalogue.ids("upstream"), "inference-extension", "gateway-api"}
    assert {r.id: set(r.requires) - software for r in _kserve() if set(r.requires) - software} == {}


def test_kserve_finds_its_webhook_certificate_itself() -> None:
    """Who renders the webhook's certificate is written down, so that it is rendered once."""
    assert [r.id for r in _kserve() if f"Certificate/{r.webhook.certificate}" not in r.installs] == []


def test_every_prefix_block_size_is_a_parameter_of_its_plugin() -> None:
    """The parameter that has to agree with the engine exists."""
    wrong = [
        p.id for p in _pickers() if p.prefix_block_size.parameter not in p.plugins[p.prefix_block_size.plugin]
    ]
    assert wrong == []


def test_pickers_do_not_list_a_flag_as_taken_and_refused() -> None:
    """A flag is accepted or refused; a deprecated one is still accepted."""
    assert [p.id for p in _pickers() if set(p.flags) & set(p.refused_flags)] == []
    assert [p.id for p in _pickers() if not set(p.deprecated_flags) <= set(p.flags)] == []
    assert [p.id for p in _pickers() if p.kv_cache_flag and p.kv_cache_flag not in p.flags] == []


def test_experimental_plugins_are_plugins_and_can_be_allowed() -> None:
    """A plugin that must be allowed exists, and so does the flag that allows it."""
    assert [p.id for p in _pickers() if not set(p.experimental_plugins) <= set(p.plugins)] == []
    assert [
        p.id for p in _pickers() if p.experimental_plugins and "allow-experimental-plugins" not in p.flags
    ] == []


def test_pickers_write_a_configuration_that_they_read() -> None:
    """The configuration's API version is one of those that the release's loader accepts."""
    assert [p.id for p in _pickers() if p.config_api_version not in p.accepted_config_api_versions] == []


def test_engines_do_not_both_add_and_refuse_a_flag() -> None:
    """A flag is new or gone, not both."""
    assert [e.image for e in _engines() if set(e.removed_flags) & set(e.added_flags)] == []


def test_images_are_pinned() -> None:
    """An image has a tag that is not `latest`; the fork's moving tag is the one exception and says so."""
    moving = {"v0.15-latest", "v0.4"}
    images = [e.image for e in _engines()] + [p.image for p in _pickers()]
    images += [i for r in _kserve() for i in r.images.model_dump().values() if i and r.id != "odh-0.15"]
    assert [i for i in images if not TAG.fullmatch(i.rpartition(":")[2])] == []
    fork = catalogue.kserve_release("odh-0.15")
    assert {i.rpartition(":")[2] for i in fork.images.model_dump().values() if i} == moving
    assert "moves" in (fork.note or "")


def test_installations_are_pinned() -> None:
    """Argo CD gets a released chart, a tag or a full commit, never a branch."""
    wrong = [
        name
        for name, source in _installs()
        if not (
            TAG.fullmatch(source.version)
            if isinstance(source, catalogue.ChartSource)
            else TAG.fullmatch(source.revision) or COMMIT.fullmatch(source.revision)
        )
    ]
    assert wrong == []


def test_oci_chart_repositories_have_no_scheme_and_others_do() -> None:
    """Argo CD wants a bare registry path for OCI and a URL for anything else."""
    charts = [(name, source) for name, source in _installs() if isinstance(source, catalogue.ChartSource)]
    assert [name for name, source in charts if source.oci == source.repo.startswith("https://")] == []


def test_istio_turns_the_inference_extension_on() -> None:
    """Every release names the variables; without them its gateway ignores InferencePools."""
    releases = [catalogue.istio_release(name) for name in catalogue.ids("istio_release")]
    assert [r.id for r in releases if not r.inference_env] == []
    assert [r.id for r in releases if not r.version.startswith(f"v{r.id}.")] == []


def test_only_regional_gke_classes_serve_pools() -> None:
    """The classes that a route to an InferencePool may use on GKE."""
    classes = [catalogue.gateway_class(name) for name in catalogue.ids("gateway_class")]
    serving = {c.id for c in classes if c.provider == "gke" and c.inference_pools}
    assert serving == {"gke-l7-regional-external-managed", "gke-l7-rilb"}
    assert [c.id for c in classes if c.provider == "gke" and c.route_timeouts] == []


def test_prices_name_things_of_the_catalogue_by_their_unit() -> None:
    """A price per chip is of an accelerator, one per machine of a machine type."""
    known = {
        "chip": catalogue.ids("accelerator"),
        "machine": catalogue.ids("machine_type"),
        "forwarding-rule": ("load-balancer",),
    }
    assert [p.id for p in catalogue.prices() if p.item not in known[p.unit]] == []


def test_networks_are_networks() -> None:
    """A policy with a malformed block is refused by the cluster."""
    for network in catalogue.gke().networks.values():
        assert [str(IPv4Network(cidr)) for cidr in network.cidrs] == list(network.cidrs)


def test_every_accelerator_has_an_on_demand_price_where_google_publishes_one() -> None:
    """A cost report can say what a chip costs somewhere; the tpu7x has no list price."""
    priced = {p.item for p in catalogue.prices() if p.model == "on-demand" and p.unit == "chip"}
    assert set(catalogue.ids("accelerator")) - priced == {"tpu7x"}


def test_a_price_cut_is_a_cut() -> None:
    """Spot, flex-start and commitments cost less than on-demand in the same region."""
    on_demand = {(p.item, p.region): p.usd_per_hour for p in catalogue.prices() if p.model == "on-demand"}
    cuts = [p for p in catalogue.prices() if p.model != "on-demand"]
    assert [p.id for p in cuts if not 0 < p.usd_per_hour < on_demand[p.item, p.region]] == []


def test_the_sail_operator_is_one_that_an_istio_release_names() -> None:
    """The operator's own pin does not drift away from the releases."""
    named = {catalogue.istio_release(name).sail_operator for name in catalogue.ids("istio_release")}
    assert catalogue.upstream("sail-operator").version in named


def test_upstream_pins_agree_with_their_sources() -> None:
    """The version that is shown is the version that is installed."""
    wrong: list[str] = []
    for name in catalogue.ids("upstream"):
        software = catalogue.upstream(name)
        source = software.install
        if isinstance(source, catalogue.GitSource) and source.branch:
            # Its version is what the manifest of that one commit says.
            wrong += [] if re.fullmatch(r"[0-9a-f]{40}", source.revision) else [name]
            continue
        pinned = source.version if isinstance(source, catalogue.ChartSource) else source.revision
        wrong += [name] if pinned.removeprefix("v") != software.version.removeprefix("v") else []
    assert wrong == []
