"""Multipart uploads over S3's protocol."""

from __future__ import annotations

import asyncio
from functools import partial

from sagelet.artifacts.objects import Buckets
from sagelet.artifacts.stored import Checksum
from sagelet.artifacts.uploads import COMPOSITE, Part, PartWriter
from sagelet.buckets.bodies import IncomingBody, drafting
from sagelet.buckets.claims import Claims, algorithm_of
from sagelet.buckets.exchange import (
    CHECKSUM_MEMBERS,
    S3Answer,
    S3Request,
    checksum_members,
    meta_of,
    quoted,
)
from sagelet.wire.faults import Fault

FULL_OBJECT = "FULL_OBJECT"
_MOST_PARTS = 10_000
_ONLY_FULL = {"crc64nvme"}
_ONLY_COMPOSITE = {"sha1", "sha256", "sha512", "md5"}


class MultipartOperations:
    """Objects that come in parts."""

    def __init__(self, buckets: Buckets) -> None:
        """Use these buckets."""
        self._buckets = buckets

    def create_multipart_upload(self, request: S3Request) -> S3Answer:
        """Answer CreateMultipartUpload."""
        document = request.document
        algorithm = algorithm_of(request.text("ChecksumAlgorithm"))
        kind = _kind(algorithm, request.text("ChecksumType"))
        upload = self._buckets.uploads(request.bucket).begin(
            request.key, meta_of(document), algorithm=algorithm, kind=kind
        )
        return S3Answer(
            {
                "Bucket": request.bucket,
                "Key": request.key,
                "UploadId": upload.id,
                "ChecksumAlgorithm": algorithm.upper() or None,
                "ChecksumType": kind if algorithm else None,
            }
        )

    async def upload_part(self, request: S3Request) -> S3Answer:
        """Answer UploadPart."""
        claims = Claims.of(request.head)
        body = IncomingBody(request.head, request.body)
        async with drafting(partial(self._part_writer, request, claims)) as writer:
            rest = await body.into(writer)
            part, checksum = await asyncio.to_thread(_finish, writer, rest, claims, body)
        members = checksum_members(checksum)
        if writer.upload.algorithm:
            members = {CHECKSUM_MEMBERS[writer.upload.algorithm]: part.checksum}
        return S3Answer({"ETag": quoted(part.etag), **members})

    def _part_writer(self, request: S3Request, claims: Claims) -> PartWriter:
        number = part_number(request)
        uploads = self._buckets.uploads(request.bucket)
        upload = uploads.get(request.text("UploadId"), request.key)
        if upload.algorithm and claims.algorithm not in ("", upload.algorithm):
            raise Fault(
                "InvalidRequest",
                400,
                f"Checksum Type mismatch occurred, expected checksum Type: {upload.algorithm}, "
                f"actual checksum Type: {claims.algorithm}",
            )
        return uploads.part_writer(upload, number, claims.algorithms)

    def abort_multipart_upload(self, request: S3Request) -> S3Answer:
        """Answer AbortMultipartUpload."""
        uploads = self._buckets.uploads(request.bucket)
        uploads.abort(uploads.get(request.text("UploadId"), request.key))
        return S3Answer(status=204)


def part_number(request: S3Request) -> int:
    """Return the number of a part: 1 to 10,000."""
    number = request.document.get("PartNumber")
    if number is None or not 1 <= number <= _MOST_PARTS:
        raise Fault(
            "InvalidArgument",
            400,
            f"Part number must be an integer between 1 and {_MOST_PARTS}, inclusive",
            {"ArgumentName": "partNumber", "ArgumentValue": number},
        )
    return int(number)


def _kind(algorithm: str, asked: str) -> str:
    """Return the type of an upload's checksum: each algorithm has a usual one."""
    kind = asked or (FULL_OBJECT if algorithm in _ONLY_FULL else COMPOSITE)
    wrong = (kind == COMPOSITE and algorithm in _ONLY_FULL) or (
        kind == FULL_OBJECT and algorithm in _ONLY_COMPOSITE
    )
    if wrong or kind not in (COMPOSITE, FULL_OBJECT) or (asked and not algorithm):
        raise Fault(
            "InvalidRequest",
            400,
            f"The {kind[:40]} checksum type cannot be used with the "
            f"{algorithm or 'missing'} checksum algorithm.",
        )
    return kind


def _finish(
    writer: PartWriter, rest: bytes, claims: Claims, body: IncomingBody
) -> tuple[Part, Checksum | None]:
    writer.write(rest)
    checksum = claims.check(writer.digests, body.trailers)
    return writer.commit(), checksum
