"""Adds Argo CD's side to a plan."""

from dataclasses import replace

from llmd_constructs.argocd.applications import ARGOCD, application, root, root_folder
from llmd_constructs.argocd.project import project
from llmd_constructs.argocd.settings import settings
from llmd_constructs.config.load import SHARED_SETTINGS
from llmd_constructs.plan.collect import manifest_files
from llmd_constructs.plan.model import EnvironmentPlan, Plan


def with_argocd(environment: EnvironmentPlan) -> EnvironmentPlan:
    """The environment with its project, root and applications."""
    folder = root_folder(environment.name)
    applications = [application(environment, plan) for plan in environment.applications]
    files = manifest_files(folder, [project(environment), root(environment)])
    return replace(environment, argocd=(*files, *manifest_files(f"{folder}/applications", applications)))


def assemble(environments: list[EnvironmentPlan]) -> Plan:
    """The whole plan: every environment, and the settings that all of them share."""
    namespace = environments[0].environment.gitops.namespace if environments else "argocd"
    return Plan(
        tuple(with_argocd(environment) for environment in environments),
        manifest_files(f"{ARGOCD}/{SHARED_SETTINGS}", [settings(namespace)]),
    )
