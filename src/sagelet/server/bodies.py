"""Request bodies: read whole under a bound, or passed on as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any, TypeVar

from sagelet.errors import SageletError
from sagelet.wire.faults import Fault
from sagelet.wire.messages import Headers

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

T = TypeVar("T")

BODY_S = 60.0
IDLE_S = 60.0
LEAST_BYTES_A_S = 1024


class ClientGone(SageletError):
    """The peer closed the connection before its request was whole."""


async def read_whole(receive: Receive, headers: Headers, *, limit: int, code: str) -> bytes:
    """Return the body.

    Raises:
        Fault: `code` with status 413 when it is over `limit` bytes (a Content-Length that says so
            is enough), RequestTimeout with 408 when it takes longer than `BODY_S`.
        ClientGone: the peer left.
    """
    declared = headers.get("content-length")
    if declared is not None and declared.isdigit() and int(declared) > limit:
        raise too_large(code, limit)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_S):
            async for part in _parts(receive):
                size += len(part)
                if size > limit:
                    raise too_large(code, limit)
                parts.append(part)
    except TimeoutError as error:
        raise too_slow() from error
    return parts[0] if len(parts) == 1 else b"".join(parts)


def too_slow() -> Fault:
    """Return the fault of a body that was not whole within `BODY_S`."""
    return Fault(
        code="RequestTimeout", status=408, message=f"the body took longer than {BODY_S:.0f} s"
    )


async def stream(receive: Receive) -> AsyncIterator[bytes]:
    """Yield the body as it comes.

    Raises:
        Fault: RequestTimeout with 400, as S3 has it, when nothing came for `IDLE_S`, or in all less
            than `LEAST_BYTES_A_S`: whoever trickles would hold a connection for ever.
        ClientGone: the peer left.
    """
    parts = _parts(receive)
    clock = asyncio.get_running_loop().time
    started, size = clock(), 0
    while True:
        earned = started + IDLE_S + size / LEAST_BYTES_A_S
        try:
            async with asyncio.timeout_at(min(clock() + IDLE_S, earned)):
                part = await anext(parts, None)
        except TimeoutError as error:
            raise Fault(
                code="RequestTimeout",
                status=400,
                message="Your socket connection to the server was not read from or written to "
                "within the timeout period. Idle connections will be closed.",
            ) from error
        if part is None:
            return
        size += len(part)
        yield part


async def unless_gone(answer: Awaitable[T], receive: Receive) -> T:
    """Return what is awaited, which is cancelled if the peer of a request read whole leaves.

    Raises:
        ClientGone: it left.
    """
    pending, gone = asyncio.ensure_future(answer), asyncio.ensure_future(disconnected(receive))
    try:
        await asyncio.wait({pending, gone}, return_when=asyncio.FIRST_COMPLETED)
        if pending.done():
            return pending.result()
        raise ClientGone
    finally:
        pending.cancel()
        gone.cancel()


async def disconnected(receive: Receive) -> None:
    """Return when the peer has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _parts(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        if message.get("body"):
            yield message["body"]
        if not message.get("more_body", False):
            return


def too_large(code: str, limit: int) -> Fault:
    """Return the fault of a body over `limit` bytes."""
    return Fault(code=code, status=413, message=f"HTTP content length exceeded {limit} bytes.")
