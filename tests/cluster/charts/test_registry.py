"""Charts go to an OCI registry and come back as they were."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest
import urllib3

from llmd_tools.build import tool
from llmd_tools.chart_archive import archive_name, pack
from llmd_tools.cluster import Ports, Programs, wait_until
from llmd_tools.helm import Helm

pytestmark = pytest.mark.cluster


def _answers(port: int) -> bool:
    try:
        return urllib3.request("GET", f"http://localhost:{port}/v2/", retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The address of a registry on loopback, which keeps nothing."""
    ports, programs = Ports(), Programs(tmp_path_factory.mktemp("registry"))
    try:
        port = ports.take()
        programs.start("registry", [tool("registry"), "-port", str(port)])
        wait_until("the registry answers", lambda: _answers(port), programs=programs)
        yield f"localhost:{port}"
    finally:
        programs.close()
        ports.release()


def test_a_chart_comes_back_as_it_went(helm: Helm, chart: Path, registry: str, tmp_path: Path) -> None:
    """What is pulled has the bytes of what was pushed."""
    archive = tmp_path / archive_name(chart)
    archive.write_bytes(pack(chart))
    os.utime(archive, (0, 0))
    repository = f"oci://{registry}/helm{helm.major}"
    helm("push", archive, repository, "--plain-http")
    version = archive.stem.removeprefix(f"{chart.name}-")
    back = tmp_path / "back"
    back.mkdir()
    helm("pull", f"{repository}/{chart.name}", "--version", version, "--plain-http", "--destination", back)
    assert (back / archive.name).read_bytes() == archive.read_bytes()
