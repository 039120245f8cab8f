"""Writing to the state directory: whole files or none, one writer at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from sagelet.errors import DiskFull, InvalidRequest

CHUNK_BYTES = 1 << 20
FOLDER_MODE = 0o700
FILE_MODE = 0o600
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_FICLONE = 0x40049409  # ioctl_ficlone(2): share the blocks until one side writes


def random_name() -> str:
    """Return 32 hex digits that nobody can guess and nothing else has."""
    return os.urandom(16).hex()


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn the system's 'no space left' into DiskFull, and 'name too long' into InvalidRequest."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull(path=str(path), free_bytes=_free_bytes(path)) from error
        if error.errno == errno.ENAMETOOLONG:
            raise InvalidRequest("A name is too long for this file system.") from error
        raise


@contextmanager
def locked(lock: Path) -> Iterator[None]:
    """Hold a lock against every other thread and process; `lock` is created and never removed."""
    with disk_errors(lock):
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class Draft:
    """A file under a temporary name, which is either moved to its own name or gone.

    It is locked while it is being written, so that `sweep` can tell it from what a dead process
    left behind.
    """

    def __init__(self, folder: Path) -> None:
        """Create an empty file in a folder that exists."""
        self.path, self.file = _fresh(folder)
        self._kept = False

    def write(self, data: bytes) -> None:
        """Add bytes at the end."""
        with disk_errors(self.path.parent):
            self.file.write(data)

    def finish(self) -> os.stat_result:
        """Write out what is buffered, and return what the file system says of the file."""
        with disk_errors(self.path.parent):
            self.file.flush()
        return os.fstat(self.file.fileno())

    def move_to(self, target: Path) -> None:
        """Give the finished file its name, in place of whatever has it."""
        with disk_errors(target):
            self.path.replace(target)
        self._kept = True

    def close(self) -> None:
        """Close the file, and remove it unless it was moved."""
        try:
            self.file.close()
        except OSError:  # the buffer could not be written, and the file is about to go
            if self._kept:
                raise
        finally:
            if not self._kept:
                self.path.unlink(missing_ok=True)


def sweep(folder: Path) -> int:
    """Remove the drafts that no living process writes; return how many."""
    swept = 0
    for path in folder.iterdir():
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            path.unlink(missing_ok=True)
            swept += 1
    return swept


def write_whole(path: Path, data: bytes, drafts: Path) -> None:
    """Write a small file in one move, through a draft."""
    draft = Draft(drafts)
    try:
        draft.write(data)
        draft.finish()
        draft.move_to(path)
    finally:
        draft.close()


def copy_file(source: Path, target: Path) -> None:
    """Copy a file's content to a new file, by sharing blocks where the file system can.

    Never a hard link: what is written to the one must not show in the other.
    """
    with disk_errors(target.parent), source.open("rb") as old, target.open("xb") as new:
        try:
            fcntl.ioctl(new.fileno(), _FICLONE, old.fileno())
        except OSError:  # this file system cannot share blocks
            shutil.copyfileobj(old, new, CHUNK_BYTES)


def remove_tree(folder: Path) -> None:
    """Remove a folder with all that is in it, though it be closed to its owner; or nothing.

    A kernel's overlay leaves folders without any mode behind, and a script may close its own.
    """
    with suppress(FileNotFoundError, PermissionError):
        shutil.rmtree(folder)
    if not folder.exists():
        return
    with suppress(PermissionError):  # it is another's; rmtree then says so
        folder.chmod(FOLDER_MODE)
    for above, names, _ in os.walk(folder):
        for name in names:
            path = Path(above, name)
            if not path.is_symlink():
                with suppress(PermissionError):
                    path.chmod(FOLDER_MODE)
    shutil.rmtree(folder)


def _fresh(folder: Path) -> tuple[Path, BinaryIO]:
    """Create and lock a file; another one where a sweep removed it between the two."""
    while True:
        path = folder / random_name()
        with disk_errors(folder):
            file = os.fdopen(os.open(path, _NEW, FILE_MODE), "wb")
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return path, file
        file.close()


def _free_bytes(path: Path) -> int:
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free
