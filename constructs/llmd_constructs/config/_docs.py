"""The texts below the fields of a model, which tell users what a field means.

Pydantic can read them itself (`use_attribute_docstrings`), and does so whenever a model is imported: reading the
source takes longer than checking every environment. Only an error text and the JSON schema need them.
"""

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from functools import cache

from pydantic import BaseModel


@cache
def field_docs(model: type[BaseModel]) -> Mapping[str, str]:
    """Text below each field of a model, inherited ones included, by the name that users write."""
    texts: dict[str, str] = {}
    for base in reversed(model.__mro__):
        texts |= _texts(base.__module__).get(base.__qualname__, {}) if issubclass(base, BaseModel) else {}
    return {info.alias or name: texts[name] for name, info in model.model_fields.items() if name in texts}


@cache
def _texts(module: str) -> Mapping[str, Mapping[str, str]]:
    """Text below each field, by name of the class and of the field."""
    source = inspect.getsource(sys.modules[module])
    return {
        node.name: dict(_fields(node)) for node in ast.parse(source).body if isinstance(node, ast.ClassDef)
    }


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for statement, following in zip(node.body, node.body[1:], strict=False):
        match statement, following:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, inspect.cleandoc(text)
            case _:
                pass
