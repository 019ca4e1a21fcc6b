"""Any valid environment synthesizes, deterministically, with no reference that leads nowhere."""

import importlib.util
import json
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings

from llmd_constructs.config.errors import InputError
from llmd_constructs.config.load import LoadedEnvironment, load_environment, load_environments
from llmd_constructs.plan.model import EnvironmentPlan, ManifestFile, RenderedSource
from llmd_constructs.rules.check import check_plan
from llmd_constructs.synthesis import render, synthesize

ROOT = Path(__file__).parents[2]


def _module(name: str) -> Any:
    """A module beside this one; pytest's import mode puts none on the path."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def _committed() -> tuple[EnvironmentPlan, ...]:
    return synthesize(load_environments(ROOT)).environments


_strategies = _module("environments")
_references = _module("references")


def _loaded(folder: Path, content: dict[str, Any]) -> LoadedEnvironment:
    path = folder / "environments" / "any.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content), "utf-8")
    return load_environment(path, folder)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    # Shrinking a failure would synthesize thousands of times; the rule that broke says enough.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(content=_strategies.environments())
def test_any_environment_is_refused_or_holds_every_rule(tmp_path: Path, content: dict[str, Any]) -> None:
    """What gets past the refusals breaks no rule, names nothing that is not there, and renders to the same bytes twice."""
    try:
        loaded = _loaded(tmp_path, content)
        plan = synthesize([loaded])
    except InputError as refused:
        event(f"refused: {refused.problems[0].field.rpartition('.')[2]}")
        return
    event("rendered")
    # Whether a model fits is the user's choice of model and pool, and has rules of its own.
    broken = [
        str(finding.message)
        for finding in check_plan(plan, [loaded])
        if finding.rule.severity == "error" and not finding.rule.id.startswith("FIT-")
    ]
    assert not broken
    assert list(_references.dangling(plan.environments[0])) == []
    assert render(synthesize([loaded])) == render(plan)


def test_no_committed_environment_names_what_is_not_there() -> None:
    """Names, selectors, ports, Secrets and accounts lead to what is rendered, made by a controller, or given."""
    for plan in _committed():
        assert list(_references.dangling(plan)) == [], plan.name


@pytest.mark.parametrize(
    ("kind", "path", "said"),
    [
        ("HTTPRoute", ("spec", "rules", 0, "backendRefs", 0, "name"), "there is no InferencePool"),
        ("InferencePool", ("spec", "selector", "matchLabels", "llm-d.ai/inferenceServing"), "no pod of"),
        ("InferencePool", ("spec", "targetPorts", 0, "number"), "nothing listens on"),
        ("Deployment", ("spec", "template", "spec", "serviceAccountName"), "there is no ServiceAccount"),
        ("ExternalSecret", ("spec", "target", "name"), "there is no Secret"),
        ("HealthCheckPolicy", ("spec", "targetRef", "name"), "there is no "),
        ("NetworkPolicy", ("spec", "podSelector", "matchLabels"), "no pod of"),
    ],
)
def test_a_reference_that_leads_nowhere_is_told(kind: str, path: tuple[str | int, ...], said: str) -> None:
    """What follows references finds each kind of broken one."""
    faults = [
        fault
        for plan in _committed()
        if (broken := _broken(plan, kind, path))
        for fault in _references.dangling(broken)
    ]
    assert any(said in fault for fault in faults), faults


def _broken(plan: EnvironmentPlan, kind: str, path: tuple[str | int, ...]) -> EnvironmentPlan | None:
    """The environment with one value of one object changed; `None` where it has none."""
    for file in plan.files:
        manifest = deepcopy(file.manifest)
        place: Any = manifest
        with suppress(KeyError, IndexError, TypeError):
            for part in path[:-1]:
                place = place[part]
            value = place[path[-1]]
            place[path[-1]] = (
                value + 1 if isinstance(value, int) else {"no": "pod"} if path[-1] == "matchLabels" else "x"
            )
            if manifest["kind"] == kind:
                return _with(plan, ManifestFile(file.path, manifest))
    return None


def _with(plan: EnvironmentPlan, changed: ManifestFile) -> EnvironmentPlan:
    applications = [
        replace(
            item,
            source=replace(
                item.source,
                files=tuple(changed if file.path == changed.path else file for file in item.source.files),
            ),
        )
        if isinstance(item.source, RenderedSource)
        else item
        for item in plan.applications
    ]
    return replace(plan, applications=tuple(applications))
