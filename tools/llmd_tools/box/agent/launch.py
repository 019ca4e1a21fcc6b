"""Makes a container's root folder in the mount namespace that it is run in, and becomes the container's program.

Run as a script, with the path of a JSON file as its argument (see `root.Launch`). The root is an empty file system of
its own in which the machine's programs are visible at their usual places; what a container writes outside of its
volumes is gone with it, and what it must not see of the machine is not there.
"""

import ctypes
import errno
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

_NOSUID, _NODEV, _REMOUNT, _BIND, _RECURSIVE, _READ_ONLY = 2, 4, 32, 4096, 16384, 1
_RELATIME, _STATVFS_RELATIME = 1 << 21, 4096
_KEPT = 2 | 4 | 8 | 1024 | 2048
"""nosuid, nodev, noexec, noatime and nodiratime: a mount of the machine's must keep what it has of these."""

_OWN = frozenset({"etc", "tmp", "run", "var", "boot", "lost+found"})
"""Top-level folders that a container has for itself."""
_ETC = (
    *("passwd", "group", "nsswitch.conf", "protocols", "services", "localtime", "alternatives"),
    *("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "ssl", "pki", "ca-certificates"),
)
"""What programs need of the machine's settings."""

_libc = ctypes.CDLL(None, use_errno=True)


def _mount(source: str | Path, target: Path, kind: str, flags: int) -> None:
    if _libc.mount(str(source).encode(), str(target).encode(), kind.encode(), flags, None):
        number = ctypes.get_errno()
        raise OSError(number, f"cannot mount {source} at {target}: {os.strerror(number)}")


def _make_read_only(target: Path) -> None:
    has = os.statvfs(target).f_flag
    kept = (has & _KEPT) | (_RELATIME if has & _STATVFS_RELATIME else 0)
    _mount("none", target, "none", _REMOUNT | _BIND | _READ_ONLY | kept)


class _Root:
    """The root folder in the making."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        _mount("root", folder, "tmpfs", _NOSUID | _NODEV)
        self.folder = folder
        self._device = folder.stat().st_dev

    def fill(self, visible: list[str]) -> None:
        """Show the machine's programs, and folders that are to be visible wherever they are."""
        for name in sorted(_OWN - {"boot", "lost+found"}):
            (self.folder / name).mkdir()
        (self.folder / "tmp").chmod(0o1777)
        (self.folder / "var/tmp").mkdir(mode=0o1777)
        (self.folder / "var/log").mkdir()
        (self.folder / "var/run").symlink_to("/run")
        for entry in Path("/").iterdir():
            if entry.name not in _OWN:
                self._show(entry)
        for name in _ETC:
            if (entry := Path("/etc", name)).exists():
                self.bind(entry.resolve(), str(entry))
        for each in visible:
            if not self._at(each).exists():
                self.bind(Path(each), each)
        _mount("shm", self.folder / "dev/shm", "tmpfs", _NOSUID | _NODEV)

    def bind(self, source: Path, target: str, *, read_only: bool = False) -> None:
        """Show a file or folder of the machine at a path of the container."""
        place = self._place(target, is_folder=source.is_dir())
        _mount(source, place, "none", _BIND | _RECURSIVE)
        if read_only:
            _make_read_only(place)

    def bind_volume(self, source: Path, target: str, visible: list[str], *, read_only: bool) -> None:
        """Show a volume at a path of the container; folders that are to be visible show through what covers them."""
        covered = [each for each in visible if source.is_dir() and Path(each).is_relative_to(target)]
        for each in covered:
            (source / Path(each).relative_to(target)).mkdir(parents=True, exist_ok=True)
        self.bind(source, target, read_only=read_only)
        for each in covered:
            self.bind(Path(each), each)

    def freeze(self) -> None:
        """Let nothing be written any more but to volumes."""
        _mount("none", self.folder, "none", _REMOUNT | _BIND | _READ_ONLY | _NOSUID | _NODEV)

    def _at(self, path: str) -> Path:
        return self.folder / path.lstrip("/")

    def _show(self, entry: Path) -> None:
        if entry.is_symlink():
            self._at(str(entry)).symlink_to(entry.readlink())
        elif entry.is_dir() or entry.is_file():
            self.bind(entry, str(entry))

    def _place(self, target: str, *, is_folder: bool) -> Path:
        """The file or folder to mount on, made where the container's own file system is, never the machine's."""
        place = self._at(self._resolved(target))
        if place.exists():
            return place
        there = next(parent for parent in place.parents if parent.exists())
        if there.stat().st_dev != self._device:
            self._replace(there)
        if is_folder:
            place.mkdir(parents=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
        return place

    def _resolved(self, target: str) -> str:
        """The path without links of the container's, such as /var/run, which would lead out of its root."""
        parts, done = [part for part in target.split("/") if part], Path("/")
        for part in parts:
            here = self._at(str(done / part))
            done = Path(os.path.normpath(done / here.readlink())) if here.is_symlink() else done / part
        return str(done)

    def _replace(self, folder: Path) -> None:
        """Cover a folder of the machine by one of the container's with the same entries, to which more can be added."""
        source = Path("/") / folder.relative_to(self.folder)
        entries = list(source.iterdir())
        _mount("cover", folder, "tmpfs", _NOSUID | _NODEV)
        for entry in entries:
            place = folder / entry.name
            if entry.is_symlink():
                place.symlink_to(entry.readlink())
            elif entry.is_dir() or entry.is_file():
                place.mkdir() if entry.is_dir() else place.touch()
                _mount(entry, place, "none", _BIND | _RECURSIVE)


def _run(launch: dict[str, Any]) -> None:
    socket.sethostname(launch["hostname"])
    root = _Root(Path(launch["root"]))
    root.fill(launch["visible"])
    for mount in sorted(launch["mounts"], key=lambda each: str(each["target"]).count("/")):
        root.bind_volume(
            Path(mount["source"]), mount["target"], launch["visible"], read_only=mount["read_only"]
        )
    if launch["read_only_root"]:
        root.freeze()
    os.chroot(root.folder)
    os.chdir(launch["directory"])
    os.execve(launch["argv"][0], launch["argv"], launch["env"])  # noqa: S606 - this is what the script is for


def main() -> None:
    """Become the program, or say why not and end as a shell does: 127 if it is not there, 128 for all else."""
    try:
        _run(json.loads(Path(sys.argv[1]).read_text()))
    except OSError as error:
        sys.stderr.write(f"cannot start: {error}\n")
        sys.exit(127 if error.errno == errno.ENOENT else 128)


if __name__ == "__main__":
    main()
