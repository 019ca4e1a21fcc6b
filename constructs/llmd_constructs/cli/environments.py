"""Environments as people name them on a command line: by name, or by the path of the file."""

from collections.abc import Sequence
from pathlib import Path

from llmd_constructs.config.errors import InputError, Problem, closest
from llmd_constructs.config.load import ENVIRONMENTS, environment_files


def named(root: Path, words: Sequence[str]) -> list[str]:
    """The name of each environment.

    Args:
        root: The repository.
        words: Names, or paths from the working directory or from the root.

    Raises:
        InputError: For each word that names no environment, or where there is no folder for them.
    """
    known = [path.stem for path in environment_files(root)]
    names = [_name(root, word) for word in words]
    problems = [_unknown(name, known) for name in names if name not in known]
    if problems:
        raise InputError(problems)
    return names


def _name(root: Path, word: str) -> str:
    folder = (root / ENVIRONMENTS).resolve()
    paths = (Path(word), root / word)
    is_file = word.endswith(".yaml") and any(path.resolve().parent == folder for path in paths)
    return Path(word).stem if is_file else word


def _unknown(name: str, known: list[str]) -> Problem:
    near = closest(name, known)
    instead = f"did you mean {near}?" if near else f"write one of {', '.join(known)}"
    return Problem(ENVIRONMENTS, None, "", f"holds no environment '{name}'", instead)
