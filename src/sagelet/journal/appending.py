"""Appending whole lines to a file that several processes append to."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from sagelet.errors import DiskFull, StateError


def append_lines(path: Path, lines: bytes) -> None:
    """Append `lines`, each with its newline, in one write.

    O_APPEND makes the kernel choose the place, so that writers never overwrite one another. A
    writer that died half-way through a line does not spoil ours: we begin a new one.

    Raises:
        DiskFull: no space is left; what was written of it is a line that readers pass over.
        StateError: the file cannot be written.
    """
    try:
        descriptor = _open(path)
        try:
            whole = lines if _ends_whole(descriptor) else b"\n" + lines
            written = os.write(descriptor, whole)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _translated(error, path) from error
    if written < len(whole):
        raise DiskFull(path=str(path), free_bytes=shutil.disk_usage(path.parent).free)


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, for ourselves alone.

    Raises:
        DiskFull: no space is left.
        StateError: it cannot be made.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _translated(error, path) from error


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        make_folder(path.parent)
        return os.open(path, flags, 0o600)


def _ends_whole(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"


def _translated(error: OSError, path: Path) -> DiskFull | StateError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        there = next(folder for folder in path.parents if folder.exists())
        return DiskFull(path=str(path), free_bytes=shutil.disk_usage(there).free)
    return StateError(path=str(path), problem=error.strerror or str(error))
