"""Fixtures that every test may use, and the tables of the judges and of the scenarios."""

from pathlib import Path

import pytest

from llmd_constructs.config.load import LoadedEnvironment, load_environments
from llmd_constructs.plan.model import Plan

pytest_plugins = [
    "llmd_tools.judges.plugin",
    "llmd_tools.judges.group_scope",
    "llmd_tools.box.scenario_table",
]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return Path(__file__).parent.parent


@pytest.fixture(scope="session")
def loaded(root: Path) -> tuple[LoadedEnvironment, ...]:
    """The committed environments."""
    return load_environments(root)


@pytest.fixture(scope="session")
def plan(loaded: tuple[LoadedEnvironment, ...]) -> Plan:
    """A fresh synthesis of the committed environments; starts node once per session."""
    from llmd_constructs.synthesis import synthesize  # noqa: PLC0415 - tests without cdk8s stay without node

    return synthesize(loaded)
