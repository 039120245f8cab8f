"""Multipart uploads: parts wait under `.meta` until they are put together.

.meta/<bucket>/uploads/<id>/upload.json     key, metadata, when it began
.meta/<bucket>/uploads/<id>/<number>.json   one part: its ETag, size, checksum and file
.meta/<bucket>/uploads/<id>/<random>        the part's bytes
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from sagelet.artifacts.checksums import (
    MD5,
    Digests,
    checksum_of_parts,
    etag_of_parts,
)
from sagelet.artifacts.disk import (
    CHUNK_BYTES,
    FOLDER_MODE,
    Draft,
    disk_errors,
    random_name,
    write_whole,
)
from sagelet.artifacts.keys import is_key
from sagelet.artifacts.rooms import Check, Room
from sagelet.artifacts.stored import Checksum, ObjectMeta, StoredObject
from sagelet.artifacts.writing import ObjectWriter
from sagelet.errors import InvalidRequest, UploadNotFound

COMPOSITE = "COMPOSITE"
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Upload:
    """A multipart upload that was begun. `algorithm` is empty where no checksum was asked for."""

    id: str
    key: str
    begun_s: float
    meta: ObjectMeta = field(default_factory=ObjectMeta)
    algorithm: str = ""
    kind: str = COMPOSITE

    @property
    def begun(self) -> datetime:
        """When it was begun."""
        return datetime.fromtimestamp(self.begun_s, UTC)


@dataclass(frozen=True, slots=True)
class Part:
    """A part that was stored. `checksum` is of the upload's algorithm, `file` a name beside it."""

    number: int
    size_bytes: int
    etag: str
    stored_s: float
    file: str
    checksum: str = ""

    @property
    def modified(self) -> datetime:
        """When it was stored."""
        return datetime.fromtimestamp(self.stored_s, UTC)


class PartWriter:
    """Takes a part's bytes in order. One thread at a time may use it."""

    def __init__(self, room: Room, upload: Upload, number: int, digests: Digests) -> None:
        """Begin with an empty draft."""
        self.digests = digests
        self._room = room
        self.upload = upload
        self._number = number
        self._draft = Draft(room.drafts)

    def write(self, data: bytes) -> None:
        """Add bytes; DiskFull where there is no space for them."""
        self._draft.write(data)
        self.digests.update(data)

    def commit(self) -> Part:
        """Keep the part in place of one of the same number; UploadNotFound if it was aborted."""
        size = self._draft.finish().st_size
        upload = self.upload
        folder = _folder(self._room, upload.id)
        checksum = self.digests.base64(upload.algorithm) if upload.algorithm else ""
        part = Part(self._number, size, self.digests.etag, time.time(), random_name(), checksum)
        record = folder / f"{self._number}.json"
        with self._room.locked():
            if not folder.is_dir():
                raise UploadNotFound(name=upload.id)
            replaced = _read(record)
            self._draft.move_to(folder / part.file)
            write_whole(record, json.dumps(asdict(part)).encode(), self._room.drafts)
            if replaced:
                (folder / replaced["file"]).unlink(missing_ok=True)
        return part

    def close(self) -> None:
        """Drop what was not committed."""
        self._draft.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Drop what was not committed."""
        self.close()


class Uploads:
    """The multipart uploads of one bucket."""

    def __init__(self, room: Room) -> None:
        """Look at a bucket that exists."""
        self._room = room

    def begin(
        self, key: str, meta: ObjectMeta, *, algorithm: str = "", kind: str = COMPOSITE
    ) -> Upload:
        """Begin an upload; each part will have a checksum of the algorithm, where one is named."""
        if not is_key(key):
            raise InvalidRequest("A key has 1 to 1024 bytes of UTF-8.")
        upload = Upload(random_name(), key, time.time(), meta, algorithm, kind)
        folder = _folder(self._room, upload.id)
        with disk_errors(self._room.drafts), self._room.locked():
            self._room.check_exists()
            folder.mkdir(mode=FOLDER_MODE, parents=True)
            record = json.dumps(asdict(upload)).encode()
            write_whole(folder / "upload.json", record, self._room.drafts)
        return upload

    def get(self, upload_id: str, key: str) -> Upload:
        """Return an upload of a key; UploadNotFound where there is none."""
        if _ID.fullmatch(upload_id):
            record = _read(_folder(self._room, upload_id) / "upload.json")
            if record and record["key"] == key:
                return _upload(record)
        raise UploadNotFound(name=upload_id)

    def unfinished(self) -> list[Upload]:
        """Return all uploads, by key and then by when they were begun."""
        folder = self._room.meta / "uploads"
        records = [_read(path) for path in folder.glob("*/upload.json")]
        found = [_upload(record) for record in records if record]
        return sorted(found, key=lambda upload: (upload.key, upload.begun_s, upload.id))

    def part_writer(
        self, upload: Upload, number: int, algorithms: Sequence[str] = ()
    ) -> PartWriter:
        """Begin a part: `with` it, write, and commit."""
        wanted = {MD5, upload.algorithm, *algorithms} - {""}
        return PartWriter(self._room, upload, number, Digests(wanted))

    def parts(self, upload: Upload) -> list[Part]:
        """Return the parts that are stored, by number."""
        records = _folder(self._room, upload.id).glob("[0-9]*.json")
        parts = [Part(**record) for path in records if (record := _read(path))]
        return sorted(parts, key=lambda part: part.number)

    def complete(
        self,
        upload: Upload,
        parts: Sequence[Part],
        *,
        check: Check | None = None,
        judge: Callable[[Checksum | None], None] | None = None,
    ) -> StoredObject:
        """Make these parts, in this order, the object; the upload is gone then.

        `judge` may refuse, by raising, on seeing the checksum of the whole; `check` on seeing what
        is stored under the key. UploadNotFound where the upload was aborted meanwhile.
        """
        folder = _folder(self._room, upload.id)

        def still_there(stored: StoredObject | None) -> None:
            self.get(upload.id, upload.key)
            if check is not None:
                check(stored)

        whole = (upload.algorithm,) if upload.algorithm and upload.kind != COMPOSITE else ()
        with ObjectWriter(self._room, upload.key, upload.meta, Digests(whole)) as writer:
            for part in parts:
                _append(writer, folder / part.file, upload)
            checksum = _checksum(upload, parts, writer.digests)
            if judge is not None:
                judge(checksum)
            stored = writer.commit(
                check=still_there,
                checksum=checksum,
                etag=etag_of_parts([part.etag for part in parts]),
                part_sizes=tuple(part.size_bytes for part in parts),
                upload_id=upload.id,
            )
        self._forget(upload)
        return stored

    def abort(self, upload: Upload) -> None:
        """Drop an upload and its parts."""
        self._forget(upload)

    def _forget(self, upload: Upload) -> None:
        with self._room.locked():
            shutil.rmtree(_folder(self._room, upload.id), ignore_errors=True)


def _append(writer: ObjectWriter, path: Path, upload: Upload) -> None:
    try:
        with path.open("rb") as file:
            while piece := file.read(CHUNK_BYTES):
                writer.write(piece)
    except FileNotFoundError as error:
        raise UploadNotFound(name=upload.id) from error


def _checksum(upload: Upload, parts: Sequence[Part], digests: Digests) -> Checksum | None:
    if not upload.algorithm:
        return None
    if upload.kind == COMPOSITE:
        value = checksum_of_parts(upload.algorithm, [part.checksum for part in parts])
    else:
        value = digests.base64(upload.algorithm)
    return Checksum(upload.algorithm, value, upload.kind)


def _upload(record: dict[str, Any]) -> Upload:
    return Upload(**{**record, "meta": ObjectMeta(**record["meta"])})


def _folder(room: Room, upload_id: str) -> Path:
    return room.meta / "uploads" / upload_id


def _read(record: Path) -> dict[str, Any]:
    """Return a record, or nothing where there is none."""
    try:
        data = json.loads(record.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
