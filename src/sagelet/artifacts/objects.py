"""Buckets on disk: `<root>/<bucket>/<key>` is a plain file that a person can open, add or edit.

    <root>/<bucket>/…              objects (names: see `keys` and `places`)
    <root>/.meta/<bucket>/         bucket.json, objects/ (side-cars), uploads/ (multipart)
    <root>/.meta/drafts/           files that are being written
    <root>/.meta/locks/<bucket>    held for as long as it takes to move a finished file into place

Several threads and processes may use the same root. Readers take no lock: a file that they opened
stays whole while another takes its name. Writes are whole or do not happen; they survive the end of
the process, and are not forced to the disk, so a power cut may lose the last seconds.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from sagelet.artifacts.checksums import MD5, Digests
from sagelet.artifacts.disk import CHUNK_BYTES, FOLDER_MODE, disk_errors, sweep, write_whole
from sagelet.artifacts.keys import is_bucket_name, is_key
from sagelet.artifacts.object_store import FoundObject
from sagelet.artifacts.places import Places, folds_case, is_file
from sagelet.artifacts.rooms import Check, OpenObject, Room
from sagelet.artifacts.stored import Bucket, Listing, ObjectMeta, StoredObject
from sagelet.artifacts.uploads import Uploads
from sagelet.artifacts.walking import (
    LAST,
    FoundKey,
    FoundPrefix,
    Query,
    folder_names,
    folder_of,
    walk,
)
from sagelet.artifacts.writing import ObjectWriter
from sagelet.errors import (
    AlreadyExists,
    BucketNotEmpty,
    BucketNotFound,
    InvalidRequest,
    KeyNotFound,
)

DEFAULT_REGION = "us-east-1"


class Buckets:
    """Buckets and their objects."""

    def __init__(self, root: Path) -> None:
        """Use a folder, made where it is missing."""
        self.root = root
        self._meta = root / ".meta"
        self._drafts = self._meta / "drafts"
        self._locks = self._meta / "locks"
        root.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        for folder in (self._meta, self._drafts, self._locks):
            folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
        self._folds_case = folds_case(self._meta)

    def sweep(self) -> int:
        """Remove what dead processes left half-written; return the number of files."""
        return sweep(self._drafts)

    # Buckets.

    def create_bucket(self, name: str, region: str = DEFAULT_REGION) -> Bucket:
        """Make an empty bucket; AlreadyExists where there is one of that name."""
        if not is_bucket_name(name):
            raise InvalidRequest(f"{name!r} is not a valid bucket name.")
        room = self._room(name)
        now = time.time()
        with room.locked(), disk_errors(self.root):
            if room.places.folder([]) is not None:
                raise AlreadyExists(kind="bucket", name=name)
            room.meta.mkdir(mode=FOLDER_MODE, exist_ok=True)
            facts = json.dumps({"created": now, "region": region}).encode()
            write_whole(room.meta / "bucket.json", facts, self._drafts)
            try:
                room.places.root.mkdir(mode=FOLDER_MODE)
            except FileExistsError as error:  # a file or a link, which is no bucket
                raise AlreadyExists(kind="bucket", name=name) from error
        return Bucket(name, datetime.fromtimestamp(now, UTC), region)

    def head_bucket(self, name: str) -> Bucket:
        """Return a bucket; a folder that was made by hand is one too."""
        room = self._existing(name)
        try:
            facts = json.loads((room.meta / "bucket.json").read_bytes())
            created, region = float(facts["created"]), str(facts["region"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            created, region = room.places.root.stat().st_mtime, DEFAULT_REGION
        return Bucket(name, datetime.fromtimestamp(created, UTC), region)

    def list_buckets(self) -> tuple[Bucket, ...]:
        """Return all buckets by name."""
        found = []
        for path in sorted(self.root.iterdir()):
            with suppress(BucketNotFound):
                found.append(self.head_bucket(path.name))
        return tuple(found)

    def delete_bucket(self, name: str) -> None:
        """Remove an empty bucket and its unfinished uploads; BucketNotEmpty if it holds files."""
        room = self._existing(name)
        with room.locked():
            try:
                _remove_empty(room.places.root)
            except OSError as error:
                raise BucketNotEmpty(name=name) from error
            shutil.rmtree(room.meta, ignore_errors=True)

    # Objects.

    def writer(
        self, bucket: str, key: str, meta: ObjectMeta | None = None, algorithms: Sequence[str] = ()
    ) -> ObjectWriter:
        """Begin an object: `with` it, write, and commit; nothing is visible before that.

        `algorithms` are computed besides the MD5 (see `checksums.ALGORITHMS`).
        """
        if not is_key(key):
            raise InvalidRequest("A key has 1 to 1024 bytes of UTF-8.")
        digests = Digests((MD5, *algorithms))
        return ObjectWriter(self._existing(bucket), key, meta or ObjectMeta(), digests)

    def put(
        self, bucket: str, key: str, source: BinaryIO | Path, meta: ObjectMeta | None = None
    ) -> StoredObject:
        """Store a file, or what is left to read of an open one."""
        if isinstance(source, Path):
            with source.open("rb") as file:
                return self.put(bucket, key, file, meta)
        with self.writer(bucket, key, meta) as writer:
            while piece := source.read(CHUNK_BYTES):
                writer.write(piece)
            return writer.commit()

    def open(self, bucket: str, key: str) -> OpenObject:
        """Open an object for reading; KeyNotFound where there is none."""
        return self._existing(bucket).open(key)

    def head(self, bucket: str, key: str) -> StoredObject:
        """Return what is known of an object; KeyNotFound where there is none."""
        with self.open(bucket, key) as opened:
            return opened.stored

    def path(self, bucket: str, key: str) -> Path:
        """Return the file that holds an object; KeyNotFound where there is none."""
        return self._existing(bucket).path(key)

    def folder(self, bucket: str, prefix: str) -> Path | None:
        """Return the folder of the keys with a prefix that is empty or ends with `/`, if any."""
        return self._existing(bucket).places.folder(folder_names(prefix))

    def delete(self, bucket: str, key: str, *, check: Check | None = None) -> bool:
        """Remove an object; False where there is none."""
        room = self._existing(bucket)
        with room.locked():
            if check is not None:
                check(room.current(key))
            removed = room.places.remove(key)
            room.sidecars.remove(key)
        return removed

    def list(
        self, bucket: str, prefix: str = "", delimiter: str = "", after: str = "", limit: int = 1000
    ) -> Listing:
        """Return a page of keys and common prefixes, at most `limit` of both together."""
        room = self._existing(bucket)
        at = folder_of(prefix)
        query = Query(prefix, after, delimiter)
        objects: list[StoredObject] = []
        prefixes: list[str] = []
        last = resume = ""
        for found in walk(room.places.folder(folder_names(at)), at, query):
            if len(objects) + len(prefixes) >= limit:
                return Listing(tuple(objects), tuple(prefixes), resume, last)
            match found:
                case FoundPrefix(prefix=last):
                    prefixes.append(last)
                    resume = last + LAST
                case FoundKey(key=key):
                    with suppress(KeyNotFound), room.open(key) as opened:
                        objects.append(opened.stored)
                        last = resume = key
        return Listing(tuple(objects), tuple(prefixes))

    def has_bucket(self, bucket: str) -> bool:
        """Tell whether a bucket is there."""
        try:
            self._existing(bucket)
        except BucketNotFound:
            return False
        return True

    def has_key(self, bucket: str, key: str) -> bool:
        """Tell whether an object is there."""
        return self._existing(bucket).places.find(key) is not None

    def find(self, bucket: str, prefix: str) -> Iterator[FoundObject]:
        """Yield all keys with a prefix and their files, in order, without a look at what they are.

        `list` opens each file and reads its side-car; a job with 100,000 inputs needs neither.
        """
        at = folder_of(prefix)
        folder = self._existing(bucket).places.folder(folder_names(at))
        for found in walk(folder, at, Query(prefix)):
            if isinstance(found, FoundKey):
                yield FoundObject(bucket, found.key, found.path)

    def fetch(self, found: Iterable[FoundObject]) -> Iterator[tuple[FoundObject, Path]]:
        """Yield found objects with the files that are theirs now; without those that are gone."""
        for each in found:
            if each.path is not None and is_file(each.path):
                yield each, each.path
                continue
            with suppress(KeyNotFound):
                yield each, self.path(each.bucket, each.key)

    def uploads(self, bucket: str) -> Uploads:
        """Return the multipart uploads of a bucket."""
        return Uploads(self._existing(bucket))

    def _room(self, name: str) -> Room:
        places = Places(self.root / name, folds_case=self._folds_case)
        return Room(name, places, self._meta / name, self._drafts, self._locks / name)

    def _existing(self, name: str) -> Room:
        """Return an existing bucket; what could not be a bucket's name never becomes a path."""
        if not is_bucket_name(name):
            raise BucketNotFound(name=name)
        room = self._room(name)
        room.check_exists()
        return room


def _remove_empty(folder: Path) -> None:
    """Remove a folder that holds nothing but folders; OSError, and nothing lost, otherwise."""
    for path in folder.iterdir():
        if path.is_symlink() or not path.is_dir():
            raise FileExistsError(path)
        _remove_empty(path)
    folder.rmdir()
