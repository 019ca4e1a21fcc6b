"""What quickens a run that starts, works and ends, and would not become a program that lives on."""

import gc
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from importlib import import_module
from shutil import which
from threading import Thread


@contextmanager
def batch() -> Generator[None]:
    """Work without garbage collection and plugins, with node on its way.

    Nearly all that a run makes lives until its end: who looks for garbage finds none. Pydantic would read the
    metadata of every installed package in search of plugins. Node takes as long to start as environments take to be
    read, and does so on another core.
    """
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    collects = gc.isenabled()
    gc.disable()
    try:
        # Importing jsii is work for Python; only what comes after it waits for node.
        import_module("jsii")
        # Two imports of a node that is not there would meet half of jsii's kernel.
        if which(os.environ.get("JSII_NODE", "node")):
            Thread(target=_start_node, name="start node").start()
        yield
    finally:
        if collects:
            gc.enable()


def _start_node() -> None:
    # Whatever is wrong, the import that needs cdk8s comes upon it too, where somebody can see it.
    with suppress(Exception):
        import_module("cdk8s")
