"""CompleteMultipartUpload: parts become one object, if they are what the request says."""

from __future__ import annotations

from urllib.parse import quote

from sagelet.artifacts.objects import Buckets
from sagelet.artifacts.stored import Checksum, StoredObject
from sagelet.artifacts.uploads import Part, Upload
from sagelet.buckets.claims import Claims, bad_checksum
from sagelet.buckets.conditions import write_check
from sagelet.buckets.exchange import (
    CHECKSUM_MEMBERS,
    Document,
    S3Answer,
    S3Request,
    checksum_members,
    quoted,
)
from sagelet.errors import KeyNotFound, UploadNotFound
from sagelet.wire.faults import Fault

LEAST_PART_BYTES = 5 << 20


class CompleteOperation:
    """The end of a multipart upload. It blocks for as long as the parts take to be copied."""

    def __init__(self, buckets: Buckets) -> None:
        """Use these buckets."""
        self._buckets = buckets

    def complete_multipart_upload(self, request: S3Request) -> S3Answer:
        """Answer CompleteMultipartUpload; one that was completed before is answered again."""
        uploads = self._buckets.uploads(request.bucket)
        try:
            upload = uploads.get(request.text("UploadId"), request.key)
        except UploadNotFound:
            return _completed(request, self._finished(request))
        listed = (request.document.get("MultipartUpload") or {}).get("Parts") or []
        chosen = _chosen(listed, uploads.parts(upload), upload)
        size = request.document.get("MpuObjectSize")
        if size is not None and size != sum(part.size_bytes for part in chosen):
            raise Fault("InvalidRequest", 400, "The provided 'x-amz-mp-object-size' is not right.")
        expected = Claims.of(request.head)

        def judge(checksum: Checksum | None) -> None:
            made = (checksum.algorithm, checksum.value.partition("-")[0]) if checksum else ("", "")
            if expected.algorithm and made != (expected.algorithm, expected.value):
                raise bad_checksum(expected.algorithm)

        stored = uploads.complete(upload, chosen, check=write_check(request.document), judge=judge)
        return _completed(request, stored)

    def _finished(self, request: S3Request) -> StoredObject:
        try:
            stored = self._buckets.head(request.bucket, request.key)
        except KeyNotFound:
            raise UploadNotFound(name=request.text("UploadId")) from None
        if stored.version.upload_id != request.text("UploadId"):
            raise UploadNotFound(name=request.text("UploadId"))
        return stored


def _chosen(listed: list[Document], stored: list[Part], upload: Upload) -> list[Part]:
    """Return the parts that a request lists, if they are as it says."""
    numbers = [int(one["PartNumber"]) for one in listed if one.get("PartNumber") is not None]
    if not listed or len(numbers) < len(listed):
        raise Fault(
            "MalformedXML",
            400,
            "The XML you provided was not well-formed or did not validate against our published "
            "schema",
        )
    if numbers != sorted(set(numbers)):
        raise Fault(
            "InvalidPartOrder",
            400,
            "The list of parts was not in ascending order. Parts must be ordered by part number.",
        )
    by_number = {part.number: part for part in stored}
    chosen = [_as_listed(one, by_number.get(one["PartNumber"]), upload) for one in listed]
    for part in chosen[:-1]:
        if part.size_bytes < LEAST_PART_BYTES:
            raise Fault(
                "EntityTooSmall",
                400,
                "Your proposed upload is smaller than the minimum allowed size",
                {
                    "ProposedSize": part.size_bytes,
                    "MinSizeAllowed": LEAST_PART_BYTES,
                    "PartNumber": part.number,
                    "ETag": part.etag,
                },
            )
    return chosen


def _as_listed(one: Document, part: Part | None, upload: Upload) -> Part:
    etag = str(one.get("ETag") or "").strip('"')
    claimed = one.get(CHECKSUM_MEMBERS[upload.algorithm]) if upload.algorithm else None
    if part is None or part.etag != etag or claimed not in (None, part.checksum):
        raise Fault(
            "InvalidPart",
            400,
            "One or more of the specified parts could not be found.  The part may not have been "
            "uploaded, or the specified entity tag may not match the part's entity tag.",
            {"UploadId": upload.id, "PartNumber": one["PartNumber"], "ETag": etag},
        )
    return part


def _completed(request: S3Request, stored: StoredObject) -> S3Answer:
    host = request.head.headers.get("host", "")
    return S3Answer(
        {
            "Location": f"http://{host}/{request.bucket}/{quote(request.key)}",
            "Bucket": request.bucket,
            "Key": request.key,
            "ETag": quoted(stored.etag),
            **checksum_members(stored.version.checksum),
        }
    )
