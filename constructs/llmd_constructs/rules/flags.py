"""Command lines of containers as flags."""

import shlex
from collections.abc import Iterator

from llmd_constructs.config.errors import ValuePath
from llmd_constructs.manifest import JsonObject
from llmd_constructs.rules.reading import texts

SHELLS = ("sh", "bash")


def words(container: JsonObject) -> list[str]:
    """Command and arguments one by one, also where they are a script for a shell."""
    command, args = texts(container, "command"), texts(container, "args")
    everything = [*command, *args]
    if runs_shell(container) and len(everything) > 2:
        return [*everything[:2], *_split(everything[2]), *everything[3:]]
    return everything


def runs_shell(container: JsonObject) -> bool:
    """Whether the container runs a script: `bash -c …`."""
    command = [*texts(container, "command"), *texts(container, "args")]
    return len(command) > 1 and command[0].rpartition("/")[2] in SHELLS and command[1].endswith("c")


def flags(container: JsonObject) -> dict[str, str]:
    """Value by flag name without dashes: `--port=8000`, `--port 8000`, `--trust-remote-code` (an empty value)."""
    return dict(_pairs(words(container)))


def flag_place(container: JsonObject, name: str) -> ValuePath:
    """Where in the container the flag is written; the list of arguments if it is not."""
    for index, word in enumerate(texts(container, "args")):
        if word == f"--{name}" or word.startswith(f"--{name}="):
            return ("args", index)
    return ("args",)


def _pairs(command: list[str]) -> Iterator[tuple[str, str]]:
    for index, word in enumerate(command):
        if not word.startswith("--") or word == "--":
            continue
        name, separator, value = word[2:].partition("=")
        if not separator:
            following = command[index + 1] if index + 1 < len(command) else ""
            value = "" if following.startswith("--") else following
        yield name, value


def _split(script: str) -> list[str]:
    try:
        return shlex.split(script, comments=True)
    except ValueError:
        return script.split()
