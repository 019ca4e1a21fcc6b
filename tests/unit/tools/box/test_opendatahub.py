"""What stands in for OpenDataHub's KServe."""

from llmd_tools.box import opendatahub
from llmd_tools.judges.rendered import environments


def test_upstreams_release_runs_the_same_files() -> None:
    """The release alone is another."""
    environment = environments()["tpu-test-cluster"]
    found = opendatahub.stand_in(environment)
    assert found.plan.environment.platform.kserve == opendatahub.RELEASE
    assert found.objects == environment.objects


def test_other_environments_stay_as_they_are() -> None:
    """Upstream's KServe runs itself."""
    environment = environments()["kserve-istio-gpu"]
    assert opendatahub.stand_in(environment) is environment
