"""A chart as an archive whose bytes depend on its files, and on zlib, and on nothing else.

`helm package` writes the time of day into the archive: Helm 3 always, and Helm 4 writes each file's own time,
which a checkout does not keep.
"""

import gzip
import io
import tarfile
from pathlib import Path

import yaml

_CARD = "Chart.yaml"
_MODE = 0o644


def archive_name(chart: Path) -> str:
    """What Helm calls the archive of a chart: name, version, `.tgz`."""
    card = yaml.safe_load((chart / _CARD).read_text())
    return f"{card['name']}-{card['version']}.tgz"


def pack(chart: Path) -> bytes:
    """The archive of a chart: its card first, as Helm has it, then its files by name, all of the same time and owner."""
    name = yaml.safe_load((chart / _CARD).read_text())["name"]
    files = sorted(file.relative_to(chart).as_posix() for file in chart.rglob("*") if file.is_file())
    files.sort(key=lambda file: file != _CARD)
    bare = io.BytesIO()
    with tarfile.open(fileobj=bare, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for file in files:
            data = (chart / file).read_bytes()
            entry = tarfile.TarInfo(f"{name}/{file}")
            entry.size, entry.mode = len(data), _MODE
            archive.addfile(entry, io.BytesIO(data))
    packed = io.BytesIO()
    # Not `gzip.compress`, whose header is not the same in every Python.
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as stream:
        stream.write(bare.getvalue())
    return packed.getvalue()
