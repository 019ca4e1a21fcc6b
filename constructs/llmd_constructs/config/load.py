"""From the files below `environments/` to checked environments."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from llmd_constructs.config._files import label
from llmd_constructs.config.contradictions import contradictions
from llmd_constructs.config.environment import Environment
from llmd_constructs.config.errors import InputError, Problem
from llmd_constructs.config.extras import ExtraManifest, read_extras
from llmd_constructs.config.merge import resolve_extends
from llmd_constructs.config.references import broken_references
from llmd_constructs.config.source import Source

ENVIRONMENTS = "environments"
"""Folder of the environment files. Folders below it hold bases that they extend."""
SHARED_SETTINGS = "settings"
"""Folder below `argocd/` of what all environments share, so that none can have its name."""
LONGEST_NAME = 40
"""Characters of an environment's name. Objects append up to 41 to it; as a label's value it could have 63."""
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


@dataclass(frozen=True)
class LoadedEnvironment:
    """An environment, its name, and where each of its values was written."""

    name: str
    environment: Environment
    source: Source
    extras: tuple[ExtraManifest, ...] = ()
    """Objects that users add by hand."""


def environment_files(root: Path) -> list[Path]:
    """The file of every environment of the repository at `root`, in order of name.

    Raises:
        InputError: There is no folder for them.
    """
    folder = root / ENVIRONMENTS
    if not folder.is_dir():
        message = f"is not a folder of {root}, where environments are looked for"
        raise InputError(
            [Problem(ENVIRONMENTS, None, "", message, "run this in the folder of the repository")]
        )
    return sorted(folder.glob("*.yaml"))


def load_environments(root: Path) -> tuple[LoadedEnvironment, ...]:
    """Read and check every environment of the repository at `root`, in order of name.

    Raises:
        InputError: With every problem of every file.
    """
    paths = environment_files(root)
    problems = [
        Problem(label(path, root), None, "", "ends in .yml", f"rename it to {_good_name(path.stem)}.yaml")
        for path in sorted((root / ENVIRONMENTS).glob("*.yml"))
    ]
    problems.extend(problem for path in paths for problem in _name_problems(path, root))
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
    problems.extend(_same_clusters(loaded))
    if problems:
        raise InputError(problems)
    return tuple(loaded)


def _name_problems(path: Path, root: Path) -> Iterator[Problem]:
    """What is wrong with a file's stem as the name of a project, of folders and labels."""
    name, instead = path.stem, f"rename it to {_good_name(path.stem)}.yaml"
    if name == SHARED_SETTINGS:
        message = f"has the name of argocd/{SHARED_SETTINGS}/, which all environments share"
        yield Problem(label(path, root), None, "", message, instead)
    elif not _NAME.fullmatch(name):
        message = "names its environment, and a name is lower-case letters, digits and `-` inside"
        yield Problem(label(path, root), None, "", message, instead)
    elif len(name) > LONGEST_NAME:
        message = f"names its environment with {len(name)} characters, and a name has {LONGEST_NAME} at most"
        yield Problem(label(path, root), None, "", message, instead)


def _good_name(stem: str) -> str:
    """The nearest name that an environment can have."""
    words = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")
    return f"{words}-cluster" if words == SHARED_SETTINGS else words[:LONGEST_NAME].strip("-") or "cluster"


def _same_clusters(loaded: Iterable[LoadedEnvironment]) -> Iterator[Problem]:
    """Files that describe one cluster: whichever Argo CD syncs last would take away what the other made."""
    first: dict[tuple[str, str, str], str] = {}
    for item in loaded:
        cluster = item.environment.cluster
        before = first.setdefault((cluster.project, cluster.location, cluster.name), item.source.file)
        if before != item.source.file:
            where = f"{cluster.name} in {cluster.project}, {cluster.location}"
            yield item.source.problem(
                ("cluster", "name"),
                f"{item.source.file} describes {where}, as {before} does",
                "give each cluster one file, and its own name or project in it",
            )


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
    found = (*broken_references(environment), *contradictions(environment))
    findings = [source.problem(*finding) for finding in found]
    if findings:
        raise InputError(findings)
    return LoadedEnvironment(path.stem, environment, source, read_extras(environment.extras, source, root))
