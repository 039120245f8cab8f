"""GetObject and HeadObject."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from datetime import datetime
from typing import Any

from sagelet.artifacts.disk import CHUNK_BYTES
from sagelet.artifacts.objects import Buckets
from sagelet.artifacts.stored import StoredObject
from sagelet.buckets.bodies import once, pieces
from sagelet.buckets.conditions import ReadConditions
from sagelet.buckets.exchange import Document, S3Answer, S3Request, object_members
from sagelet.buckets.ranges import Stretch, stretch_of
from sagelet.domain.clock import Clock
from sagelet.wire.faults import Fault
from sagelet.wire.timestamps import write_text

_NOT_MODIFIED = 304
_PARTIAL = 206
_KEPT_WHEN_NOT_MODIFIED = ("ETag", "LastModified", "CacheControl", "Expires")
_OVERRIDES = {
    "ResponseCacheControl": "CacheControl",
    "ResponseContentDisposition": "ContentDisposition",
    "ResponseContentEncoding": "ContentEncoding",
    "ResponseContentLanguage": "ContentLanguage",
    "ResponseContentType": "ContentType",
    "ResponseExpires": "Expires",
}


class ReadOperations:
    """Objects on their way out."""

    def __init__(self, buckets: Buckets, clock: Clock) -> None:
        """Use these buckets."""
        self._buckets = buckets
        self._clock = clock

    async def get_object(self, request: S3Request) -> S3Answer:
        """Answer GetObject; what fits into one piece is read at once."""
        return await asyncio.to_thread(self._get, request)

    def head_object(self, request: S3Request) -> S3Answer:
        """Answer HeadObject."""
        check_version(request)
        return self._describe(request, self._buckets.head(request.bucket, request.key))[0]

    def _get(self, request: S3Request) -> S3Answer:
        check_version(request)
        with ExitStack() as closing:
            opened = closing.enter_context(self._buckets.open(request.bucket, request.key))
            answer, stretch = self._describe(request, opened.stored)
            if stretch.length > CHUNK_BYTES:
                closing.pop_all()  # the stream closes the file
                stream = pieces(opened.file, stretch.start, stretch.length)
                return S3Answer(answer.document, answer.status, stream)
            opened.file.seek(stretch.start)
            data = opened.file.read(stretch.length)
        return S3Answer(answer.document, answer.status, once(data))

    def _describe(self, request: S3Request, stored: StoredObject) -> tuple[S3Answer, Stretch]:
        document = request.document
        is_news = ReadConditions.of(document).check(stored, self._clock.now())
        if not is_news:
            members = object_members(stored, with_checksum=False)
            kept = {name: members[name] for name in _KEPT_WHEN_NOT_MODIFIED}
            return S3Answer(kept, _NOT_MODIFIED), Stretch(0, 0, 0)
        stretch = stretch_of(document, stored)
        wants_checksum = document.get("ChecksumMode") == "ENABLED" and stretch.is_whole
        members = object_members(stored, with_checksum=wants_checksum) | _overrides(document)
        members["ContentLength"] = stretch.length
        if document.get("PartNumber") is not None and stored.version.part_sizes:
            members["PartsCount"] = len(stored.version.part_sizes)
        if stretch.is_whole:
            return S3Answer(members), stretch
        members["ContentRange"] = stretch.content_range
        return S3Answer(members, _PARTIAL), stretch


def check_version(request: S3Request) -> None:
    """Raise NoSuchVersion for any version but the only one."""
    version = request.document.get("VersionId")
    if version not in (None, "", "null"):
        raise Fault(
            "NoSuchVersion",
            404,
            "The specified version does not exist.",
            {"Key": request.key, "VersionId": str(version)[:200]},
        )


def _overrides(document: Document) -> Document:
    """Return the headers that a request wants in place of the stored ones."""
    asked = {name: document[member] for member, name in _OVERRIDES.items() if member in document}
    return {name: _header(value) for name, value in asked.items()}


def _header(value: Any) -> str:  # noqa: ANN401  text, or the timestamp that the model makes of it
    return write_text(value, "rfc822") if isinstance(value, datetime) else str(value)
