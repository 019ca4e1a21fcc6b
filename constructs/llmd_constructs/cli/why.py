"""`why`: where each setting of an environment comes from."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from llmd_constructs.config.errors import ValuePath, dotted
from llmd_constructs.config.load import ENVIRONMENTS
from llmd_constructs.config.merge import resolve_extends


def run(root: Path, environment: str, field: str) -> None:
    """Print `field = value  file:line` for every setting below `field`."""
    source = resolve_extends(root / ENVIRONMENTS / f"{environment}.yaml", root)
    for path, value in _leaves((), source.data):
        name = dotted(path)
        if name == field or not field or name.startswith((f"{field}.", f"{field}[")):
            position = source.position(path)
            click.echo(f"{name} = {value}  {click.style(f'{position.file}:{position.line}', dim=True)}")


def _leaves(path: ValuePath, value: Any) -> Iterator[tuple[ValuePath, Any]]:
    if isinstance(value, dict):
        for key, child in value.items():  # pyright: ignore[reportUnknownVariableType] - JSON-like by contract
            yield from _leaves((*path, key), child)  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(value, list):
        for index, child in enumerate(value):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
            yield from _leaves((*path, index), child)
    else:
        yield path, value
