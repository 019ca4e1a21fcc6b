"""The rule about waivers themselves. Its check needs what all others found, and stands in `check.py`."""

from collections.abc import Iterator

from llmd_constructs.rules.model import Offence, rule
from llmd_constructs.rules.view import View


def _nothing(view: View) -> Iterator[Offence]:
    del view
    return iter(())


WAIVERS = rule(
    "WVR-01",
    "A waiver names a rule that can be waived, and an object that breaks it",
    symptom="A contradiction that nobody sees any more comes back unnoticed.",
    cause="The waiver outlived what it was for, or never worked.",
    instead="Take the waiver away, or correct its rule and object.",
    source=("docs/rules.md",),
)(_nothing)
"""Yields its offences through `check.py`."""
