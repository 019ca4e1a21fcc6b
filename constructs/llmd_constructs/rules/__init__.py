"""Laws over an environment and everything rendered from it: one rule per known failure."""

from collections.abc import Mapping

from llmd_constructs.rules import accelerators, engine, gateway, gke, network_policies, secrets, workloads
from llmd_constructs.rules.model import Rule
from llmd_constructs.rules.waivers import WAIVERS

TOPICS = (gateway, gke, accelerators, engine, workloads, network_policies, secrets)
"""One module per topic, in the order of the reference."""

RULES: Mapping[str, Rule] = {rule.id: rule for rule in (*(r for topic in TOPICS for r in topic.RULES), WAIVERS)}
"""Every rule by id."""
