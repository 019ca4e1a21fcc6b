"""From the construct tree to a plan."""

from collections import Counter
from collections.abc import Sequence

from llmd_constructs.application import Application, UpstreamApplication
from llmd_constructs.environment import EnvironmentApp
from llmd_constructs.manifest import JsonObject, group_of
from llmd_constructs.plan.model import (
    ApplicationPlan,
    EnvironmentPlan,
    ManifestFile,
    RenderedSource,
    UpstreamSource,
)

DIST = "dist"


def collect(app: EnvironmentApp) -> EnvironmentPlan:
    """Turn one environment's tree into values."""
    name = app.context.name
    applications = [_application(name, application) for application in app.applications]
    applications.sort(key=lambda application: application.wave)
    return EnvironmentPlan(name, app.context.environment, tuple(applications))


def _application(environment: str, application: Application | UpstreamApplication) -> ApplicationPlan:
    if isinstance(application, UpstreamApplication):
        source = UpstreamSource(application.install, application.patches, application.ignored)
    else:
        folder = f"{DIST}/{environment}/{application.name}"
        source = RenderedSource(folder, manifest_files(folder, application.manifests))
    return ApplicationPlan(application.name, int(application.wave), application.target_namespace, source)


def manifest_files(folder: str, manifests: Sequence[JsonObject]) -> tuple[ManifestFile, ...]:
    """One file per object: `<Kind>-<name>.yaml`, made longer only where two objects would share it."""
    taken: Counter[str] = Counter(_short(manifest) for manifest in manifests)
    spelled: Counter[str] = Counter(_with_namespace(manifest) for manifest in manifests)
    files: list[ManifestFile] = []
    for manifest in manifests:
        stem = _short(manifest)
        if taken[stem] > 1:
            stem = _with_namespace(manifest)
            if spelled[stem] > 1:
                stem = f"{group_of(manifest)}-{stem}"
        files.append(ManifestFile(f"{folder}/{stem}.yaml", manifest))
    return tuple(files)


def _short(manifest: JsonObject) -> str:
    return f"{manifest['kind']}-{manifest['metadata']['name']}"


def _with_namespace(manifest: JsonObject) -> str:
    metadata = manifest["metadata"]
    return f"{manifest['kind']}-{metadata.get('namespace', 'cluster')}-{metadata['name']}"
