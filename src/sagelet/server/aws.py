"""One AWS request, from its head to its answer, as one visible chain.

    gate -> route -> (body) -> signature -> parse and validate -> control plane -> serialize
                 \\-> signature -> S3, streamed

Whatever goes wrong on the way becomes a fault in the shape of the service that was addressed.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from sagelet.buckets.service import S3
from sagelet.control.context import Caller
from sagelet.control.deviations import WIDENED
from sagelet.control.faults import fault_of
from sagelet.control.plane import ControlPlane
from sagelet.server import bodies
from sagelet.server.answers import shown_response
from sagelet.server.bodies import ClientGone, Receive
from sagelet.server.patience import patiently
from sagelet.server.request_ids import RequestIds
from sagelet.server.streams import Events, WhileHeard, Whole
from sagelet.wire import event_stream
from sagelet.wire.callers import is_waiter
from sagelet.wire.compressed import plain_body
from sagelet.wire.documents import Document
from sagelet.wire.messages import RequestHead, Response, StreamedResponse
from sagelet.wire.parsing import parse
from sagelet.wire.routing import Protocol, Route, presumed_protocol, presumed_service, route
from sagelet.wire.scopes import presigning
from sagelet.wire.serializing import serialize_fault
from sagelet.wire.signatures import Verifier
from sagelet.wire.validation import validate

log = logging.getLogger(__name__)

FORM = "application/x-www-form-urlencoded"
RUNTIME = "sagemaker-runtime"

# A browser may open a presigned object. Its scripts are not to act as the web app's, which has the
# same origin.
_APART = ("content-security-policy", "sandbox allow-scripts allow-popups allow-downloads")


@dataclass(frozen=True, slots=True)
class AwsFace:
    """Everything that speaks AWS's protocols."""

    plane: ControlPlane
    s3: S3
    verifier: Verifier
    request_ids: RequestIds
    max_body_bytes: int

    async def answer(self, head: RequestHead, receive: Receive) -> Response | StreamedResponse:
        """Answer a request that passed the gate.

        Raises:
            ClientGone: the peer left; nobody waits for an answer.
        """
        request_id = self.request_ids.next()
        chosen: Route | None = None
        try:
            # Only the query protocol (STS, IAM, CloudWatch) says in its body what is asked.
            form = head.headers.get("content-type", "").startswith(FORM) and head.path == "/"
            body = await self._read(receive, head) if form else None
            chosen = route(head, self._plain(head, body) if body else b"")
            if chosen.service == "s3" and body is None:
                return await self._answer_s3(head, receive)
            if body is None:
                body = await self._read(receive, head)
            return await self._answer_service(chosen, head, body, request_id, receive)
        except ClientGone:
            raise
        except Exception as error:  # noqa: BLE001  every failure has an answer; fault_of logs the unforeseen
            fault = fault_of(error, service=chosen.service if chosen else presumed_service(head))
            return serialize_fault(
                chosen or _about(head),
                fault,
                request_id=request_id,
                resource=head.path,
                method=head.method,
            )

    async def _read(self, receive: Receive, head: RequestHead) -> bytes:
        return await bodies.read_whole(
            receive, head.headers, limit=self.max_body_bytes, code="ValidationError"
        )

    def _plain(self, head: RequestHead, body: bytes) -> bytes:
        """Return a body as it was before the client compressed it; only CloudWatch's do that."""
        if presumed_service(head) != "cloudwatch":
            return body
        return plain_body(head, body, at_most_bytes=self.max_body_bytes)

    async def _answer_service(
        self, chosen: Route, head: RequestHead, body: bytes, request_id: str, receive: Receive
    ) -> Response | StreamedResponse:
        signature = self.verifier.verify(
            head,
            body_sha256=hashlib.sha256(body).hexdigest(),
            service=chosen.operation.service_model.signing_name,
        )
        name = chosen.operation.name
        if not self.plane.serves(chosen.service, name):
            raise self.plane.not_served(chosen.service, name)
        document = parse(chosen, head, self._plain(head, body))
        validate(document, chosen.operation, deviations=WIDENED)
        caller = Caller(
            access_key_id=signature.access_key_id,
            is_waiter=is_waiter(head.headers.get("user-agent", "")),
        )
        if chosen.service == RUNTIME:
            return await self._invoke(chosen, document, caller, request_id, receive)
        answer = self._answer_document(chosen, document, caller, request_id)
        if caller.is_waiter and self.plane.holds(chosen.service, name):
            return await patiently(answer, receive, headers=_json_headers(request_id))
        return await answer

    async def _answer_document(
        self, chosen: Route, document: Document, caller: Caller, request_id: str
    ) -> Response:
        started = time.perf_counter()
        result = await self.plane.answer(chosen.service, chosen.operation.name, document, caller)
        log.info("%s %.1f ms", chosen.operation.name, 1000 * (time.perf_counter() - started))
        return shown_response(chosen, result, request_id)

    async def _invoke(
        self, chosen: Route, document: Document, caller: Caller, request_id: str, receive: Receive
    ) -> Response | StreamedResponse:
        """Answer an invocation, which is withdrawn if the client leaves."""
        running = self.plane.answer(chosen.service, chosen.operation.name, document, caller)
        result = await bodies.unless_gone(running, receive)
        if not chosen.operation.has_event_stream_output:
            return shown_response(chosen, result, request_id)
        body = result.pop("Body")
        parts = Whole(body) if isinstance(body, bytes) else body
        head = shown_response(chosen, result, request_id)
        headers = (*head.headers, ("Content-Type", event_stream.MEDIA_TYPE))
        return StreamedResponse(head.status, headers, Events(WhileHeard(parts, receive)))

    async def _answer_s3(self, head: RequestHead, receive: Receive) -> StreamedResponse:
        self.verifier.verify(head, body_sha256=None, service="s3")
        body: AsyncIterator[bytes] = bodies.stream(receive)
        answer = await self.s3.handle(head, body)
        if presigning(head) is None:
            return answer
        return replace(answer, headers=(*answer.headers, _APART))


def _about(head: RequestHead) -> str | Protocol:
    """Say in which form an error is told to whoever sent a request that goes nowhere."""
    service = presumed_service(head)
    return presumed_protocol(head) if service == "cloudwatch" else service


def _json_headers(request_id: str) -> tuple[tuple[str, str], ...]:
    return (("content-type", "application/x-amz-json-1.1"), ("x-amzn-RequestId", request_id))
