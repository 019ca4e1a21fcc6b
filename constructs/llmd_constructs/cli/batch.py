"""What quickens a run that starts, works and ends, and would not become a program that lives on."""

import gc
import os
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module

from llmd_constructs.cli.node import starting_node


@contextmanager
def batch() -> Generator[None]:
    """Work without garbage collection, plugins and type checks of jsii's, with node on its way.

    Nearly all that a run makes lives until its end: who looks for garbage finds none. Pydantic would read the
    metadata of every installed package in search of plugins.
    """
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    collects = gc.isenabled()
    gc.disable()
    try:
        with starting_node(), _unchecked_types():
            yield
    finally:
        if collects:
            gc.enable()


@contextmanager
def _unchecked_types() -> Generator[None]:
    """Spare jsii what `python -O` spares it: loading typeguard, to check calls that basedpyright has checked."""
    checking = vars(import_module("jsii._type_checking"))
    before = checking.get("_resolved_check")
    checking["_resolved_check"] = lambda **_: None  # pyright: ignore[reportUnknownLambdaType]
    try:
        yield
    finally:
        checking["_resolved_check"] = before
