"""Health checks and their fixtures belong together."""

from pathlib import Path

import pytest

from llmd_constructs.argocd.settings import health_checks, settings

FIXTURES = Path(__file__).parents[2] / "fixtures/health"
STATES = {"progressing", "healthy", "degraded"}

WITHOUT = {
    "leaderworkerset.x-k8s.io_LeaderWorkerSet": {"degraded": "its status has no word for failure"},
    "llm-d.ai_InferenceObjective": {"progressing": "nobody reports progress on it"},
    "networking.istio.io_DestinationRule": {"progressing": "Istio reports only what its analysis found"},
    "networking.istio.io_EnvoyFilter": {"progressing": "Istio reports only what its analysis found"},
}
"""States that a kind never has, with the reason."""
SUSPENDED = {"serving.kserve.io_LLMInferenceService"}
"""Kinds that can be stopped on purpose."""


def _states(kind: str) -> set[str]:
    return {fixture.stem.partition("-")[0] for fixture in (FIXTURES / kind).glob("*.yaml")}


def test_every_check_has_fixtures_and_every_fixture_a_check() -> None:
    """A kind has a Lua file exactly when it has a folder of fixtures."""
    assert set(health_checks()) == {folder.name for folder in FIXTURES.iterdir()}


@pytest.mark.parametrize("kind", sorted(health_checks()))
def test_every_state_of_a_kind_has_a_fixture(kind: str) -> None:
    """Progressing, healthy and degraded are shown for each kind, and suspended where a kind can be stopped."""
    never = set(WITHOUT.get(kind, {}))
    assert _states(kind) == STATES - never | ({"suspended"} if kind in SUSPENDED else set())


@pytest.mark.parametrize("fixture", sorted(FIXTURES.glob("*/degraded-*.yaml")), ids=lambda path: path.stem)
def test_what_degrades_says_why(fixture: Path) -> None:
    """A degraded fixture states the message it must get, except where Argo CD gives an application none."""
    if fixture.stem != "degraded-resources":
        assert fixture.read_text().startswith("# expect: ")


def test_settings_hold_every_check_under_its_kind() -> None:
    """Argo CD finds each check by the key that names group and kind."""
    data = settings("argocd")["data"]
    for kind, lua in health_checks().items():
        assert data[f"resource.customizations.health.{kind}"] == lua
