"""KServe's own webhooks judge every LLMInferenceService."""

from copy import deepcopy

import pytest

from llmd_tools.judges.plugin import Judged
from llmd_tools.judges.rehearsal import LLM_INFERENCE_SERVICE, Rehearsal
from llmd_tools.judges.rendered import Manifest

pytestmark = pytest.mark.cluster


def test_every_model_is_admitted(rehearsal: Rehearsal, services: list[Manifest], judged: Judged) -> None:
    """The validating webhooks take each service; the release that runs is told where it only stands for another."""
    verdicts = [each for each in rehearsal.verdicts.values() if each.kind == LLM_INFERENCE_SERVICE]
    wrong = [str(each) for each in verdicts if not each.accepted]
    assert not wrong, "\n".join(wrong)
    assert len(verdicts) == len(services)
    wanted = rehearsal.rendered.plan.environment.platform.kserve
    notes = (f"rendered for KServe {wanted}, judged by {rehearsal.stack.name}",)
    judged("admission", rehearsal.rendered.name, len(services), notes)


def test_the_webhooks_are_at_work(rehearsal: Rehearsal, services: list[Manifest]) -> None:
    """A service that names routes and writes one as well is refused by KServe itself: the schema allows it."""
    broken = deepcopy(services[0])
    broken["spec"]["router"]["route"] = {
        "http": {"refs": [{"name": "one"}], "spec": {"hostnames": ["a.example"]}}
    }
    [verdict] = rehearsal.cluster.apply([broken], dry_run=True)
    assert "admission webhook" in verdict.message
    assert "cannot use both custom HTTPRoute refs" in verdict.message
