"""One bucket on disk: where its parts lie, and how an object is read from them."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from sagelet.artifacts.checksums import Digests
from sagelet.artifacts.disk import CHUNK_BYTES, locked
from sagelet.artifacts.places import Places
from sagelet.artifacts.sidecars import Sidecars, fitting
from sagelet.artifacts.stored import ObjectMeta, StoredObject, Version
from sagelet.errors import BucketNotFound, DiskFull, KeyNotFound

_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO})

Check = Callable[[StoredObject | None], None]
"""Looks at what is stored before it is replaced or removed, under the lock; it may raise."""


class OpenObject:
    """An object's bytes, open, and what is known of exactly these bytes."""

    def __init__(self, stored: StoredObject, file: BinaryIO) -> None:
        """Take over an open file."""
        self.stored = stored
        self.file = file

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.file.close()


@dataclass(frozen=True, slots=True)
class Room:
    """One bucket. `meta` is its folder under `.meta`; `drafts` are shared by all buckets."""

    name: str
    places: Places
    meta: Path
    drafts: Path
    lock: Path

    @property
    def sidecars(self) -> Sidecars:
        """What is known of its objects."""
        return Sidecars(self.meta / "objects", self.drafts)

    def check_exists(self) -> None:
        """Raise BucketNotFound unless the bucket's folder is there."""
        if self.places.folder([]) is None:
            raise BucketNotFound(name=self.name)

    def locked(self) -> AbstractContextManager[None]:
        """Keep every other thread and process from changing this bucket."""
        return locked(self.lock)

    def path(self, key: str) -> Path:
        """Return the file that holds an object; KeyNotFound where there is none."""
        path = self.places.find(key)
        if path is None:
            raise KeyNotFound(name=key)
        return path

    def open(self, key: str, *, is_locked: bool = False) -> OpenObject:
        """Open an object for reading; KeyNotFound where there is none.

        The ETag of a file that was written by hand is computed here, and kept.
        """
        while True:
            path = self.path(key)
            file = _opened(path)
            if file is None:
                continue  # it was replaced or removed between finding and opening
            version = fitting(self.sidecars.read(key), os.fstat(file.fileno()))
            if version is None and _is_same(path, file):
                version = self._learn(
                    key, path, file, nullcontext() if is_locked else self.locked()
                )
            if version is not None:
                return OpenObject(StoredObject(self.name, key, version), file)
            file.close()

    def current(self, key: str) -> StoredObject | None:
        """Return what is stored, for one who holds the lock."""
        try:
            with self.open(key, is_locked=True) as opened:
                return opened.stored
        except KeyNotFound:
            return None

    def _learn(
        self, key: str, path: Path, file: BinaryIO, lock: AbstractContextManager[None]
    ) -> Version | None:
        """Compute and keep the version of a file that was written by hand."""
        before = os.fstat(file.fileno())
        digests = Digests()
        while piece := file.read(CHUNK_BYTES):
            digests.update(piece)
        file.seek(0)
        with lock:
            versions = self.sidecars.read(key)
            version = fitting(versions, before)
            if version is not None or not _is_same(path, file):
                return version
            meta = versions[0].meta if versions else ObjectMeta()
            version = Version(before.st_size, before.st_mtime_ns, digests.etag, meta)
            if fitting((version,), os.fstat(file.fileno())):  # else it is being written just now
                with suppress(DiskFull):  # then it is computed again next time
                    self.sidecars.write(key, (version,))
        return version


def _opened(path: Path) -> BinaryIO | None:
    """Open a regular file; None where it is gone, or something else stands there now."""
    try:
        # Not blocking: a FIFO that took the file's place must not hold us.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in _GONE:
            return None
        raise
    file = os.fdopen(descriptor, "rb")
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    return None


def _is_same(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(file.fileno()))
    except (FileNotFoundError, NotADirectoryError):
        return False
