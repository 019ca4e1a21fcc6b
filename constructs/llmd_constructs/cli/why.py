"""`why`: where each setting of an environment comes from."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn, cast

import click
from pydantic import BaseModel, ValidationError

from llmd_constructs.cli.environments import named
from llmd_constructs.config._docs import field_docs
from llmd_constructs.config.environment import Environment
from llmd_constructs.config.errors import InputError, Problem, ValuePath, closest, dotted
from llmd_constructs.config.load import ENVIRONMENTS, load_environment
from llmd_constructs.config.merge import resolve_extends
from llmd_constructs.config.source import Source
from llmd_constructs.rules.reading import text

_PART = re.compile(r'\.?(?P<key>[^.\[\]]+)|\[(?P<index>\d+)\]|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]')


def run(root: Path, environment: str, field: str) -> None:
    """Print `field = value  file:line` for every setting below `field`, and for those left out their default.

    Args:
        root: The repository.
        environment: Its name, or the path of its file.
        field: A path, in which an entry of a list may stand by its name. Empty: everything that is written.

    Raises:
        InputError: There is no such environment or field.
    """
    (name,) = named(root, [environment])
    path = root / ENVIRONMENTS / f"{name}.yaml"
    source = resolve_extends(path, root)
    if not field:
        _print(source, (), source.data)
        return
    try:
        settings = Environment.model_validate(source.data)
    except ValidationError:
        settings = None  # what is written can be shown all the same
    values = settings.model_dump(mode="json", by_alias=True) if settings else source.data
    try:
        where = _found(values, field, source)
    except InputError:
        if not settings:
            load_environment(path, root)  # tells why there are no defaults
        raise
    _print(source, where, _below(values, where), settings)


def _print(source: Source, where: ValuePath, value: Any, settings: Environment | None = None) -> None:
    for path, leaf in _leaves(where, value):
        node, written = source.root.nearest(path)
        if written and not node.removed:
            origin = f"{node.position.file}:{node.position.line}"
        else:
            origin = "default" if leaf is not None else f"default: {_meaning(settings, path)}"
        shown = leaf if isinstance(leaf, str) else json.dumps(leaf, ensure_ascii=False)
        click.echo(f"{dotted(path)} = {shown}  {click.style(origin, dim=True)}")


def _leaves(path: ValuePath, value: Any) -> Iterator[tuple[ValuePath, Any]]:
    """Every value that holds no others; empty mappings and lists too, which would not be seen otherwise."""
    if isinstance(value, dict) and value:
        for key, child in cast("dict[str, Any]", value).items():
            yield from _leaves((*path, key), child)
    elif isinstance(value, list) and value:
        for index, child in enumerate(cast("list[Any]", value)):
            yield from _leaves((*path, index), child)
    else:
        yield path, value


def _below(value: Any, path: ValuePath) -> Any:
    for part in path:
        value = value[part]
    return value


def _meaning(settings: Any, path: ValuePath) -> str:
    """What the model says about a field that is left out, of which its default is a part."""
    *above, last = path
    for part in above:
        is_model = isinstance(settings, BaseModel)
        settings = getattr(settings, _attribute(settings, part)) if is_model else settings[part]
    meaning = field_docs(type(settings)).get(str(last), "") if isinstance(settings, BaseModel) else ""
    return " ".join(meaning.split()) or "none"


def _attribute(model: BaseModel, key: str | int) -> str:
    return next(name for name, info in type(model).model_fields.items() if (info.alias or name) == key)


def _found(values: Any, field: str, source: Source) -> ValuePath:
    """The path to a field that people wrote.

    Raises:
        InputError: There is none, with what was probably meant.
    """
    where: ValuePath = ()
    for part in _parts(field, source):
        here = _below(values, where)
        choices = _choices(here)
        if part not in choices:
            _refuse(source, where, part, [each for each in choices if isinstance(each, str)])
        where = (*where, choices[part])
    return where


def _choices(value: Any) -> dict[str | int, str | int]:
    """What may stand after a value in a path, and the key or index that it means."""
    if isinstance(value, dict):
        return {key: key for key in cast("dict[str, Any]", value)}
    if not isinstance(value, list):
        return {}
    entries = cast("list[Any]", value)
    names = {name: index for index, entry in enumerate(entries) if (name := text(entry, "name"))}
    return {**names, **{index: index for index, _ in enumerate(entries)}}


def _parts(field: str, source: Source) -> Iterator[str | int]:
    end = 0
    for match in _PART.finditer(field):
        if match.start() != end:
            break
        end = match.end()
        yield match["key"] or (json.loads(match["quoted"]) if match["quoted"] else int(match["index"]))
    if end != len(field):
        problem = Problem(
            source.file, None, field, "is not the path of a field", "write one such as platform.gateway"
        )
        raise InputError([problem])


def _refuse(source: Source, where: ValuePath, part: str | int, choices: list[str]) -> NoReturn:
    near = closest(str(part), choices)
    if near:
        instead = f"did you mean {dotted((*where, near))}?"
    else:
        instead = f"{dotted(where) or 'the file'} has {', '.join(choices) or 'nothing below it'}"
    raise InputError([Problem(source.file, None, dotted((*where, part)), "is not there", instead)])
