"""Server-sent events as an answer: parts are sent until they, the client or the daemon end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Mapping
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

MEDIA_TYPE = "text/event-stream"
HEARTBEAT_S = 15.0
# A client that takes nothing for so long is gone, or as good as.
STALLED_S = 60.0

T = TypeVar("T")


class EventStream(Response):
    """An endless answer. `parts` is closed when it ends, whoever ends it."""

    media_type = MEDIA_TYPE

    def __init__(self, parts: AsyncGenerator[bytes, None], ending: asyncio.Event) -> None:
        """Send `parts` until `ending` is set."""
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._parts = parts
        self._ending = ending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head, then what comes."""
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        if scope["method"] == "HEAD":
            await self._parts.aclose()
            await send({"type": "http.response.body", "body": b""})
            return
        leaving: set[asyncio.Future[Any]] = {
            asyncio.ensure_future(disconnected(receive)),
            asyncio.ensure_future(self._ending.wait()),
        }
        try:
            while (part := await _unless(leaving, anext(self._parts, b""))) and await _sent(
                leaving, send, part
            ):
                pass
        finally:
            for each in leaving:
                each.cancel()
            await self._parts.aclose()
        await send({"type": "http.response.body", "body": b""})


def event(name: str, data: Mapping[str, Any], number: int | str | None = None) -> bytes:
    """Return one event; `number` is where a client that comes back begins."""
    head = "" if number is None else f"id: {number}\n"
    return f"{head}event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def heartbeat(number: int | None = None) -> bytes:
    """Return what keeps a connection open; it may move on where a client would begin anew."""
    return b": .\n\n" if number is None else f": .\nid: {number}\n\n".encode()


async def disconnected(receive: Receive) -> None:
    """Return when the peer has left; its request has no body, or has been read."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def unless_gone(request: Request, answer: Awaitable[T]) -> T:
    """Return what is awaited, which is cancelled if the client leaves.

    Raises:
        ClientDisconnect: it left.
    """
    pending = asyncio.ensure_future(answer)
    gone = asyncio.ensure_future(disconnected(request.receive))
    try:
        await asyncio.wait({pending, gone}, return_when=asyncio.FIRST_COMPLETED)
        if pending.done():
            return pending.result()
        raise ClientDisconnect
    finally:
        pending.cancel()
        gone.cancel()


async def _unless(leaving: set[asyncio.Future[Any]], part: Awaitable[bytes]) -> bytes:
    """Return the next part; nothing once someone leaves."""
    pending = asyncio.ensure_future(part)
    try:
        await asyncio.wait({pending, *leaving}, return_when=asyncio.FIRST_COMPLETED)
        return pending.result() if pending.done() else b""
    finally:
        if not pending.done():
            pending.cancel()
            await asyncio.wait({pending})


async def _sent(leaving: set[asyncio.Future[Any]], send: Send, part: bytes) -> bool:
    """Send a part; False if nobody took it."""
    sending = asyncio.ensure_future(
        send({"type": "http.response.body", "body": part, "more_body": True})
    )
    try:
        await asyncio.wait(
            {sending, *leaving}, timeout=STALLED_S, return_when=asyncio.FIRST_COMPLETED
        )
        if sending.done():
            sending.result()
        return sending.done()
    finally:
        sending.cancel()
