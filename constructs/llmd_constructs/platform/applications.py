"""Names of the applications that the platform can have, in this environment or in another."""

from functools import cache
from typing import Literal, get_args

from llmd_constructs import catalogue
from llmd_constructs.catalogue import GitSource, Install

PlatformApplication = Literal[
    "namespaces", "certificates", "secrets", "istio", "gateway", "body-router", "network-policies"
]
"""Applications of our own that are no deployment's. `environment.py` can make no other: its types say so."""


def kserve_application(install: Install) -> str:
    """Name of the application that installs KServe, or one of its charts."""
    return "kserve" if isinstance(install, GitSource) else install.chart


@cache
def platform_applications() -> frozenset[str]:
    """Every name that an application of the platform can have: our own, third-party software's and KServe's."""
    releases = map(catalogue.kserve_release, catalogue.ids("kserve_release"))
    return frozenset(
        (
            *get_args(PlatformApplication),
            *catalogue.ids("upstream"),
            *(kserve_application(install) for release in releases for install in release.install),
        )
    )
