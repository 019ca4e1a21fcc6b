"""`docs`: every generated page of docs/, and the preflight script of every environment."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from llmd_constructs.cli.batch import batch
from llmd_constructs.cli.generated import settle
from llmd_constructs.cli.progress import step

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmd_constructs.plan.model import EnvironmentPlan, Plan


def run(root: Path, *, check: bool) -> None:
    """Write the pages, or name those that are not current and leave with 1."""
    pages = generated(root)
    settle(root, pages, _left_over(root, pages), check=check, how="make docs")


@batch()
def generated(root: Path) -> dict[str, str]:
    """Text of every generated page, by path from the root."""
    with step("synthesizing"):
        from llmd_constructs.config.load import load_environments
        from llmd_constructs.synthesis import synthesize

        plan = synthesize(load_environments(root))
    texts = {path: page(plan) for path, page in _pages().items()}
    for environment in plan.environments:
        for name, page in _environment_pages().items():
            texts[f"{ENVIRONMENT_PAGES}/{environment.name}/{name}"] = page(environment)
    return texts


ENVIRONMENT_PAGES = "docs/environments"
"""Folder of what is generated for each environment. Nothing else lives there."""


def _pages() -> "dict[str, Callable[[Plan], str]]":
    """Every page, by path. A new page is one line here."""
    from llmd_constructs.config.schema import SCHEMA_FILE, schema_text
    from llmd_constructs.reports import fit_table, matrix, rules_page

    return {
        SCHEMA_FILE: lambda _: schema_text(),
        rules_page.PATH: lambda _: rules_page.rules_page(),
        fit_table.PATH: lambda _: fit_table.fit_table(),
        matrix.PATH: lambda _: matrix.matrix_page(),
    }


def _environment_pages() -> "dict[str, Callable[[EnvironmentPlan], str]]":
    """What every environment gets, by file name."""
    from llmd_constructs.reports.preflight import preflight_script

    return {"preflight.sh": preflight_script}


def _left_over(root: Path, pages: dict[str, str]) -> Iterator[str]:
    """Pages of environments that are gone."""
    for path in sorted((root / ENVIRONMENT_PAGES).glob("*/*")):
        name = path.relative_to(root).as_posix()
        if name not in pages:
            yield name
