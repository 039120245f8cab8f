"""CopyObject and UploadPartCopy: from one key to another, within the daemon."""

from __future__ import annotations

from urllib.parse import unquote

from sagelet.artifacts.disk import CHUNK_BYTES
from sagelet.artifacts.objects import Buckets
from sagelet.artifacts.rooms import OpenObject
from sagelet.artifacts.stored import Checksum, ObjectMeta, StoredObject
from sagelet.artifacts.uploads import PartWriter
from sagelet.artifacts.writing import ObjectWriter
from sagelet.buckets.claims import algorithm_of
from sagelet.buckets.conditions import ReadConditions, failed, write_check
from sagelet.buckets.exchange import (
    CHECKSUM_MEMBERS,
    Document,
    S3Answer,
    S3Request,
    checked_key,
    checksum_members,
    meta_of,
    quoted,
)
from sagelet.buckets.multipart import part_number
from sagelet.buckets.ranges import Stretch, copied_stretch
from sagelet.domain.clock import Clock
from sagelet.wire.faults import Fault


class CopyOperations:
    """Copies. Every method blocks, for as long as the copy takes."""

    def __init__(self, buckets: Buckets, clock: Clock) -> None:
        """Use these buckets."""
        self._buckets = buckets
        self._clock = clock

    def copy_object(self, request: S3Request) -> S3Answer:
        """Answer CopyObject."""
        document = request.document
        with self._source(request) as source:
            stored = source.stored
            meta = _meta(request, stored)
            algorithm = algorithm_of(request.text("ChecksumAlgorithm"))
            if not algorithm and stored.version.checksum:
                algorithm = stored.version.checksum.algorithm
            algorithms = (algorithm,) if algorithm else ()
            target = self._buckets.writer(request.bucket, request.key, meta, algorithms)
            with target as writer:
                _copy(source, Stretch(0, stored.size_bytes, stored.size_bytes), writer)
                checksum = (
                    Checksum(algorithm, writer.digests.base64(algorithm)) if algorithm else None
                )
                made = writer.commit(check=write_check(document), checksum=checksum)
        result = {"ETag": quoted(made.etag), "LastModified": made.modified}
        return S3Answer({"CopyObjectResult": result | checksum_members(checksum)})

    def upload_part_copy(self, request: S3Request) -> S3Answer:
        """Answer UploadPartCopy."""
        uploads = self._buckets.uploads(request.bucket)
        upload = uploads.get(request.text("UploadId"), request.key)
        number = part_number(request)
        with self._source(request) as source:
            size = source.stored.size_bytes
            asked = request.document.get("CopySourceRange")
            stretch = Stretch(0, size, size) if asked is None else copied_stretch(asked, size)
            with uploads.part_writer(upload, number) as writer:
                _copy(source, stretch, writer)
                part = writer.commit()
        result: Document = {"ETag": quoted(part.etag), "LastModified": part.modified}
        if upload.algorithm:
            result[CHECKSUM_MEMBERS[upload.algorithm]] = part.checksum
        return S3Answer({"CopyPartResult": result})

    def _source(self, request: S3Request) -> OpenObject:
        bucket, key = _source_of(request.text("CopySource"))
        opened = self._buckets.open(bucket, key)
        try:
            conditions = ReadConditions.of(request.document, "CopySource")
            if not conditions.check(opened.stored, self._clock.now()):
                raise failed("x-amz-copy-source-If-None-Match")
        except Fault:
            opened.file.close()
            raise
        return opened


def _source_of(text: str) -> tuple[str, str]:
    """Read `x-amz-copy-source`: bucket and key, percent-encoded, perhaps with a version."""
    place, _, version = text.partition("?versionId=")
    bucket, _, key = unquote(place).removeprefix("/").partition("/")
    if not bucket or not key:
        raise Fault(
            "InvalidArgument",
            400,
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
            {"ArgumentName": "x-amz-copy-source", "ArgumentValue": text[:200]},
        )
    if version not in ("", "null"):
        raise Fault("NoSuchVersion", 404, "The specified version does not exist.", {"Key": key})
    return bucket, checked_key(key)


def _meta(request: S3Request, source: StoredObject) -> ObjectMeta:
    """Return the metadata of the copy: the source's, unless the request brings its own."""
    directive = request.text("MetadataDirective") or "COPY"
    if directive not in ("COPY", "REPLACE"):
        raise Fault("InvalidArgument", 400, "Unknown metadata directive.")
    if directive == "REPLACE":
        return meta_of(request.document)
    if (source.bucket, source.key) == (request.bucket, request.key):
        raise Fault(
            "InvalidRequest",
            400,
            "This copy request is illegal because it is trying to copy an object to itself "
            "without changing the object's metadata, storage class, website redirect location "
            "or encryption attributes.",
        )
    return source.meta


def _copy(source: OpenObject, stretch: Stretch, writer: ObjectWriter | PartWriter) -> None:
    source.file.seek(stretch.start)
    left = stretch.length
    while left and (piece := source.file.read(min(CHUNK_BYTES, left))):
        writer.write(piece)
        left -= len(piece)
