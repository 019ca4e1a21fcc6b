"""The API server judges every rendered object: schema, defaulting, pruning, CEL, immutability."""

from collections import Counter

import pytest

from llmd_tools.cluster import Outcome, Verdict
from llmd_tools.judges.comparison import lost
from llmd_tools.judges.crd_sets import NOT_SERVED
from llmd_tools.judges.plugin import Judged
from llmd_tools.judges.rehearsal import Rehearsal

pytestmark = pytest.mark.cluster

KNOWN_WARNINGS = (
    "would violate PodSecurity",  # of the restricted level, which namespaces ask to be warned of
    "metadata.finalizers",  # Argo CD's own finalizer has no path in its name
)


def _is_unserved(verdict: Verdict) -> bool:
    """Whether nobody can judge the object, because no registry serves its kind."""
    return verdict.outcome is Outcome.UNKNOWN_KIND and f"{verdict.api_version} {verdict.kind}" in NOT_SERVED


def test_every_object_is_accepted(rehearsal: Rehearsal, judged: Judged) -> None:
    """The server takes every object; a kind that it does not know is listed, never passed in silence."""
    verdicts = rehearsal.verdicts.values()
    wrong = [str(each) for each in verdicts if not each.accepted and not _is_unserved(each)]
    assert not wrong, "\n".join(wrong)
    kinds = sorted(
        {f"{each.api_version} {each.kind}" for each in verdicts if each.outcome is Outcome.UNKNOWN_KIND}
    )
    notes = [f"{kind} is not served by any registry; nobody judged it" for kind in kinds]
    judged(
        "API server",
        rehearsal.rendered.name,
        sum(each.accepted for each in verdicts),
        tuple(notes),
        seconds=rehearsal.seconds_to_apply,
    )


def test_no_warning_is_unexpected(rehearsal: Rehearsal, judged: Judged) -> None:
    """The server warns of nothing but what we know; no field is unknown, deprecated or given twice."""
    warnings = [(each, text) for each in rehearsal.verdicts.values() for text in each.warnings]
    others = [f"{each}: {text}" for each, text in warnings if not text.startswith(KNOWN_WARNINGS)]
    assert not others, "\n".join(others)
    texts = Counter(text.replace("\\", "") for _, text in warnings)
    judged(
        "API server",
        rehearsal.rendered.name,
        0,
        tuple(f"{text} x{count}" for text, count in texts.items()),
        seconds=0,
    )


def test_nothing_is_dropped(rehearsal: Rehearsal) -> None:
    """Every field that is rendered is stored with that value."""
    wrong = [
        f"{verdict}: {loss}"
        for file, verdict in rehearsal.verdicts.items()
        if verdict.accepted
        for loss in lost(rehearsal.rendered.objects[file], verdict.live)
    ]
    assert not wrong, "\n".join(wrong)


def test_applying_again_changes_nothing(rehearsal: Rehearsal) -> None:
    """A second apply is accepted, and leaves every object's generation as it was: nothing fights over a field."""
    again = rehearsal.cluster.apply(rehearsal.rendered.objects.values(), dry_run=True)
    wrong = [str(each) for each in again if not each.accepted and not _is_unserved(each)]
    assert not wrong, "\n".join(wrong)
    changed = [
        str(verdict)
        for verdict in again
        if verdict.accepted and verdict.live["metadata"].get("generation") != _generation(rehearsal, verdict)
    ]
    assert not changed, "\n".join(changed)


def _generation(rehearsal: Rehearsal, verdict: Verdict) -> int | None:
    live = (
        rehearsal.cluster.server.get(verdict.api_version, verdict.kind, verdict.name, verdict.namespace) or {}
    )
    return live.get("metadata", {}).get("generation")
