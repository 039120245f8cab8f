"""An object that is being written: invisible until it is committed, gone if it is not."""

from __future__ import annotations

import os
import time
from types import TracebackType
from typing import Self

from sagelet.artifacts.checksums import Digests
from sagelet.artifacts.disk import Draft
from sagelet.artifacts.rooms import Check, Room
from sagelet.artifacts.sidecars import fitting
from sagelet.artifacts.stored import Checksum, ObjectMeta, StoredObject, Version

_STEPS_NS = (0, 1, 1_000, 1_000_000, 1_000_000_000, 2_000_000_000)


class ObjectWriter:
    """Takes an object's bytes in order. One thread at a time may use it."""

    def __init__(self, room: Room, key: str, meta: ObjectMeta, digests: Digests) -> None:
        """Begin with an empty draft."""
        self.digests = digests
        self._room = room
        self._key = key
        self._meta = meta
        self._draft = Draft(room.drafts)

    def write(self, data: bytes) -> None:
        """Add bytes; DiskFull where there is no space for them."""
        self._draft.write(data)
        self.digests.update(data)

    def commit(
        self,
        *,
        check: Check | None = None,
        checksum: Checksum | None = None,
        etag: str = "",
        part_sizes: tuple[int, ...] = (),
        upload_id: str = "",
    ) -> StoredObject:
        """Make the object visible in one move, in place of what had its key.

        `check` may refuse, by raising, on seeing what is stored. `etag` is the body's MD5 unless
        it is given. BucketNotFound where the bucket was removed meanwhile.
        """
        room, key = self._room, self._key
        self._draft.finish()
        with room.locked():
            room.check_exists()
            if check is not None:
                check(room.current(key))
            version = Version(
                *self._stamped(),
                etag=etag or self.digests.etag,
                meta=self._meta,
                checksum=checksum,
                part_sizes=part_sizes,
                upload_id=upload_id,
            )
            target = room.places.make_room(key)
            room.sidecars.write(key, (version, *self._replaced()))
            self._draft.move_to(target)
            room.places.settle(key, target)
        return StoredObject(room.name, key, version)

    def close(self) -> None:
        """Drop what was not committed."""
        self._draft.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Drop what was not committed."""
        self.close()

    def _replaced(self) -> tuple[Version, ...]:
        """Return the version of the file that is about to be replaced: it may still be read."""
        path = self._room.places.find(self._key)
        try:
            stat = path and path.stat()
        except FileNotFoundError:  # removed by hand just now
            return ()
        version = stat and fitting(self._room.sidecars.read(self._key), stat)
        return (version,) if version else ()

    def _stamped(self) -> tuple[int, int]:
        """Give the draft a time that no known version of its size has; return size and time."""
        stat = self._draft.finish()
        known = self._room.sidecars.read(self._key)
        now = time.time_ns()
        for step in _STEPS_NS:  # file systems keep time in steps of 1 ns to 2 s
            os.utime(self._draft.path, ns=(now + step, now + step))
            stat = self._draft.finish()
            if fitting(known, stat) is None:
                break
        return stat.st_size, stat.st_mtime_ns
