"""What a JSON schema cannot say: a template that stops the installation, in the words and by the ids of the rules."""

from collections.abc import Iterator
from typing import Any

import yaml

from llmd_constructs import catalogue
from llmd_constructs.catalogue import PickerRelease
from llmd_constructs.charts.accelerators import MOST_HOSTS, accelerator_ids
from llmd_constructs.charts.sampling import placement
from llmd_constructs.config.deployment import Engine, Stack
from llmd_constructs.serving.engine import VllmEngine, resolve_image
from llmd_constructs.serving.fit import fit, replica, splits
from llmd_constructs.serving.picker import PickerProfile, needed_plugins

NODES = (1, 2, 3, 4, 6, 8, 16, 32, MOST_HOSTS)
TENSOR_PARALLEL_SIZES = (1, 2, 4, 8, 16)
MOST_NAMED = 8
"""Accelerators that a message names."""
MOST_CHARACTERS = 40
"""Of a release's name: controllers append up to 23 to it."""

FIT = """\
{{- $fit := .Files.Get "tables/fit.yaml" | fromYaml }}
{{- range $side := $sides }}
{{- $engine := $side.engine | default dict }}
{{- $tensor := get $engine "tensorParallelSize" | default 1 | int }}
{{- if not (has (float64 $tensor) (index $fit.splits $side.model)) }}
{{- fail (printf "FIT-02: %s cannot be split over %d devices; write another engine.tensorParallelSize" $side.model $tensor) }}
{{- end }}
{{- $devices := get $fit.devices $side.accelerator | int }}
{{- if ne (mod $devices $tensor) 0 }}
{{- fail (printf "FIT-02: the %d devices of %s cannot be divided by %d; write another engine.tensorParallelSize" $devices $side.accelerator $tensor) }}
{{- end }}
{{- $usual := not (or (get $engine "quantization") (get $engine "kvCacheDtype") (get $engine "tensorParallelSize") (get $engine "gpuMemoryUtilization") (get $engine "dtype")) }}
{{- if $usual }}
{{- $longest := get (index $fit.context $side.model) (printf "%s/%d" $side.accelerator (int $side.nodes)) | default 0 | int }}
{{- $wanted := get $engine "maxModelLen" | default (index $fit.trained $side.model) | int }}
{{- if eq $longest 0 }}
{{- fail (printf "FIT-01: %s does not fit on %s; write one of %s" $side.model $side.accelerator (index $fit.nearest $side.model)) }}
{{- else if gt $wanted $longest }}
{{- fail (printf "FIT-01: %s with a context of %d tokens does not fit on %s; write engine.maxModelLen: %d or less" $side.model $wanted $side.accelerator $longest) }}
{{- end }}
{{- end }}
{{- end }}
"""

_SCORERS = """\
{{- $scorers := get (.Files.Get "tables/scorers.yaml" | fromYaml) .Values.RELEASE }}
{{- range $scorer, $weight := .Values.scheduler.weights }}
{{- if not (has $scorer $scorers) }}
{{- fail (printf "EPP-04: the endpoint picker of RELEASE %s has no scorer %s; write one of %s" $.Values.RELEASE $scorer (join ", " $scorers)) }}
{{- end }}
{{- end }}
"""
_SCALED = """\
{{- range $scaled := HOLDERS }}
{{- with $scaled.autoscaling }}
{{- $least := $scaled.replicas | default 1 | int }}
{{- if le (int .maxReplicas) $least }}
{{- fail (printf "MON-05: autoscaling.maxReplicas is %d, and %d is the fewest already; write %d or more, or lower replicas" (int .maxReplicas) $least (add1 $least)) }}
{{- end }}
{{- if not $.Values.monitoring.enabled }}
{{- fail "MON-02: autoscaling follows metrics that nobody collects; write monitoring.enabled: true" }}
{{- end }}
MORE{{- end }}
{{- end }}
"""
_SCALED_BY_KSERVE = """\
{{- if has $.Values.kserve (list RELEASES) }}
{{- fail (printf "MON-06: KServe %s sets replicas back at every change; leave autoscaling out, or write a later kserve" $.Values.kserve) }}
{{- end }}
"""
_HOLDERS = {
    "multi-model": ".Values.models",
    "prefill-decode": "list .Values.prefill .Values.decode",
    "prefix-cache": "list .Values",
    "mixture-of-experts": "list .Values",
}
"""What has replicas, by pattern."""

_SIDE = 'dict "model" {model} "accelerator" {accelerator} "engine" {engine} "nodes" {nodes}'
_SIDES = {
    "multi-model": (
        "{{- $sides := list }}\n{{- range $model := .Values.models }}\n{{- $sides = append $sides ("
        + _SIDE.format(
            model="$model.model", accelerator="$model.accelerator", engine="$model.engine", nodes="1"
        )
        + ") }}\n{{- end }}\n"
    ),
    "prefill-decode": (
        "{{- $sides := list "
        + " ".join(
            "("
            + _SIDE.format(
                model=".Values.model",
                accelerator=f".Values.{side}.accelerator",
                engine=".Values.engine",
                nodes="1",
            )
            + ")"
            for side in ("prefill", "decode")
        )
        + " }}\n"
    ),
}


def rules_template(pattern: str, stack: Stack) -> str:
    """The template. It renders nothing, or stops."""
    nodes = ".Values.nodesPerReplica" if pattern == "mixture-of-experts" else "1"
    side = _SIDE.format(
        model=".Values.model", accelerator=".Values.accelerator", engine=".Values.engine", nodes=nodes
    )
    sides = _SIDES.get(pattern, f"{{{{- $sides := list ({side}) }}}}\n")
    checks = "".join(_check(condition, message) for condition, message in _checks(pattern, stack))
    return (
        "{{- /* Rules that a schema cannot say; docs/rules.md explains each. */}}\n"
        f"{sides}{checks}{_SCORERS.replace('RELEASE', _release(stack))}{_scaling(pattern, stack)}{FIT}"
    )


def _check(condition: str, message: str) -> str:
    return f"{{{{- if {condition} }}}}\n{{{{- fail {message} }}}}\n{{{{- end }}}}\n"


def _checks(pattern: str, stack: Stack) -> Iterator[tuple[str, str]]:
    """Conditions that stop, each with a message as a template's expression."""
    rule = "KSV-08" if stack == "kserve" else "POD-03"
    yield (
        f"gt (len .Release.Name) {MOST_CHARACTERS}",
        (
            f'(printf "{rule}: the release\'s name has %d characters; choose one of {MOST_CHARACTERS} at most" '
            "(len .Release.Name))"
        ),
    )
    if stack == "kserve":
        yield from _kserve()
    yield from _picker(pattern, stack)
    if pattern == "mixture-of-experts":
        yield from _groups()


def _kserve() -> Iterator[tuple[str, str]]:
    istio = 'eq .Values.gateway.provider "istio"'
    releases = ", ".join(catalogue.ids("istio_release"))
    yield (
        f"and ({istio}) (not .Values.istio)",
        f'"gateway.provider is istio, and istio names no release; write one of {releases}"',
    )
    for release in map(catalogue.kserve_release, catalogue.ids("kserve_release")):
        chosen = f'eq .Values.kserve "{release.id}"'
        unread = [
            minor
            for minor in catalogue.ids("istio_release")
            if catalogue.istio_release(minor).inference_pool_api not in release.pool_apis
        ]
        if unread:
            minors = " ".join(f'"{minor}"' for minor in unread)
            yield (
                f"and ({istio}) ({chosen}) (has .Values.istio (list {minors}))",
                (
                    f'(printf "GWY-09: KServe {release.id} writes InferencePools that Istio %s does not read; '
                    'write a later istio" .Values.istio)'
                ),
            )
        if release.default_gateway:
            place = '(printf "%s/%s" .Values.gateway.namespace .Values.gateway.name)'
            yield (
                f'and ({istio}) ({chosen}) (ne {place} "{release.default_gateway}")',
                (
                    f'"KSV-02: KServe {release.id} attaches its routes to the Gateway {release.default_gateway} only; '
                    'write that name and namespace, or a later kserve"'
                ),
            )


def _picker(pattern: str, stack: Stack) -> Iterator[tuple[str, str]]:
    """Plugins that a release does not have."""
    condition = _needs(pattern)
    if condition is None:
        return
    if stack == "kserve":
        # Its pickers can all choose a prefill replica, and none is told where replicas publish their cache.
        if pattern == "prefix-cache":
            yield (
                condition,
                '"KServe\'s picker is not told where replicas publish their cache; write routing: approximate"',
            )
        return
    for release, picker in _pickers(stack):
        lacking = sorted(needed_plugins(_profile(pattern)) - picker.plugins.keys())
        if lacking:
            yield (
                f'and (eq .Values.picker "{release}") {condition}',
                f'"EPP-04: the endpoint picker of picker {release} lacks {", ".join(lacking)}; write a later one"',
            )


def _release(stack: Stack) -> str:
    """The value that names the release of the picker."""
    return "kserve" if stack == "kserve" else "picker"


def _pickers(stack: Stack) -> Iterator[tuple[str, PickerRelease]]:
    """Releases that a user may name, each with its picker."""
    for release in catalogue.ids("kserve_release" if stack == "kserve" else "picker_release"):
        picker = catalogue.kserve_release(release).picker if stack == "kserve" else release
        yield release, catalogue.picker_release(picker)


def scorers_table(stack: Stack) -> str:
    """The scorers of every release."""
    table = {
        release: sorted(name for name in picker.plugins if name.endswith("-scorer"))
        for release, picker in _pickers(stack)
    }
    return (
        f"# Scorers of the endpoint picker, by `{_release(stack)}`. Generated; do not edit.\n"
        + yaml.dump(table, Dumper=yaml.CSafeDumper, sort_keys=False, width=110)
    )


def _profile(pattern: str) -> PickerProfile:
    """What the picker may have to do."""
    return PickerProfile(
        render="url" if pattern == "prefix-cache" else None,
        disaggregated=pattern == "prefill-decode",
    )


def _needs(pattern: str) -> str | None:
    """When it has to."""
    return {"prefix-cache": '(eq .Values.routing "precise")', "prefill-decode": "true"}.get(pattern)


def _groups() -> Iterator[tuple[str, str]]:
    slices = {
        accelerator: placement(accelerator).hosts
        for accelerator in accelerator_ids(multi_host=True)
        if placement(accelerator).is_tpu
    }
    table = " ".join(f'"{name}" {hosts}' for name, hosts in slices.items())
    hosts = f"(get (dict {table}) .Values.accelerator)"
    yield (
        f"and {hosts} (ne (int {hosts}) (int .Values.nodesPerReplica))",
        (
            f'(printf "ACC-12: a slice of %s is %d nodes; write nodesPerReplica: %d" .Values.accelerator '
            f"(int {hosts}) (int {hosts}))"
        ),
    )
    yield (
        f"and (gt (int {hosts}) 1) (gt (int .Values.replicas) 1)",
        '"ACC-12: a slice of several hosts holds one replica; write replicas: 1, and install one release for each"',
    )
    yield (
        f"and (gt (int {hosts}) 1) .Values.autoscaling",
        '"ACC-12: a slice of several hosts holds one replica; leave autoscaling out"',
    )


def _scaling(pattern: str, stack: Stack) -> str:
    """What is wrong with autoscalers."""
    if pattern not in _HOLDERS:
        return ""
    older = [
        f'"{release}"'
        for release in catalogue.ids("kserve_release")
        if not catalogue.kserve_release(release).features.replicas_left_alone
    ]
    more = _SCALED_BY_KSERVE.replace("RELEASES", " ".join(older)) if stack == "kserve" else ""
    return _SCALED.replace("HOLDERS", _HOLDERS[pattern]).replace("MORE", more)


def fit_table(pattern: str) -> str:
    """The longest context of every model on every accelerator, and what else the rules on fit look up."""
    groups = pattern == "mixture-of-experts"
    models = [model for model in catalogue.ids("model") if not groups or catalogue.model(model).kind == "moe"]
    contexts = {model: dict(_contexts(model, groups=groups)) for model in models}
    table: dict[str, Any] = {
        "context": contexts,
        "trained": {model: catalogue.model(model).context_length for model in models},
        "splits": {
            model: [size for size in TENSOR_PARALLEL_SIZES if splits(catalogue.model(model), size)]
            for model in models
        },
        "devices": {name: placement(name).devices_per_node for name in accelerator_ids(multi_host=groups)},
        "nearest": {model: _named(contexts[model]) for model in models},
    }
    return (
        "# Tokens of context that have room, by model and `accelerator/nodes`. Generated; do not edit.\n"
        + yaml.dump(table, Dumper=yaml.CSafeDumper, sort_keys=False, width=110)
    )


def _contexts(model: str, *, groups: bool) -> Iterator[tuple[str, int]]:
    """Where the model has room, and for how much context."""
    for accelerator in accelerator_ids(multi_host=groups):
        placed = placement(accelerator)
        for nodes in (placed.hosts,) if placed.is_tpu or not groups else NODES:
            engine = VllmEngine(
                settings=Engine(),
                model=catalogue.model(model),
                placement=placed,
                image=resolve_image(Engine(), placed),
                source=model,
                data_parallel=nodes > 1 and not placed.is_tpu,
            )
            longest = fit(replica(engine, nodes)).context_for(1)
            if longest:
                yield f"{accelerator}/{nodes}", longest


def _named(contexts: dict[str, int]) -> str:
    """The first machines on which a model fits, those without attached GPUs before others."""
    names = dict.fromkeys(key.partition("/")[0] for key in contexts)
    ordered = sorted(names, key=lambda name: ":nvidia" in name)
    more = f" and {len(ordered) - MOST_NAMED} more" if len(ordered) > MOST_NAMED else ""
    return ", ".join(ordered[:MOST_NAMED]) + more
