"""The committed dist/ and argocd/ are the golden output."""

from pathlib import Path

from llmd_constructs.cli.synth import FOLDERS
from llmd_constructs.config.schema import SCHEMA_FILE, schema_text
from llmd_constructs.emit.difference import unified
from llmd_constructs.plan.model import Plan
from llmd_constructs.synthesis import render


def test_committed_output_is_what_the_environments_say(root: Path, plan: Plan) -> None:
    """A change of input or of code shows as a diff of manifests; `make synth` accepts it."""
    difference = unified(root, render(plan), FOLDERS)
    assert not difference, f"run `make synth`, review the change and commit it:\n{difference}"


def test_editor_schema_is_current(root: Path) -> None:
    """The schema that editors complete with knows every field; `make docs` brings it up to date."""
    assert (root / SCHEMA_FILE).read_text("utf-8") == schema_text()


def test_source_root_is_no_package(root: Path) -> None:
    """A `constructs/__init__.py` would shadow the package `constructs` that cdk8s imports."""
    assert not (root / "constructs" / "__init__.py").exists()
