"""A chart's README: what it installs, what has to be there, every value."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from llmd_constructs.charts.chart import resolve
from llmd_constructs.config.deployment import Stack

MOST_CHOICES = 8
"""More do not fit into a table: they stand below it."""

INSTALLS = {
    "kserve": "an LLMInferenceService, from which KServe makes the model servers, the endpoint picker and the pool",
    "llm-d": "model servers with vLLM, an endpoint picker, an InferencePool, their Services and accounts",
}
NEEDS = {
    "kserve": ("KServe with LLMInferenceService, at the release that `kserve` names",),
    "llm-d": ("The CRD of InferencePool (`inference.networking.k8s.io/v1`); GKE brings it from 1.34 on",),
}
GROUPS = "LeaderWorkerSet, where `nodesPerReplica` is more than 1"
BODY_ROUTER = "The body-based router in front of the gateway, where `routing` is `body`"


class Row(NamedTuple):
    """One value."""

    path: str
    kind: str
    default: str
    description: str
    choices: tuple[str, ...] = ()
    """What it can be, where that is too much for a cell."""


def model_readme(name: str, description: str, pattern: str, stack: Stack, schema: dict[str, Any]) -> str:
    """`README.md` of a model's chart."""
    needs = "\n".join(f"- {need}" for need in _needs(pattern, stack))
    named = "the release and from `models`" if pattern == "multi-model" else "the release"
    return f"""\
# {name}

{description}

It installs {INSTALLS[stack]}; an HTTPRoute, and what the gateway wants for it; network policies, if `networkPolicies.enabled`. Names come from {named}, the namespace is the release's.

Before it, the cluster has:

{needs}

```console
$ helm install <release> charts/{name} --namespace <namespace> --values <your values>
$ helm test <release> --namespace <namespace> --logs
```

`helm install` prints what to look at next. A wrong value is refused before anything is installed, with the rule's id where a schema cannot say it; `llmd explain <id>` tells more.

{_values(schema)}"""


def platform_readme(name: str, description: str, schema: dict[str, Any]) -> str:
    """`README.md` of a chart of what models stand on."""
    return f"""\
# {name}

{description}

```console
$ helm install <release> charts/{name} --namespace <namespace> --values <your values>
```

{_values(schema)}"""


def _values(schema: dict[str, Any]) -> str:
    """The table of values, and what does not fit into it."""
    found = rows_of(schema)
    rows = "\n".join(f"| `{row.path}` | {row.kind} | {row.default} | {row.description} |" for row in found)
    listed = [
        f"- `{row.path}`: {', '.join(f'`{each}`' for each in row.choices)}" for row in found if row.choices
    ]
    choices = "\n".join(["### Choices", "", *listed, "", ""]) if listed else ""
    return f"""\
## Values

| value | type | default | meaning |
|---|---|---|---|
{rows}

A default of `null` stands for what the meaning says.

{choices}Generated from the constructs that render `dist/`; [docs/charts.md](../../docs/charts.md) tells how. Do not edit it here.
"""


def _needs(pattern: str, stack: Stack) -> Iterator[str]:
    yield "A node pool for each `accelerator`: its machine type with its chips, and for TPUs its topology"
    yield "The Gateway that `gateway` names, of a controller that serves InferencePools, open to routes of the namespace"
    yield from NEEDS[stack]
    if pattern == "mixture-of-experts":
        yield GROUPS
    if pattern == "multi-model":
        yield BODY_ROUTER
    yield "The Secret that `secrets.huggingFaceToken` names, for gated models; see [docs/secrets.md](../../docs/secrets.md)"


def rows_of(schema: dict[str, Any]) -> list[Row]:
    """Every value, in the order of `values.yaml`."""
    return list(_rows(schema, schema, "", {}))


def _rows(root: dict[str, Any], schema: dict[str, Any], above: str, given: dict[str, Any]) -> Iterator[Row]:
    """The values below a path, where `given` is what the chart has there."""
    for name, field in schema["properties"].items():
        meant = resolve(root, field)
        path = f"{above}{name}"
        default = given.get(name, field.get("default", _MISSING))
        listed = "items" in meant
        inner = resolve(root, meant["items"]) if listed else meant
        if listed or default is None or "properties" not in inner:
            yield _row(root, path, field, default)
        if "properties" in inner:
            yield from _rows(root, inner, f"{path}[]." if listed else f"{path}.", _mapping(default))


def _mapping(default: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", default) if isinstance(default, dict) else {}


_MISSING = object()


def _row(root: dict[str, Any], path: str, field: dict[str, Any], default: object) -> Row:
    """A row; a value without a default that is no mapping has to be given."""
    meant = resolve(root, field)
    text = field.get("description") or meant.get("description", "")
    if default is _MISSING:
        shown = "`{}`" if "additionalProperties" in meant and "properties" not in meant else "required"
    else:
        shown = f"`{json.dumps(_said(default))}`"
    choices = meant.get("enum", ())
    more = tuple(map(str, choices)) if len(choices) > MOST_CHOICES else ()
    return Row(path, _cell(_kind(root, meant)), _cell(shown), _cell(text), more)


def _said(value: Any) -> Any:
    """A default without what says nothing."""
    if isinstance(value, list):
        return [_said(each) for each in cast("list[Any]", value)]
    if isinstance(value, dict):
        said = {key: _said(each) for key, each in cast("dict[str, Any]", value).items()}
        return {key: each for key, each in said.items() if each not in (None, [], {})}
    return value


def _kind(root: dict[str, Any], meant: dict[str, Any]) -> str:
    choices = meant.get("enum") or ([meant["const"]] if "const" in meant else [])
    if len(choices) > MOST_CHOICES:
        return f"one of {len(choices)}, [below](#choices)"
    if choices:
        return ", ".join(f"`{choice}`" for choice in choices)
    kind = str(meant.get("type", "any"))
    if kind == "array":
        return f"list of {_kind(root, resolve(root, meant['items']))}s"
    least = meant.get("minimum")
    most = meant.get("maximum")
    above = meant.get("exclusiveMinimum")
    bounds = [
        *([f"from {least}"] if least is not None else []),
        *([f"above {above}"] if above is not None else []),
        *([f"to {most}"] if most is not None else []),
    ]
    return " ".join([kind, *bounds])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
