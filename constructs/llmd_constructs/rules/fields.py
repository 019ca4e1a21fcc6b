"""Which fields a type of the Kubernetes API has."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import cast

import yaml

_DATA = Path(__file__).with_name("fields.yaml")


def fields(type: str) -> frozenset[str]:
    """Names of the fields of one type."""
    return _all()[type]


@cache
def _all() -> Mapping[str, frozenset[str]]:
    loaded = cast("dict[str, list[str]]", yaml.safe_load(_DATA.read_text("utf-8")))
    return {name: frozenset(names) for name, names in loaded.items()}
