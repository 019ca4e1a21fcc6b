"""Node, with which jsii runs cdk8s: started in time, and without a messenger."""

import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from threading import Thread

_CHANNEL = b"readFD:3,writeFD:3"
"""How jsii's kernel names the channel to its messenger; `kernel.cjs` gives it another."""


@contextmanager
def starting_node() -> Generator[None]:
    """Start node in a thread beside the block, where there is one.

    Node takes as long to start as environments take to be read, and does so on another core.
    """
    # Importing jsii is work for Python; only what comes after it waits for node.
    import_module("jsii")
    # Two imports of a node that is not there would meet half of jsii's kernel.
    if not which(os.environ.get("JSII_NODE", "node")):
        yield
        return
    thread = Thread(target=_import_cdk8s, name="start node")
    thread.start()
    try:
        yield
    finally:
        # The environment is as it was only when the thread has ended, which is after cdk8s can be used.
        thread.join()


def _import_cdk8s() -> None:
    # Whatever is wrong, the import that needs cdk8s comes upon it too, where somebody can see it.
    with suppress(Exception), without_messenger():
        import_module("cdk8s")


@contextmanager
def without_messenger() -> Generator[None]:
    """Set the environment so that jsii starts its kernel alone, for as long as it takes to start it.

    By itself jsii starts a node that starts the kernel in a second one, and hands over every message. That makes
    node's start half as long again, and a construct twice as dear.
    """
    variables = _variables()
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _variables() -> dict[str, str]:
    """What puts `kernel.cjs` in place; empty where the user chose a runtime, or jsii has a kernel not known here."""
    jsii = find_spec("jsii")
    if "JSII_RUNTIME" in os.environ or not jsii or not jsii.origin:
        return {}
    kernel = Path(jsii.origin).parent / "_embedded" / "jsii" / "lib__program.js"
    if not kernel.is_file() or kernel.read_bytes().count(_CHANNEL) != 1:
        return {}
    return {
        "JSII_RUNTIME": str(Path(__file__).with_name("kernel.cjs")),
        "LLMD_JSII_KERNEL": str(kernel),
        "NODE_OPTIONS": f"{os.environ.get('NODE_OPTIONS', '')} --preserve-symlinks".lstrip(),
    }
