"""S3 over HTTP: one request in, one answer out, both streamed.

    match (by the model) -> parse -> operation, in a thread -> serialize

The gate and the signature are behind a request when it comes here. What a bucket of AWS's has is
never looked for there: a bucket is here or it does not exist.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

from botocore.model import OperationModel

from sagelet import __version__
from sagelet.artifacts.checksums import MD5, Digests
from sagelet.artifacts.objects import Buckets
from sagelet.buckets.bodies import IncomingBody, once
from sagelet.buckets.claims import Claims
from sagelet.buckets.completing import CompleteOperation
from sagelet.buckets.containers import BucketOperations
from sagelet.buckets.copying import CopyOperations
from sagelet.buckets.deviations import REFUSED
from sagelet.buckets.exchange import Document, S3Answer, S3Request
from sagelet.buckets.listings import ListOperations
from sagelet.buckets.multipart import MultipartOperations
from sagelet.buckets.reading import ReadOperations
from sagelet.buckets.refusals import fault_of
from sagelet.buckets.upload_lists import UploadListOperations
from sagelet.buckets.writing import WriteOperations
from sagelet.domain.account import LOCAL_ACCOUNT_ID
from sagelet.domain.clock import Clock
from sagelet.errors import SageletError
from sagelet.wire.faults import Fault
from sagelet.wire.messages import Headers, RequestHead, StreamedResponse
from sagelet.wire.models import service_model
from sagelet.wire.parsing import parse
from sagelet.wire.routing import Protocol, Route, match_rest
from sagelet.wire.serializing import serialize

Blocking = Callable[[S3Request], S3Answer]
Streaming = Callable[[S3Request], Awaitable[S3Answer]]

_REFUSED = {refused.member: refused.why for refused in REFUSED}
_OWNERS = ("ExpectedBucketOwner", "ExpectedSourceBucketOwner")


class S3:
    """The S3 operations that AWS's clients use, on buckets of this machine."""

    def __init__(self, buckets: Buckets, clock: Clock) -> None:
        """Serve these buckets."""
        containers, lists = BucketOperations(buckets), ListOperations(buckets)
        reading, writing = ReadOperations(buckets, clock), WriteOperations(buckets)
        copies, parts = CopyOperations(buckets, clock), MultipartOperations(buckets)
        upload_lists = UploadListOperations(buckets)
        self._blocking: dict[str, Blocking] = {
            "AbortMultipartUpload": parts.abort_multipart_upload,
            "CompleteMultipartUpload": CompleteOperation(buckets).complete_multipart_upload,
            "CopyObject": copies.copy_object,
            "CreateBucket": containers.create_bucket,
            "CreateMultipartUpload": parts.create_multipart_upload,
            "DeleteBucket": containers.delete_bucket,
            "DeleteObject": writing.delete_object,
            "DeleteObjects": writing.delete_objects,
            "GetBucketLocation": containers.get_bucket_location,
            "HeadBucket": containers.head_bucket,
            "HeadObject": reading.head_object,
            "ListBuckets": containers.list_buckets,
            "ListMultipartUploads": upload_lists.list_multipart_uploads,
            "ListObjects": lists.list_objects,
            "ListObjectsV2": lists.list_objects_v2,
            "ListParts": upload_lists.list_parts,
            "UploadPartCopy": copies.upload_part_copy,
        }
        self._streaming: dict[str, Streaming] = {
            "GetObject": reading.get_object,
            "PutObject": writing.put_object,
            "UploadPart": parts.upload_part,
        }

    @property
    def served(self) -> frozenset[str]:
        """The names of the operations that are served."""
        return frozenset(self._blocking | self._streaming)

    async def handle(self, head: RequestHead, body: AsyncIterator[bytes]) -> StreamedResponse:
        """Answer one request.

        Raises:
            Fault: S3 would answer with an error, this one.
            SageletError: something that S3 has no error for, such as a full disk.
        """
        operation = match_rest(service_model("s3"), head)
        if operation.name not in self.served:
            raise _not_served(operation.name)
        route = Route("s3", Protocol.REST_XML, operation)
        try:
            answer = await self._answer(route, head, body)
        except SageletError as error:
            fault = fault_of(error)
            if fault is None:
                raise
            raise fault from error
        return _response(route, answer)

    async def _answer(
        self, route: Route, head: RequestHead, body: AsyncIterator[bytes]
    ) -> S3Answer:
        name = route.operation.name
        if name in self._streaming:
            document = _checked(parse(route, head, b""))
            return await self._streaming[name](S3Request(head, document, body))
        text = await _text(route.operation, head, body)
        document = _checked(parse(route, head, text))
        return await asyncio.to_thread(self._blocking[name], S3Request(head, document, body))


async def _text(operation: OperationModel, head: RequestHead, body: AsyncIterator[bytes]) -> bytes:
    """Return a body that is a document, held against what was claimed of it."""
    claims = Claims.of(head)
    if operation.name == "CompleteMultipartUpload":
        claims = replace(claims, algorithm="", value="")  # there it is the object's
    incoming = IncomingBody(head, body)
    text = await incoming.whole()
    digests = Digests((MD5, *claims.algorithms))
    digests.update(text)
    claims.check(digests, incoming.trailers)
    return text


def _checked(document: Document) -> Document:
    """Refuse what cannot be ignored, and requests for somebody else's buckets."""
    for member in _REFUSED.keys() & document.keys():
        raise Fault(
            "NotImplemented", 501, f"{_REFUSED[member]} ({member}) by sagelet {__version__}."
        )
    for member in _OWNERS:
        if document.get(member) not in (None, LOCAL_ACCOUNT_ID):
            raise Fault("AccessDenied", 403, "Access Denied")
    return document


def _not_served(operation: str) -> Fault:
    return Fault("NotImplemented", 501, f"{operation} is not emulated by sagelet {__version__}.")


def _response(route: Route, answer: S3Answer) -> StreamedResponse:
    """Serialize a document, and put the stream behind it."""
    made = serialize(route, answer.document, request_id=uuid.uuid4().hex[:16].upper())
    status = answer.status or made.status
    headers = Headers(made.headers)
    if "content-length" in headers or status in (204, 304):
        return StreamedResponse(status, made.headers, answer.stream or once(made.body))
    length = (("Content-Length", str(len(made.body))),)
    return StreamedResponse(status, made.headers + length, answer.stream or once(made.body))
