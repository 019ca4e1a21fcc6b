"""What is wrong with a data file, in the words and with the lines that mistakes in environment files have."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from llmd_constructs.config._node import Node, Position
from llmd_constructs.config._syntax import explain
from llmd_constructs.config.errors import Problem
from llmd_constructs.config.problems import from_validation_error
from llmd_constructs.config.source import Source

from ._table import Entry, File


def mistakes(file: str, text: bytes, entry: type[Entry], key: str) -> list[Problem]:
    """Every mistake of a data file: file, line, entry and field.

    Args:
        file: The file, as the texts name it.
        text: What it holds.
        entry: The model of its entries.
        key: The field that identifies an entry.
    """
    try:
        data, root = yaml.load(text, Loader=yaml.CSafeLoader), _tree(text, file)
    except yaml.MarkedYAMLError as error:
        line, message, instead = explain(error, text.decode("utf-8", "replace"))
        return [Problem(file, line, "", message, instead)]
    except (ValueError, yaml.YAMLError) as error:
        return [Problem(file, None, "", f"cannot be read: {error}")]
    found = list(_against(File, data, Source(file, (file,), root)))
    if found:
        return found
    return [*_of_entries(data, Source(file, (file,), root), entry, key), *_twice(data, file, root, key)]


def _against(model: type[BaseModel], data: Any, source: Source) -> Iterator[Problem]:
    try:
        model.model_validate(data)
    except ValidationError as error:
        yield from from_validation_error(error, source, model)


def _of_entries(data: Any, source: Source, entry: type[Entry], key: str) -> Iterator[Problem]:
    for index, raw in enumerate(data["entries"]):
        own = replace(source, root=source.root.nearest(("entries", index))[0])
        name = str(raw.get(key, f"entries[{index}]"))
        for problem in _against(entry, {"date": data["date"], **raw}, own):
            yield replace(problem, field=": ".join(part for part in (name, problem.field) if part))


def _twice(data: Any, file: str, root: Node, key: str) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, raw in enumerate(data["entries"]):
        name, line = str(raw.get(key, "")), root.nearest(("entries", index, key))[0].position.line
        if name and name in first:
            yield Problem(file, line, name, f"is there on line {first[name]} already", "keep one of the two")
        first.setdefault(name, line)


def _tree(text: bytes, file: str) -> Node:
    """The places of all values, with what anchors bring."""
    loader = yaml.CSafeLoader(text)
    top = loader.get_single_node()
    return _node(top, loader, file, top) if top else Node(None, Position(file, 1, 1))


def _node(node: yaml.Node, loader: yaml.CSafeLoader, file: str, place: yaml.Node) -> Node:
    """A value at the place of its key."""
    mark = place.start_mark
    position = Position(file, mark.line + 1, mark.column + 1)
    if isinstance(node, yaml.MappingNode):
        loader.flatten_mapping(node)
        return Node({key.value: _node(value, loader, file, key) for key, value in node.value}, position)
    if isinstance(node, yaml.SequenceNode):
        return Node([_node(value, loader, file, value) for value in node.value], position)
    plain = node.tag.endswith(":str")
    return Node(node.value, position, None if plain else node.value)
