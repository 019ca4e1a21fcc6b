"""Whatever our objects name is really there, made by us or by KServe."""

import pytest

from llmd_tools.judges.plugin import Judged
from llmd_tools.judges.references import broken
from llmd_tools.judges.rehearsal import Rehearsal

pytestmark = pytest.mark.cluster


def test_every_reference_leads_somewhere(rehearsal: Rehearsal, judged: Judged) -> None:
    """Routes, policies, budgets, rules and Services name objects, ports and pods that the cluster has."""
    wrong = list(broken(rehearsal))
    assert not wrong, "\n".join(wrong)
    judged("references", rehearsal.rendered.name, len(rehearsal.rendered.objects))
