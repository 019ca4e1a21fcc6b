"""What is said of a setting that cannot work."""

from typing import NamedTuple

from llmd_constructs.config.errors import ValuePath


class Refusal(NamedTuple):
    """A setting that cannot work, and what to write instead."""

    path: ValuePath
    message: str
    instead: str
