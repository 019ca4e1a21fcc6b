"""What users add to a plan by hand: manifests, and patches of rendered ones."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any, cast

from llmd_constructs.config.errors import InputError, Problem, ValuePath, closest
from llmd_constructs.config.extras import Patch, Target, object_faults
from llmd_constructs.config.load import LoadedEnvironment
from llmd_constructs.manifest import JsonObject
from llmd_constructs.plan.collect import manifest_files
from llmd_constructs.plan.model import ApplicationPlan, EnvironmentPlan, Own, RenderedSource


def with_extras(plan: EnvironmentPlan, loaded: LoadedEnvironment) -> EnvironmentPlan:
    """The plan with the manifests and patches of the environment file.

    Raises:
        InputError: For each application that is not there, and each patch that fits nothing.
    """
    if not loaded.environment.extras:
        return plan
    problems = list(_unknown_applications(plan, loaded))
    applications = [_extended(application, loaded, problems) for application in plan.applications]
    if problems:
        raise InputError(problems)
    return replace(plan, applications=tuple(applications))


def merge_patch(target: Any, patch: Any) -> Any:
    """The target changed by a JSON merge patch (RFC 7386); neither is touched."""
    if not isinstance(patch, dict):
        return deepcopy(patch)
    changes = cast("JsonObject", patch)
    result = dict(cast("JsonObject", target)) if isinstance(target, dict) else {}
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


def _unknown_applications(plan: EnvironmentPlan, loaded: LoadedEnvironment) -> Iterator[Problem]:
    ours = [
        application.name
        for application in plan.applications
        if isinstance(application.source, RenderedSource)
    ]
    every = {application.name for application in plan.applications}
    for index, extra in enumerate(loaded.environment.extras):
        path: ValuePath = ("extras", index, "application")
        if extra.application in ours:
            continue
        if extra.application in every:
            message = f"'{extra.application}' is installed from its own source"
            yield loaded.source.problem(path, message, f"name one of ours: {', '.join(ours)}")
        else:
            near = closest(extra.application, ours)
            instead = f"did you mean '{near}'?" if near else f"write one of {', '.join(ours)}"
            yield loaded.source.problem(path, f"'{extra.application}' is not an application here", instead)


def _extended(
    application: ApplicationPlan, loaded: LoadedEnvironment, problems: list[Problem]
) -> ApplicationPlan:
    if not isinstance(application.source, RenderedSource):
        return application
    added = [extra for extra in loaded.extras if extra.application == application.name]
    manifests = [*(file.manifest for file in application.files), *(extra.manifest for extra in added)]
    own: list[tuple[Own, ...]] = [
        *(() for _ in application.files),
        *((Own(extra.node, whole=True),) for extra in added),
    ]
    for index, extra in enumerate(loaded.environment.extras):
        if extra.application != application.name:
            continue
        for number, patch in enumerate(extra.patches):
            path: ValuePath = ("extras", index, "patches", number)
            chosen = [position for position, item in enumerate(manifests) if _is_target(item, patch.target)]
            faults = _apply(manifests, chosen, patch)
            problems.extend(loaded.source.problem((*path, where), *fault) for where, *fault in faults)
            for position in chosen:
                own[position] = (*own[position], Own(loaded.source.node((*path, "patch")), whole=False))
    folder = application.source.folder
    files = zip(manifest_files(folder, manifests), own, strict=True)
    source = RenderedSource(folder, tuple(replace(file, own=written) for file, written in files))
    return replace(application, source=source)


def _apply(manifests: list[JsonObject], chosen: list[int], patch: Patch) -> list[tuple[str, str, str]]:
    """Change what the patch selects; faults as field of the patch, what is wrong, what to write instead."""
    if not chosen:
        return [("target", *_nothing(manifests, patch.target))]
    faults: list[tuple[str, str, str]] = []
    for index in chosen:
        changed = merge_patch(manifests[index], patch.patch)
        wrong = list(object_faults(changed))
        faults += [("patch", f"makes an object that {fault}", instead) for fault, instead in wrong]
        manifests[index] = manifests[index] if wrong else changed
    return faults


def _is_target(manifest: JsonObject, target: Target) -> bool:
    metadata = manifest["metadata"]
    same = (manifest["kind"], metadata["name"]) == (target.kind, target.name)
    return same and target.namespace in (None, metadata.get("namespace"))


def _nothing(manifests: list[JsonObject], target: Target) -> tuple[str, str]:
    names = [f"{manifest['kind']}/{manifest['metadata']['name']}" for manifest in manifests]
    wanted = f"{target.kind}/{target.name}"
    near = closest(wanted, names)
    place = f" in namespace {target.namespace}" if target.namespace else ""
    return f"matches nothing: there is no {wanted}{place} in this application", (
        f"did you mean {near}?" if near else f"write one of {', '.join(names)}"
    )
