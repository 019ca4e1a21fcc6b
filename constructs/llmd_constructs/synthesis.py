"""The whole way from environment files to a plan and to files."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from llmd_constructs.argocd.applications import application_name
from llmd_constructs.argocd.assemble import assemble
from llmd_constructs.config.errors import InputError, Problem
from llmd_constructs.config.load import SHARED_SETTINGS, LoadedEnvironment, load_environments
from llmd_constructs.config.platform import IN_CLUSTER
from llmd_constructs.context import Context
from llmd_constructs.emit.tree import GENERATED_HEADER
from llmd_constructs.emit.yaml_text import yaml_text
from llmd_constructs.environment import EnvironmentApp
from llmd_constructs.patterns.support import refusals
from llmd_constructs.plan.collect import collect
from llmd_constructs.plan.extras import with_extras
from llmd_constructs.plan.model import EnvironmentPlan, Plan


def check_support(loaded: Iterable[LoadedEnvironment]) -> None:
    """Refuse combinations that cannot work.

    Raises:
        InputError: With every refusal of every environment.
    """
    problems = [
        item.source.problem(*refusal)
        for item in loaded
        for refusal in refusals(Context(item.name, item.environment))
    ]
    if problems:
        raise InputError(problems)


def synthesize(loaded: Iterable[LoadedEnvironment]) -> Plan:
    """Build the construct tree of every environment, and turn it into a plan.

    Raises:
        InputError: With every combination that cannot work, and every manifest or patch that fits nowhere.
    """
    loaded = tuple(loaded)
    check_support(loaded)
    environments: list[EnvironmentPlan] = []
    problems: list[Problem] = []
    for item in loaded:
        try:
            environments.append(with_extras(collect(EnvironmentApp(item.name, item.environment)), item))
        except InputError as error:
            problems.extend(error.problems)
    problems.extend(_same_names(loaded, environments))
    if problems:
        raise InputError(problems)
    return assemble(environments)


def _same_names(
    loaded: Sequence[LoadedEnvironment], environments: Iterable[EnvironmentPlan]
) -> Iterator[Problem]:
    """Applications of two environments with one name: an Argo CD that looks after both would have one of them."""
    items = {item.name: item for item in loaded}
    owners: dict[str, LoadedEnvironment] = {}
    for plan in environments:
        item = items[plan.name]
        for name in (plan.name, *(application_name(plan.name, each.name) for each in plan.applications)):
            other = owners.setdefault(name, item)
            if other is not item and not (_has_own_argocd(item) and _has_own_argocd(other)):
                yield item.source.problem(
                    ("gitops",),
                    f"its Argo CD may serve {other.source.file} too, and both have the Application {name}",
                    "rename one of the two files, or the deployment",
                )


def _has_own_argocd(item: LoadedEnvironment) -> bool:
    """Whether Argo CD runs on the environment's own cluster."""
    return item.environment.gitops.destination.server == IN_CLUSTER


def render(plan: Plan) -> dict[str, str]:
    """Text by path, for every file of the plan."""
    return {file.path: yaml_text(file.manifest, header=_header(file.path)) for file in plan.files}


def synthesize_repository(root: Path) -> dict[str, str]:
    """Everything that `dist/` and `argocd/` of the repository at `root` have to hold.

    Raises:
        InputError: With every problem of the environment files.
    """
    return render(synthesize(load_environments(root)))


def _header(path: str) -> str:
    """The first line of every generated file: who wrote it, and from what."""
    parts = path.split("/")
    source = "the environments" if parts[1] == SHARED_SETTINGS else f"environments/{parts[1]}.yaml"
    return f"{GENERATED_HEADER} Source: {source}\n"
