"""Making a `model.tar.gz`: the same tree gives the same bytes, and nothing is held in memory."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from sagelet.artifacts.disk import CHUNK_BYTES, Draft, disk_errors
from sagelet.artifacts.trees import is_executable, members_of
from sagelet.errors import InvalidRequest

_LEVEL = 2
_GZIP = 31  # zlib's number for: a gzip header and trailer, the largest window


def pack(root: Path, archive: Path, *, members: Mapping[str, Path] | None = None) -> None:
    """Pack a folder into a gzipped tar, which has its name only when it is whole.

    With `members` (name in the archive to path, relative paths being below `root`) it holds exactly
    those instead. Links are followed; see `trees.members_of`. Owners, times and all mode bits but
    the owner's `x` are left out, so that equal content gives equal bytes. DiskFull where there is
    no space.
    """
    found = members_of(root, members)
    archive.parent.mkdir(parents=True, exist_ok=True)
    draft = Draft(archive.parent)
    try:
        with disk_errors(archive):
            _write(found, draft.file)
        draft.finish()
        draft.move_to(archive)
    finally:
        draft.close()


class _GzipWriter:
    """A gzip stream without time or name in its header, made by ISA-L.

    Its level 2 is the fastest that finds repeats. Measured in one thread, in MB/s, with the size
    that is left: float32 weights 577 (92 %), where zlib's level 9 does 29 (93 %) and its level 1
    33; English text 411 (33 %), where zlib's level 9 does 3 (27 %) and its level 1 82 (35 %). More
    threads would wait for the disk.
    """

    def __init__(self, file: BinaryIO) -> None:
        from isal import isal_zlib  # noqa: PLC0415 - a job's runner imports no package to begin

        self._file = file
        self._deflate = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _GZIP)

    def write(self, data: bytes) -> None:
        self._file.write(self._deflate.compress(data))

    def finish(self) -> None:
        self._file.write(self._deflate.flush())


def _write(members: Mapping[str, Path], file: BinaryIO) -> None:
    stream = _GzipWriter(file)
    for name, path in members.items():
        if path.is_dir():
            stream.write(_header(name, tarfile.DIRTYPE, 0o755, 0))
        else:
            _add(stream, name, path)
    stream.write(bytes(2 * tarfile.BLOCKSIZE))
    stream.finish()


def _add(stream: _GzipWriter, name: str, path: Path) -> None:
    mode = 0o755 if is_executable(path) else 0o644
    with path.open("rb") as content:
        left = os.fstat(content.fileno()).st_size
        stream.write(_header(name, tarfile.REGTYPE, mode, left))
        padding = -left % tarfile.BLOCKSIZE
        while left:
            piece = content.read(min(left, CHUNK_BYTES))
            if not piece:
                raise InvalidRequest(f"{path} became shorter while it was packed.")
            stream.write(piece)
            left -= len(piece)
    stream.write(bytes(padding))


def _header(name: str, kind: bytes, mode: int, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.size = kind, mode, size
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
