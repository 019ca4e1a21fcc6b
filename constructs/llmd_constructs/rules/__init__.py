"""Laws over an environment and everything rendered from it: one rule per known failure."""

from collections.abc import Mapping

from llmd_constructs.rules import (
    accelerators,
    api,
    argocd,
    certificates,
    engine,
    fit,
    gateway,
    gke,
    kserve,
    monitoring,
    network_policies,
    picker,
    secrets,
    workloads,
)
from llmd_constructs.rules.model import Rule
from llmd_constructs.rules.waivers import WAIVERS

TOPICS = (
    gateway,
    gke,
    accelerators,
    fit,
    engine,
    workloads,
    picker,
    kserve,
    certificates,
    network_policies,
    monitoring,
    secrets,
    argocd,
    api,
)
"""One module per topic, in the order of the reference."""

RULES: Mapping[str, Rule] = {
    rule.id: rule for rule in (*(r for topic in TOPICS for r in topic.RULES), WAIVERS)
}
"""Every rule by id."""
