"""Any valid environment synthesizes, deterministically, with no reference that leads nowhere."""

import importlib.util
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, Phase, event, given, settings

from llmd_constructs.config.errors import InputError
from llmd_constructs.config.load import LoadedEnvironment, load_environment
from llmd_constructs.rules.check import check_plan
from llmd_constructs.synthesis import render, synthesize

_spec = importlib.util.spec_from_file_location("environments", Path(__file__).parent / "environments.py")
assert _spec
assert _spec.loader
_strategies = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_strategies)


def _loaded(folder: Path, content: dict[str, Any]) -> LoadedEnvironment:
    path = folder / "environments" / "any.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False), "utf-8")
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
    """What gets past the refusals breaks no rule, and a second synthesis gives the same bytes."""
    loaded = _loaded(tmp_path, content)
    try:
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
    assert render(synthesize([loaded])) == render(plan)
