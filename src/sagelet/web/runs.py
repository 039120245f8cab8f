"""One run of an endpoint, asked for by a page or by the JSON API: bytes in, and all that is known.

    Payload ──run──> host.submit(Invocation) ──> Run: the answer, where its time went, its own lines

A model's error is an answer like any other: a Run whose status tells so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from ulid import ULID

from sagelet.control.documents import invocations as documents
from sagelet.domain.invocation import UNTIMED, Answer, Invocation, Timing
from sagelet.web.backend import Backend


@dataclass(frozen=True, slots=True)
class Payload:
    """What is sent to a model."""

    body: bytes
    content_type: str | None = None
    accept: str | None = None
    target_variant: str | None = None
    target_model: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One run and its outcome. `id` is a ULID, by which the history and the log know it.

    `status` is the container's; 0 tells that it did not answer in time. `handler` and `where`
    (`file:line`) tell of a handler's own error. `headers` are the answer's, those that we add
    included. `lines` is what the worker printed meanwhile, if the run was traced.
    """

    id: str
    endpoint: str
    at: datetime
    payload: Payload
    status: int
    body: bytes
    content_type: str | None
    headers: Mapping[str, str] = field(default_factory=dict)
    timing: Timing = UNTIMED
    generation: int = 0
    variant: str = ""
    handler: str = ""
    where: str = ""
    lines: tuple[str, ...] = ()

    @property
    def is_error(self) -> bool:
        """Whether the model refused, failed or did not answer."""
        return not 100 <= self.status < 400


async def run(
    backend: Backend, endpoint: str, payload: Payload, *, source: str, is_traced: bool = False
) -> Run:
    """Run an endpoint once; `source` is "web", "api" or "public".

    A traced run has its log lines, and is in the history whatever the history's settings say. One
    that is cancelled before a worker has taken it is never started.

    Raises:
        EndpointNotInService: no such endpoint, or it does not serve (yet).
        VariantNotFound: the target variant is not one of the endpoint's.
        QueueFull: too many requests wait; this one was not started.
    """
    at = backend.clock.now()
    number = str(ULID.from_datetime(at))
    trace = number if is_traced else ""
    asked = _invocation(endpoint, payload, source=source, trace=trace, call_id=number)
    answer = await backend.host.submit(asked)
    lines = await backend.host.lines_of(trace) if is_traced else ()
    return _run(number, endpoint, at, payload, answer, lines)


def _invocation(
    endpoint: str, payload: Payload, *, source: str, trace: str, call_id: str
) -> Invocation:
    members = {
        "EndpointName": endpoint,
        "Body": payload.body,
        "ContentType": payload.content_type,
        "Accept": payload.accept,
        "TargetVariant": payload.target_variant,
        "TargetModel": payload.target_model,
    }
    # Read as a client's request is, so that the container gets the same header fields.
    told = {name: value for name, value in members.items() if value is not None}
    return replace(documents.read_invocation(told), source=source, trace=trace, call_id=call_id)


def _run(
    number: str,
    endpoint: str,
    at: datetime,
    payload: Payload,
    answer: Answer,
    lines: tuple[str, ...],
) -> Run:
    return Run(
        id=number,
        endpoint=endpoint,
        at=at,
        payload=payload,
        status=answer.status,
        body=answer.body,
        content_type=answer.content_type,
        headers={**answer.headers, **documents.local_headers(answer)},
        timing=answer.timing,
        generation=answer.generation,
        variant=answer.variant,
        handler=answer.handler,
        where=answer.where,
        lines=lines,
    )
