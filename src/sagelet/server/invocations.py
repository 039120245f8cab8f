"""InvokeEndpoint without ASGI: bytes and header fields in, a future of an answer, bytes out.

`Invocations` knows the usual case only. Whatever is unusual about a request it leaves to `AwsFace`,
which answers it, or refuses it in AWS's words; the tests hold both to the same bytes.
"""

from __future__ import annotations

import asyncio
import logging
import re
from asyncio import Future
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from sagelet.control.documents import invocations as documents
from sagelet.control.faults import fault_of
from sagelet.control.members import READ
from sagelet.domain.account import Account
from sagelet.domain.invocation import Answer, Invocation
from sagelet.domain.seams import EndpointHost
from sagelet.server import http_bytes
from sagelet.server.answers import shown_response
from sagelet.server.gate import Gate
from sagelet.server.request_ids import RequestIds
from sagelet.server.usual_requests import CHANGING, Lines, read_usual
from sagelet.wire.constraints import constraints_of
from sagelet.wire.header_members import HeaderMembers
from sagelet.wire.messages import Response
from sagelet.wire.models import service_model
from sagelet.wire.quick_signatures import DATE, SIGNATURE, QuickVerifier, Signed
from sagelet.wire.routing import Protocol, Route
from sagelet.wire.serializing import serialize, serialize_fault

log = logging.getLogger(__name__)

_Key = TypeVar("_Key")

SERVICE = "sagemaker-runtime"
OPERATION = "InvokeEndpoint"

_PATH = re.compile(rb"/endpoints/([A-Za-z0-9-]+)/invocations")
_REMEMBERED = 1024
_LENGTH = b"content-length"
_DIGITS = 12
_CLOSE = "connection: close\r\n"


@dataclass(slots=True)  # frozen ones take five times as long to make
class Asked:
    """A request whose head is as it usually is. The names in `headers` are lower-cased."""

    path: bytes
    endpoint: str
    headers: Mapping[bytes, bytes]


@dataclass(slots=True)
class Repeated:
    """What was made out of a request that may come again with another body, time and signature."""

    asked: Asked
    lines: Lines
    claim: bytes
    signed: Signed
    invocation: Invocation


@dataclass(slots=True)
class Usual:
    """A usual request, whose body has `size` bytes. `head` is the piece that it was read from.

    `fields` are those of its head, or those that changed where it `repeats` another.
    """

    head: bytes
    asked: Asked
    fields: Mapping[bytes, bytes]
    size: int
    signature: bytes = b""
    repeats: Repeated | None = None


class Invocations:
    """The usual invocation, from its head to its answer. `in_flight` are begun and unanswered."""

    def __init__(
        self,
        *,
        host: EndpointHost,
        gate: Gate,
        verifier: QuickVerifier,
        account: Account,
        request_ids: RequestIds,
        max_body_bytes: int,
    ) -> None:
        """Read the operation's model once."""
        self.in_flight = 0
        self._host = host
        self._gate = gate
        self._verifier = verifier
        self._account = account
        self._request_ids = request_ids
        self._max_body_bytes = max_body_bytes
        operation = service_model(SERVICE).operation_model(OPERATION)
        self._route = Route(SERVICE, Protocol.REST_JSON, operation)
        self._members = HeaderMembers(operation, served=READ[OPERATION])
        shape = operation.input_shape
        assert shape is not None
        self._name_limits = constraints_of(shape.members["EndpointName"])
        self._endpoints: dict[bytes, str] = {}
        self._heads: dict[tuple[str | None, str, int], str] = {}
        self._server_fields: http_bytes.Fields = ()
        self._beginning = ""

    def asked(self, path: bytes, fields: list[tuple[bytes, bytes]]) -> Asked | None:
        """Return what a POST asks, or nothing where its head is not as usual."""
        headers = dict(fields)
        length = headers.get(_LENGTH, b"")
        if len(length) > _DIGITS or not length.isdigit() or int(length) > self._max_body_bytes:
            return None
        return self._asked(path, headers) if len(headers) == len(fields) else None

    def _asked(self, path: bytes, headers: Mapping[bytes, bytes]) -> Asked | None:
        endpoint = self._endpoints.get(path) or self._endpoint(path)
        if endpoint is None or not self._gate.surely_admits(headers):
            return None
        return Asked(path, endpoint, headers)

    def begin(self, asked: Asked, body: bytes) -> Future[Answer] | None:
        """Begin an invocation, or return nothing where it is not one that we surely serve."""
        try:
            invocation = self._read(asked, body)
        except Exception:
            log.exception("on the short path; the long one is tried")
            return None
        if invocation is None:
            return None
        return self._submit(invocation)

    def usual(self, data: bytes, last: Repeated | None) -> tuple[Usual, bytes] | None:
        """Return what a piece of a connection asks, and its body, if it is one usual request.

        The body may be yet to come. `last` is what the connection asked before: a client's requests
        differ in a few lines, and what the others mean is known.
        """
        again = last.lines.again(data) if last is not None else None
        if again is not None and last is not None:
            fields, body = again
            claim, _, given = fields[b"authorization"].rpartition(SIGNATURE)
            size = int(fields[_LENGTH])
            if claim == last.claim and size <= self._max_body_bytes:
                return Usual(data, last.asked, fields, size, given, last), body
        request = read_usual(data)
        if request is None:
            return None
        path, headers, body = request
        asked, size = self._asked(path, headers), int(headers[_LENGTH])
        if asked is None or size > self._max_body_bytes:
            return None
        return Usual(data, asked, headers, size), body

    def begin_usual(self, usual: Usual, body: bytes) -> tuple[Repeated, Future[Answer]] | None:
        """Begin an invocation, or return nothing where it is not one that we surely serve."""
        try:
            like = usual.repeats
            read = self._read_first(usual, body) if like is None else self._again(usual, like, body)
        except Exception:
            log.exception("on the short path; the long one is tried")
            return None
        return None if read is None else (read[0], self._submit(read[1]))

    def _submit(self, invocation: Invocation) -> Future[Answer]:
        self.in_flight += 1
        try:
            return self._host.submit(invocation)
        except Exception as error:  # noqa: BLE001  every failure has an answer, and `answer` finds it
            refused: Future[Answer] = asyncio.get_running_loop().create_future()
            refused.set_exception(error)
            return refused

    def _again(
        self, usual: Usual, last: Repeated, body: bytes
    ) -> tuple[Repeated, Invocation] | None:
        if not self._verifier.agrees(last.signed, usual.fields[DATE], usual.signature, body):
            return None
        like = last.invocation
        return last, Invocation(
            like.endpoint,
            body,
            like.content_type,
            like.accept,
            like.target_variant,
            like.target_model,
            like.headers,
        )

    def _read_first(self, usual: Usual, body: bytes) -> tuple[Repeated, Invocation] | None:
        asked, headers = usual.asked, usual.fields
        members = self._members.read(headers)
        if members is None:
            return None
        claim, _, given = headers.get(b"authorization", b"").rpartition(SIGNATURE)
        signed = self._verifier.signed(claim, asked.path, headers)
        if signed is None or not self._verifier.agrees(signed, headers[DATE], given, body):
            return None
        invocation = _invocation(asked, body, members)
        lines = Lines(usual.head, CHANGING - signed.covered | {DATE})
        return Repeated(asked, lines, claim, signed, invocation), invocation

    def _read(self, asked: Asked, body: bytes) -> Invocation | None:
        members = self._members.read(asked.headers)
        if members is None or not self._verifier.accepts(asked.path, asked.headers, body):
            return None
        return _invocation(asked, body, members)

    def answer(
        self,
        asked: Asked,
        result: Answer | BaseException,
        fields: http_bytes.Fields,
        *,
        keep_alive: bool,
    ) -> bytes:
        """Return what is written to the connection; `fields` are uvicorn's own."""
        request_id = self._request_ids.next()
        if isinstance(result, Answer) and documents.is_plain(result):
            return self._plain(result, request_id, fields, keep_alive=keep_alive)
        response = self._response(asked.endpoint, result, request_id)
        return http_bytes.whole(response, fields, keep_alive=keep_alive)

    def _plain(
        self, answer: Answer, request_id: str, fields: http_bytes.Fields, *, keep_alive: bool
    ) -> bytes:
        if fields is not self._server_fields:
            self._server_fields = fields
            self._beginning = (STATUS_LINE[200] + http_bytes.joined(fields)).decode("latin-1")
        key = (answer.content_type, answer.variant, answer.generation)
        known = self._heads.get(key) or self._head(key, answer)
        told = "".join([f"{k}: {v}\r\n" for k, v in documents.telling_headers(answer).items()])
        head = (
            f"{self._beginning}x-amzn-requestid: {request_id}\r\n{known}{told}"
            f"content-length: {len(answer.body)}\r\n{'' if keep_alive else _CLOSE}\r\n"
        )
        return head.encode("latin-1") + answer.body

    def _head(self, key: tuple[str | None, str, int], answer: Answer) -> str:
        """Return the header lines that answers of one type, variant and generation share."""
        shown = documents.show_answer(replace(answer, body=b""))
        headers = serialize(self._route, shown, request_id="").headers[1:]
        local = documents.generation_header(answer).items()
        lines = "".join(f"{name.lower()}: {value}\r\n" for name, value in (*headers, *local))
        return _remember(self._heads, key, lines)

    def _response(self, endpoint: str, result: Answer | BaseException, request_id: str) -> Response:
        if isinstance(result, Answer):
            if not documents.is_refusal(result):
                return shown_response(self._route, documents.show_answer(result), request_id)
            result = documents.model_error(result, endpoint=endpoint, account=self._account)
        fault = fault_of(result, service=SERVICE)
        return serialize_fault(self._route, fault, request_id=request_id)

    def _endpoint(self, path: bytes) -> str | None:
        """Return the endpoint that a path names, where that is a name that AWS allows."""
        found = _PATH.fullmatch(path)
        if found is None:
            return None
        name = found[1].decode("ascii")
        if not all(limit.holds(name) for limit in self._name_limits):
            return None
        return _remember(self._endpoints, path, name)


def _invocation(asked: Asked, body: bytes, members: Mapping[str, str]) -> Invocation:
    return documents.read_invocation({"EndpointName": asked.endpoint, "Body": body, **members})


def _remember(known: dict[_Key, str], key: _Key, value: str) -> str:
    """Keep what was worked out, and forget all when it has become too much."""
    if len(known) >= _REMEMBERED:
        known.clear()
    known[key] = value
    return value
