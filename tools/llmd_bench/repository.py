"""The commands of this repository on its own environments, in a copy."""

import shutil
import subprocess
import sys
from compileall import compile_dir
from pathlib import Path

from llmd_bench.contest import Contestant
from llmd_constructs.cli.synth import INPUTS
from llmd_tools.errors import ToolError

ROOT = Path(__file__).parents[2]
UNCHANGED = "python main.py, nothing changed"
FORCED = "python main.py synth --force"


def copy(folder: Path) -> Path:
    """A synthesized copy of the repository; the original stays untouched.

    Raises:
        ToolError: If it cannot be synthesized.
    """
    # What a first run leaves behind, also where PYTHONDONTWRITEBYTECODE keeps it from doing so.
    for source in ("constructs", "tools"):
        compile_dir(ROOT / source, quiet=2)
    root = folder / "repository"
    for path in INPUTS:
        source, target = ROOT / path, root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy2(source, target)
    done = subprocess.run(
        [sys.executable, str(root / "main.py")], cwd=root, check=False, stdout=subprocess.DEVNULL
    )
    if done.returncode:
        raise ToolError("this repository's own environments do not synthesize; mend that first")
    return root


def commands(root: Path, folder: Path) -> list[Contestant]:
    """What is measured in the copy."""
    program = str(root / "main.py")
    unused = folder / "unused"
    return [
        Contestant(UNCHANGED, (sys.executable, program), root, unused),
        Contestant(FORCED, (sys.executable, program, "synth", "--force"), root, unused),
    ]
