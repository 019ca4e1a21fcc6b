"""From a path to text that is safe to parse, or the reason why not."""

import os
import re
import stat
from pathlib import Path

from llmd_constructs.config.errors import InputError, Problem, capped, closest

_MOST_BYTES = 1024 * 1024
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_ONLY_UTF8 = "save it as UTF-8 without a byte-order mark"

HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)
"""Characters that no editor shows: control, line-break and direction characters other than tab and newline."""


def label(path: Path, root: Path) -> str:
    """The path as problems show it: from `root`, with `/`, and printable whatever its bytes are."""
    relative = os.path.relpath(path, root).replace(os.sep, "/")
    return os.fsencode(relative).decode("utf-8", "backslashreplace")


def read_text(path: Path, root: Path) -> str:
    """The text of a file inside the repository.

    Raises:
        InputError: the file is outside, missing, no regular file, a symlink, too large, or no clean UTF-8.
    """
    file = label(path, root)
    relative = Path(os.path.relpath(path, root))
    _refuse_place(file, relative, root)
    try:
        data = _read_bytes(file, root / relative)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _refusal(file, f"cannot be read: {reason}", "check its name and permissions") from None
    text = _decoded(file, data)
    _refuse_hidden(file, text)
    return text


def hidden_name(character: str) -> str:
    """`U+202E` for a character that cannot be shown."""
    return f"U+{ord(character):04X}"


def _refusal(file: str, message: str, instead: str, line: int | None = None) -> InputError:
    return InputError([Problem(file, line, "", message, instead)])


def _refuse_place(file: str, relative: Path, root: Path) -> None:
    if relative.parts[:1] == ("..",):
        raise _refusal(file, "lies outside the repository", "put it inside")
    if os.path.islink(root / relative):  # noqa: PTH114 - unlike Path.is_symlink, it answers for impossible names too
        raise _refusal(file, "is a symlink", "put the file itself there")
    for folder in relative.parents[:-1]:
        if os.path.islink(root / folder):  # noqa: PTH114 - same
            raise _refusal(
                file, f"lies in the symlinked folder {folder.as_posix()}", "put the folder itself there"
            )


def _read_bytes(file: str, path: Path) -> bytes:
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise _refusal(file, "is not there", _nearby(path)) from None
    if stat.S_ISDIR(mode):
        raise _refusal(file, "is a folder", "name a YAML file")
    if not stat.S_ISREG(mode):
        raise _refusal(file, "is not a regular file", "put a YAML file there")
    with path.open("rb") as stream:
        data = stream.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise _refusal(file, "is larger than 1 MiB", "split it, and list what is shared under `extends:`")
    return data


def _nearby(path: Path) -> str:
    siblings = list(path.parent.iterdir()) if path.parent.is_dir() else []
    names = {entry.stem: entry.name for entry in siblings if entry.suffix in {".yaml", ".yml"}}
    near = closest(path.stem, names)
    return f"did you mean {names[near]}?" if near else "check its name"


def _decoded(file: str, data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _refusal(file, "is UTF-16", _ONLY_UTF8, 1)
    if data.startswith(b"\xef\xbb\xbf"):
        raise _refusal(file, "begins with a byte-order mark", _ONLY_UTF8, 1)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _refusal(file, f"is not UTF-8: byte 0x{data[error.start]:02x}", _ONLY_UTF8, line) from None


def _refuse_hidden(file: str, text: str) -> None:
    if not HIDDEN.search(text):
        return
    problems = [
        Problem(
            file,
            number,
            "",
            f"holds the character {hidden_name(found[0])}, which no editor shows",
            "delete it",
        )
        for number, line in enumerate(_LINE_BREAK.split(text), start=1)
        for found in HIDDEN.finditer(line)
    ]
    raise InputError(capped(problems))
