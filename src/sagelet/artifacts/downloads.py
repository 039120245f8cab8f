"""Objects of a far store, on this machine: fetched in parallel, whole or not at all, and kept.

    <root>/objects/<hash>-<name>   an object's bytes, by its bucket, key, ETag and size
    <root>/drafts/                 what is being fetched

A file that is kept is never written to again, so that views may be made of hard links to it; that
also tells when it was last used. Beyond a limit those go that were not used for longest.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from sagelet.artifacts.disk import FOLDER_MODE, Draft, disk_errors, sweep
from sagelet.artifacts.object_store import FoundObject
from sagelet.errors import KeyNotFound, RemoteUnreachable

LIMIT_BYTES = 50 * 2**30
PIECE_BYTES = 16 * 2**20
TRIES = 3
TOLD_FROM_BYTES = 64 * 2**20
_NAME_CHARACTERS = 40
_OBJECTS_AT_ONCE = 8
_PIECES_AT_ONCE = 8
_TELL_EACH_S = 5.0


class Changed(Exception):
    """The object is another one by now."""


class Cancelled(Exception):
    """Nobody waits for the object any longer."""


class FarStore(Protocol):
    """Reads objects that are not on this machine. Any thread may ask."""

    def look(self, bucket: str, key: str) -> FoundObject:
        """Return an object's size and ETag; KeyNotFound where there is none."""
        ...

    def read(self, found: FoundObject, first: int, last: int) -> Iterator[bytes]:
        """Yield the bytes from the first to the last (which is one of them), in pieces.

        Raises:
            Changed: it is another object by now.
            KeyNotFound: it is gone.
            RemoteUnreachable: the connection broke; another try may do.
            RemoteError: it was refused.
        """
        ...


class Downloads:
    """Fetches objects, and keeps them. `tell` hears how far the large ones are."""

    def __init__(
        self,
        root: Path,
        far: FarStore,
        *,
        tell: Callable[[str], None],
        limit_bytes: int = LIMIT_BYTES,
        pause_s: float = 1.0,
    ) -> None:
        """Make the folders, and sweep what a dead process has left."""
        self._objects, self._drafts = root / "objects", root / "drafts"
        for folder in (self._objects, self._drafts):
            folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        sweep(self._drafts)
        self._far = far
        self._tell = tell
        self._limit_bytes = limit_bytes
        self._pause_s = pause_s
        self._fetched_bytes = 0
        self._counting = threading.Lock()

    def fetch(self, found: Iterable[FoundObject]) -> Iterator[tuple[FoundObject, Path]]:
        """Yield objects with their files as they come; those that are gone are left out.

        Raises:
            RemoteError: one could not be fetched, after three tries.
            DiskFull: there is no space.
        """
        wanted = list(found)
        if not wanted:
            return
        cancelled = threading.Event()
        before = self._fetched_bytes
        with (
            ThreadPoolExecutor(_PIECES_AT_ONCE, "s3-piece") as pieces,
            ThreadPoolExecutor(_OBJECTS_AT_ONCE, "s3-object") as objects,
        ):
            courier = _Courier(self._far, pieces, cancelled, self._count, self._pause_s)
            try:
                futures = {objects.submit(self._place_of, each, courier): each for each in wanted}
                for future in self._as_they_come(futures, wanted, before):
                    path = future.result()
                    if path is not None:
                        yield futures[future], path
            finally:
                cancelled.set()
                objects.shutdown(wait=False, cancel_futures=True)
                pieces.shutdown(wait=False, cancel_futures=True)
        self._make_room()

    def _as_they_come(
        self, futures: Iterable[Future[Path | None]], wanted: list[FoundObject], before: int
    ) -> Iterator[Future[Path | None]]:
        """Yield what is done; tell, every few seconds, how far the rest is."""
        total = sum(max(each.size_bytes, 0) for each in wanted)
        is_large = total >= TOLD_FROM_BYTES
        began = told_at = time.monotonic()
        left = set(futures)
        while left:
            done, left = wait(left, timeout=_TELL_EACH_S, return_when=FIRST_COMPLETED)
            if is_large and time.monotonic() - told_at >= _TELL_EACH_S:
                told_at = time.monotonic()
                come = (self._fetched_bytes - before) / 2**20
                self._tell(f"Downloading from S3: {come:.0f} MB of {total / 2**20:.0f} MB")
            yield from done
        come = (self._fetched_bytes - before) / 2**20
        if is_large and come:
            self._tell(f"Downloaded {come:.0f} MB from S3 in {time.monotonic() - began:.1f} s")

    def _count(self, size_bytes: int) -> None:
        with self._counting:
            self._fetched_bytes += size_bytes

    def _place_of(self, found: FoundObject, courier: _Courier) -> Path | None:
        """Return the file of an object, fetched unless it is here; None where it is gone."""
        for _ in range(TRIES):
            try:
                known = found if found.etag else self._far.look(found.bucket, found.key)
                return self._kept(known) or self._fetch(known, courier)
            except KeyNotFound:
                return None
            except Changed:
                found = FoundObject(found.bucket, found.key)
        raise RemoteUnreachable(
            address=f"s3://{found.bucket}/{found.key}", reason="it changes all the time"
        )

    def _kept(self, found: FoundObject) -> Path | None:
        """Return the file of an object that is here, and note that it is used."""
        place = self._place(found)
        try:
            if place.stat().st_size != found.size_bytes:
                return None
            place.chmod(0o600)  # which sets the time by which `_make_room` goes
        except FileNotFoundError:
            return None
        return place

    def _fetch(self, found: FoundObject, courier: _Courier) -> Path:
        place = self._place(found)
        draft = Draft(self._drafts)
        try:
            with disk_errors(self._drafts):
                courier.bring(found, draft.file.fileno())
            draft.move_to(place)
        finally:
            draft.close()
        return place

    def _place(self, found: FoundObject) -> Path:
        said = "\n".join((found.bucket, found.key, found.etag, str(found.size_bytes)))
        # The end of the key tells what kind of file it is, and names it in errors.
        name = found.key.rpartition("/")[2].replace("\0", "")[-_NAME_CHARACTERS:]
        return self._objects / f"{hashlib.sha256(said.encode()).hexdigest()[:40]}-{name}"

    def _make_room(self) -> None:
        """Remove what was not used for longest; what a job's view shows is no use to remove."""
        kept = [(path, path.stat()) for path in self._objects.iterdir()]
        beyond = sum(stat.st_size for _, stat in kept) - self._limit_bytes
        for path, stat in sorted(kept, key=lambda each: each[1].st_ctime_ns):
            if beyond <= 0:
                return
            if stat.st_nlink == 1:
                with suppress(FileNotFoundError):
                    path.unlink()
                beyond -= stat.st_size


def remove_unused(root: Path, *, before: float) -> int:
    """Remove downloads that were last used before a time (as `time.time` has it); how many."""
    removed = 0
    for path in (root / "objects").glob("*"):
        with suppress(FileNotFoundError):
            if path.stat().st_ctime < before:
                path.unlink()
                removed += 1
    return removed


class _Courier:
    """Brings one object after another, in pieces, several at a time."""

    def __init__(
        self,
        far: FarStore,
        pool: ThreadPoolExecutor,
        cancelled: threading.Event,
        count: Callable[[int], None],
        pause_s: float,
    ) -> None:
        self._far = far
        self._pool = pool
        self._cancelled = cancelled
        self._count = count
        self._pause_s = pause_s

    def bring(self, found: FoundObject, descriptor: int) -> None:
        """Write an object into an open file."""
        os.ftruncate(descriptor, found.size_bytes)
        starts = range(0, found.size_bytes, PIECE_BYTES)
        if len(starts) == 1:
            self._bring_piece(found, descriptor, 0)
            return
        pieces = [self._pool.submit(self._bring_piece, found, descriptor, at) for at in starts]
        try:
            for piece in pieces:
                piece.result()
        except BaseException:
            for piece in pieces:
                piece.cancel()
            wait(pieces)  # none may write once the descriptor is another file's
            raise

    def _bring_piece(self, found: FoundObject, descriptor: int, start: int) -> None:
        """Write one piece; after a broken connection it goes on where that one was."""
        at, last = start, min(start + PIECE_BYTES, found.size_bytes) - 1
        for tries_left in reversed(range(TRIES)):
            try:
                for data in self._far.read(found, at, last):
                    if self._cancelled.is_set():
                        raise Cancelled
                    os.pwrite(descriptor, data, at)
                    at += len(data)
                    self._count(len(data))
                if at <= last:
                    raise RemoteUnreachable(
                        address=f"s3://{found.bucket}/{found.key}", reason="it ended too early"
                    )
            except RemoteUnreachable:
                if not tries_left or self._cancelled.wait(self._pause_s):
                    raise
            else:
                return
