"""From the files below `environments/` to checked environments."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from llmd_constructs.config.environment import Environment
from llmd_constructs.config.errors import InputError, Problem
from llmd_constructs.config.extras import ExtraManifest, read_extras
from llmd_constructs.config.merge import resolve_extends
from llmd_constructs.config.references import broken_references
from llmd_constructs.config.source import Source

ENVIRONMENTS = "environments"
"""Folder of the environment files. Folders below it hold bases that they extend."""


@dataclass(frozen=True)
class LoadedEnvironment:
    """An environment, its name, and where each of its values was written."""

    name: str
    environment: Environment
    source: Source
    extras: tuple[ExtraManifest, ...] = ()
    """Objects that users add by hand."""


def load_environments(root: Path) -> tuple[LoadedEnvironment, ...]:
    """Read and check every environment of the repository at `root`, in order of name.

    Raises:
        InputError: With every problem of every file.
    """
    folder = root / ENVIRONMENTS
    paths = sorted(folder.glob("*.yaml")) if folder.is_dir() else []
    problems = [
        Problem(path.relative_to(root).as_posix(), None, "", "ends in .yml", f"rename it to {path.stem}.yaml")
        for path in sorted(folder.glob("*.yml"))
    ]
    if not paths and not problems:
        raise InputError(
            [Problem(ENVIRONMENTS, None, "", "holds no environment", "add one YAML file per cluster")]
        )
    loaded: list[LoadedEnvironment] = []
    for path in paths:
        try:
            loaded.append(load_environment(path, root))
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(problems)
    return tuple(loaded)


def load_environment(path: Path, root: Path) -> LoadedEnvironment:
    """Read and check one environment file.

    Raises:
        InputError: With every problem of the file and its bases.
    """
    source = resolve_extends(path, root)
    try:
        environment = Environment.model_validate(source.data)
    except ValidationError as error:
        # Only a file with a problem pays for the words.
        from llmd_constructs.config.problems import from_validation_error  # noqa: PLC0415 - see above

        raise InputError(from_validation_error(error, source, Environment)) from None
    findings = [source.problem(*finding) for finding in broken_references(environment)]
    if findings:
        raise InputError(findings)
    return LoadedEnvironment(path.stem, environment, source, read_extras(environment.extras, source, root))
