"""Whatever stands in an environment file, loading, synthesizing and checking end with problems or with findings."""

from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.rules.conftest import FIXTURES, Workshop

from llmd_constructs.config.errors import InputError
from llmd_constructs.config.merge import resolve_extends
from llmd_constructs.rules.reading import leaves

BASES = ("gke-kserve", "istio-kserve", "gke-llmd", "gke-group", "gke-disagg")
KINDS = (
    "Deployment",
    "InferencePool",
    "LLMInferenceService",
    "HTTPRoute",
    "NetworkPolicy",
    "Gateway",
    "Service",
)
KEYS = (
    "spec",
    "rules",
    "metadata",
    "labels",
    "containers",
    "template",
    "selector",
    "ports",
    "args",
    "name",
    "a",
)

_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 10**20),
    st.floats(allow_nan=False, allow_infinity=False, width=16),
    st.sampled_from(
        [
            "",
            "x",
            "a/b",
            "yes",
            "0755",
            "1e3",
            "-1",
            "9" * 30,
            "gke-kserve",
            "2x2",
            "\u00e9",
            "--port=",
            "a" * 300,
        ]
    ),
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)
    ),
    max_leaves=6,
)
_FUZZ = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def _survives(workshop: Workshop, values: dict[str, Any]) -> None:
    """Check the values; problems are an answer, and any other exception fails the test."""
    with suppress(InputError):
        workshop.check("fuzz", yaml.safe_dump(values, allow_unicode=True))


@pytest.fixture(scope="module")
def settings_of(workshop: Workshop) -> dict[str, dict[str, Any]]:
    """The whole settings of each base, as one file would hold them."""
    return {
        base: cast(
            "dict[str, Any]", resolve_extends(workshop.root / "bases" / f"{base}.yaml", workshop.root).data
        )
        for base in BASES
    }


@_FUZZ
@given(data=st.data())
def test_any_value_at_any_place_of_the_settings(
    data: st.DataObject, workshop: Workshop, settings_of: dict[str, dict[str, Any]]
) -> None:
    """A setting of any kind and size is taken or refused."""
    values = deepcopy(settings_of[data.draw(st.sampled_from(BASES))])
    places = [path for path, _ in leaves(values)]
    path = data.draw(st.sampled_from(places))
    depth = data.draw(st.integers(1, len(path)))
    place: Any = values
    for part in path[: depth - 1]:
        place = place[part]
    place[path[depth - 1]] = data.draw(_VALUES)
    _survives(workshop, values)


@_FUZZ
@given(
    base=st.sampled_from(BASES),
    kind=st.sampled_from(KINDS),
    body=st.dictionaries(st.sampled_from(KEYS), _VALUES, max_size=3),
)
def test_any_manifest_of_a_users_own(base: str, kind: str, body: dict[str, Any], workshop: Workshop) -> None:
    """A manifest of any shape, of a kind that rules look into, ends in findings and not in a traceback."""
    application = "gemma" if base == "gke-llmd" else "experts" if base == "gke-group" else "qwen"
    manifest = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "own", "namespace": "models"}, **body}
    manifest["metadata"] = {"name": "own", "namespace": "models"}
    extras = [{"application": application, "manifests": [manifest]}]
    _survives(workshop, {"extends": f"../bases/{base}.yaml", "extras": extras})


@_FUZZ
@given(data=st.data())
def test_any_patch_of_any_object(data: st.DataObject, workshop: Workshop) -> None:
    """A patch that puts any value at any place of a rendered object ends in findings or problems."""
    base = data.draw(st.sampled_from(BASES))
    plan = workshop.plan(workshop.load("plain", f"extends: ../bases/{base}.yaml\n"))
    files = [(item.name, file.manifest) for item in plan.applications for file in item.files]
    application, manifest = data.draw(st.sampled_from(files))
    path = data.draw(st.sampled_from([path for path, _ in leaves(manifest)]))
    keys = [
        str(part)
        for part in path[: next((n for n, part in enumerate(path) if isinstance(part, int)), len(path))]
    ]
    patch: Any = data.draw(_VALUES)
    for key in reversed(keys):
        patch = {key: patch}
    target = {"kind": manifest["kind"], "name": manifest["metadata"]["name"]}
    extras = [{"application": application, "patches": [{"target": target, "patch": patch}]}]
    _survives(workshop, {"extends": f"../bases/{base}.yaml", "extras": extras})


@pytest.mark.parametrize("file", sorted((FIXTURES / "fuzz").glob("*.yaml")), ids=lambda file: file.stem)
def test_what_fuzzing_found_stays_mended(file: Path, workshop: Workshop) -> None:
    """Every file that once ended in a traceback ends in problems or findings."""
    with suppress(InputError):
        workshop.check(file.stem, file.read_text("utf-8"))
