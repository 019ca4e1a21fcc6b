"""A repository in a temporary folder, in which environments are loaded, synthesized and checked."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from llmd_constructs.config.load import LoadedEnvironment, load_environment
from llmd_constructs.plan.model import EnvironmentPlan
from llmd_constructs.rules.check import check
from llmd_constructs.rules.model import Finding
from llmd_constructs.rules.view import View
from llmd_constructs.synthesis import synthesize

FIXTURES = Path(__file__).parents[2] / "fixtures"


@dataclass(frozen=True)
class Workshop:
    """The repository, with the bases of the fixtures."""

    root: Path

    def load(self, name: str, text: str) -> LoadedEnvironment:
        """Write an environment file and read it the way the product does."""
        path = self.root / "environments" / f"{name}.yaml"
        path.write_text(text, "utf-8")
        return load_environment(path, self.root)

    def view(self, name: str, text: str) -> View:
        """The environment, synthesized, as rules see it."""
        loaded = self.load(name, text)
        return View(self.plan(loaded), loaded.source)

    def plan(self, loaded: LoadedEnvironment) -> EnvironmentPlan:
        """The environment, synthesized."""
        return synthesize([loaded]).environments[0]

    def check(self, name: str, text: str) -> list[Finding]:
        """Every finding of an environment file."""
        return check(self.view(name, text))


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """One repository for all tests, so that node starts once."""
    root = tmp_path_factory.mktemp("repository")
    shutil.copytree(FIXTURES / "bases", root / "bases")
    (root / "environments").mkdir()
    return Workshop(root)
