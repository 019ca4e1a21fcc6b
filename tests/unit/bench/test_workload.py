"""The workload is what its description says."""

from pathlib import Path

import pytest

from llmd_bench.contestants.ours import repository
from llmd_bench.workload import OBJECTS, PER_ENVIRONMENT, environments, manifests, parts, values_of, workload
from llmd_constructs.config.load import load_environments
from llmd_constructs.manifest import identity


def test_an_application_has_twenty_five_objects() -> None:
    """An application is 25 different objects."""
    assert len({identity(manifest) for manifest in manifests(values_of(3))}) == OBJECTS == 25


def test_applications_share_no_object() -> None:
    """No two applications of a workload render the same object."""
    objects = [identity(manifest) for values in workload(7) for manifest in manifests(values)]
    assert len(set(objects)) == len(objects)


def test_every_value_shows_in_the_objects() -> None:
    """A value that no object holds would make every template equal for nothing."""
    text = str(parts(values_of(3)))
    missing = [name for name, value in vars(values_of(3)).items() if str(value) not in text]
    assert not missing


@pytest.mark.parametrize(("applications", "sizes"), [(1, [1]), (30, [30]), (31, [30, 1]), (70, [30, 30, 10])])
def test_an_environment_holds_thirty_applications(applications: int, sizes: list[int]) -> None:
    """A workload fills one environment after the other."""
    assert [len(environment) for environment in environments(applications)] == sizes
    assert max(sizes) <= PER_ENVIRONMENT


def test_the_environment_files_are_valid(tmp_path: Path) -> None:
    """The files that the workload hangs on pass the checks of any environment file."""
    repository(tmp_path, 31)
    assert [loaded.name for loaded in load_environments(tmp_path)] == ["bench-00", "bench-01"]
