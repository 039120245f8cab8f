"""Server-sent events as an answer: parts are sent until they, the client or the daemon end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sagelet.web.access.guard import Access
from sagelet.web.access.principals import Owner

MEDIA_TYPE = "text/event-stream"
HEARTBEAT_S = 15.0
# A client that takes nothing for so long is gone, or as good as.
STALLED_S = 60.0

T = TypeVar("T")


class EventStream(Response):
    """An endless answer. When it ends, whoever ends it, `parts` is closed and `leave` called."""

    media_type = MEDIA_TYPE

    def __init__(
        self,
        parts: AsyncGenerator[bytes, None],
        *,
        ending: asyncio.Event,
        leave: Callable[[], None],
        may_go_on: Callable[[], bool],
        heartbeat_s: float = HEARTBEAT_S,
        stalled_s: float = STALLED_S,
    ) -> None:
        """Send `parts`, one a heartbeat at least, until `ending` is set or it may not go on."""
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._parts = parts
        self._ending = ending
        self._leave = leave
        self._may_go_on = may_go_on
        self._heartbeat_s = heartbeat_s
        self._stalled_s = stalled_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head, then what comes."""
        is_taken = True
        try:
            start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
            await send(start)
            if scope["method"] != "HEAD":
                is_taken = await self._send(receive, send)
        finally:
            # Parts that nobody began to read have nothing to clean up by themselves.
            await self._parts.aclose()
            self._leave()
        if is_taken:
            await send({"type": "http.response.body", "body": b""})

    async def _send(self, receive: Receive, send: Send) -> bool:
        """Send all parts; False where the client takes no more: nor would it take the end."""
        leaving: set[asyncio.Future[Any]] = {
            asyncio.ensure_future(disconnected(receive)),
            asyncio.ensure_future(self._ending.wait()),
        }
        clock = asyncio.get_running_loop().time
        checked = clock()
        try:
            while part := await _unless(leaving, anext(self._parts, b"")):
                if clock() - checked >= self._heartbeat_s / 2:
                    checked = clock()
                    if not self._may_go_on():
                        return True
                if not await _sent(leaving, send, part, self._stalled_s):
                    return False
            return True
        finally:
            for each in leaving:
                each.cancel()


def while_signed_in(access: Access, request: Request, who: Owner) -> Callable[[], bool]:
    """Return what says whether an owner still is one.

    A signature was judged once, for all of its answer; a browser may sign out meanwhile.
    """
    return lambda: who.csrf is None or isinstance(access.principal_of(request), Owner)


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
        came = pending.result() if pending.done() else b""
        return b"" if any(each.done() for each in leaving) else came
    finally:
        if not pending.done():
            pending.cancel()
            await asyncio.wait({pending})


async def _sent(
    leaving: set[asyncio.Future[Any]], send: Send, part: bytes, stalled_s: float
) -> bool:
    """Send a part; False if nobody took it, though nobody has left."""
    sending = asyncio.ensure_future(
        send({"type": "http.response.body", "body": part, "more_body": True})
    )
    try:
        done, _ = await asyncio.wait(
            {sending, *leaving}, timeout=stalled_s, return_when=asyncio.FIRST_COMPLETED
        )
        if sending.done():
            sending.result()
        return bool(done)
    finally:
        sending.cancel()
