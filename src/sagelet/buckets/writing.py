"""PutObject, DeleteObject and DeleteObjects."""

from __future__ import annotations

import asyncio
from functools import partial

from sagelet.artifacts.keys import is_key
from sagelet.artifacts.objects import Buckets
from sagelet.artifacts.stored import StoredObject
from sagelet.artifacts.writing import ObjectWriter
from sagelet.buckets.bodies import IncomingBody, drafting
from sagelet.buckets.claims import Claims
from sagelet.buckets.conditions import Check, write_check
from sagelet.buckets.exchange import (
    Document,
    S3Answer,
    S3Request,
    checksum_members,
    meta_of,
    quoted,
)
from sagelet.buckets.reading import check_version
from sagelet.errors import KeyNotFound
from sagelet.wire.faults import Fault

_MOST_DELETES = 1000


class WriteOperations:
    """Objects on their way in, and out of existence."""

    def __init__(self, buckets: Buckets) -> None:
        """Use these buckets."""
        self._buckets = buckets

    async def put_object(self, request: S3Request) -> S3Answer:
        """Answer PutObject: nothing is visible before the whole body has come and is right."""
        claims = Claims.of(request.head)
        body = IncomingBody(request.head, request.body)
        meta, check = meta_of(request.document), write_check(request.document)
        make = partial(self._buckets.writer, request.bucket, request.key, meta, claims.algorithms)
        async with drafting(make) as writer:
            rest = await body.into(writer)
            stored = await asyncio.to_thread(_finish, writer, rest, claims, body, check)
        return S3Answer({"ETag": quoted(stored.etag), **checksum_members(stored.version.checksum)})

    def delete_object(self, request: S3Request) -> S3Answer:
        """Answer DeleteObject; to delete what is not there is no error."""
        check_version(request)
        check = write_check(request.document)
        self._buckets.delete(request.bucket, request.key, check=check)
        return S3Answer(status=204)

    def delete_objects(self, request: S3Request) -> S3Answer:
        """Answer DeleteObjects: each key by itself, up to 1000."""
        wanted = request.document.get("Delete") or {}
        objects = wanted.get("Objects") or []
        if not 0 < len(objects) <= _MOST_DELETES or not all(one.get("Key") for one in objects):
            raise Fault(
                "MalformedXML",
                400,
                "The XML you provided was not well-formed or did not validate against our "
                "published schema",
            )
        self._buckets.head_bucket(request.bucket)
        results = [self._delete_one(request.bucket, one) for one in objects]
        deleted = [{"Key": key} for key, error in results if error is None]
        return S3Answer(
            {
                "Deleted": [] if wanted.get("Quiet") else deleted,
                "Errors": [error for _, error in results if error is not None],
            }
        )

    def _delete_one(self, bucket: str, one: Document) -> tuple[str, Document | None]:
        key = str(one["Key"])
        try:
            if not is_key(key):
                raise Fault("KeyTooLongError", 400, "Your key is too long")
            if one.get("VersionId") not in (None, "", "null"):
                raise Fault("NoSuchVersion", 404, "The specified version does not exist.")
            check = write_check({"IfMatch": one.get("ETag"), "Key": key})
            self._buckets.delete(bucket, key, check=check)
        except (Fault, KeyNotFound) as error:
            code = error.code if isinstance(error, Fault) else "NoSuchKey"
            return key, {"Key": key, "Code": code, "Message": str(error)}
        return key, None


def _finish(
    writer: ObjectWriter, rest: bytes, claims: Claims, body: IncomingBody, check: Check | None
) -> StoredObject:
    """Write the last piece, hold the body against what was claimed of it, and make it visible."""
    writer.write(rest)
    checksum = claims.check(writer.digests, body.trailers)
    return writer.commit(check=check, checksum=checksum)
