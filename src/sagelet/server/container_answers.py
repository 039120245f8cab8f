"""What a container answers at its own port: bodies, statuses and headers as the model server's."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Any

from sagelet import errors
from sagelet.control.documents.invocations import local_headers
from sagelet.domain.invocation import Answer, StreamedAnswer
from sagelet.errors import SageletError
from sagelet.hosting.failures import not_loaded, server_error
from sagelet.wire.messages import Response, StreamedResponse, as_header

_JSON = "application/json"
_TIMED_OUT = 0
_NO_CACHE = (
    ("pragma", "no-cache"),
    ("cache-control", "no-cache; no-store, must-revalidate, private"),
    ("expires", "Thu, 01 Jan 1970 00:00:00 UTC"),
)
# They belong to the connection, or are written anyway.
_NOT_THE_HANDLERS = frozenset({"connection", "content-length", "content-type", "transfer-encoding"})
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

_STATUSES: Mapping[type[SageletError], tuple[int, str]] = {
    errors.QueueFull: (503, "ServiceUnavailableException"),
    errors.ModelNotLoaded: (404, "ModelNotFoundException"),
    errors.ModelAlreadyLoaded: (409, "ConflictStatusException"),
    errors.NoRoomForModel: (507, "InternalServerException"),
    errors.InvalidRequest: (400, "BadRequestException"),
}


def document(status: int, content: object) -> Response:
    """Return a JSON answer, as indented as the model server's."""
    body = (json.dumps(content, indent=2) + "\n").encode()
    return _response(status, body, _JSON, ())


def problem(status: int, kind: str, message: str) -> Response:
    """Return an error of the model server's own."""
    return _response(status, server_error(status, message, kind), _JSON, ())


def bare(status: int) -> Response:
    """Return a status without a body."""
    return _response(status, b"", None, ())


def refusal(error: SageletError) -> Response:
    """Return what an error of ours is answered with."""
    status, kind = _STATUSES.get(type(error), (500, "InternalServerException"))
    return problem(status, kind, str(error))


def failed_to_load(name: str, error: SageletError) -> Response:
    """Return what a model that did not load is answered with: 507 if memory may have run out."""
    status, body = not_loaded(name, error)
    return _response(status, body, _JSON, ())


def result(answer: Answer | StreamedAnswer) -> Response | StreamedResponse:
    """Return a handler's result, or its error, as the container sends it."""
    if isinstance(answer, StreamedAnswer):
        fields = _fields(answer.headers)
        return _streamed(answer.status, answer.parts, answer.content_type, fields)
    ours = tuple(local_headers(answer).items())
    if answer.status == _TIMED_OUT:
        # The model server kills a worker that takes too long, and says no more than that.
        return _response(500, server_error(500, "Worker died."), _JSON, ours)
    fields = _fields(answer.headers, without=frozenset(dict(ours)))
    return _response(answer.status, answer.body, answer.content_type, (*fields, *ours))


def _fields(
    headers: Mapping[str, str], without: frozenset[str] = frozenset()
) -> tuple[tuple[str, str], ...]:
    """Return the fields that handlers have set, those that HTTP does not allow left out."""
    return tuple(
        (name, as_header(value))
        for name, value in headers.items()
        if _NAME.fullmatch(name) and name.lower() not in _NOT_THE_HANDLERS | without
    )


def _response(
    status: int, body: bytes, content_type: str | None, fields: tuple[tuple[str, str], ...]
) -> Response:
    length = (("content-length", str(len(body))),)
    return Response(status, (*_head(status, content_type), *fields, *length), body)


def _streamed(
    status: int,
    parts: AsyncIterator[bytes],
    content_type: str | None,
    fields: tuple[tuple[str, str], ...],
) -> StreamedResponse:
    return StreamedResponse(status, (*_head(status, content_type), *fields), parts)


def _head(status: int, content_type: str | None) -> tuple[tuple[str, str], ...]:
    typed: Any = () if content_type is None else (("content-type", as_header(content_type)),)
    closing = (("connection", "close"),) if status >= 400 else ()
    return (*typed, ("x-request-id", str(uuid.uuid4())), *_NO_CACHE, *closing)
