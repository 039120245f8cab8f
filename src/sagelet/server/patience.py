"""Keeping a connection alive while its answer is held.

A waiter's Describe is answered when the resource settles (`control.holding`), which may take longer
than a client reads without hearing anything: 60 s by botocore's default. JSON may begin with white
space, so a blank every few seconds keeps the client reading until there is something to say.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

from sagelet.server.bodies import ClientGone, Receive, disconnected
from sagelet.wire.messages import Response, StreamedResponse

EVERY_S = 15.0


async def patiently(
    answer: Awaitable[Response], receive: Receive, *, headers: tuple[tuple[str, str], ...]
) -> Response | StreamedResponse:
    """Return the answer, or after `EVERY_S` one that begins with blanks.

    An error that comes later than that can no longer have a status of its own: the connection is
    dropped, and the client, which asks again, gets it then.
    """
    pending = asyncio.ensure_future(answer)
    try:
        done, _ = await asyncio.wait({pending}, timeout=EVERY_S)
    except asyncio.CancelledError:
        pending.cancel()
        raise
    if done:
        return pending.result()
    return StreamedResponse(200, headers, _blanks_then(pending, receive))


async def _blanks_then(pending: asyncio.Future[Response], receive: Receive) -> AsyncIterator[bytes]:
    gone = asyncio.ensure_future(disconnected(receive))
    either: set[asyncio.Future[Any]] = {pending, gone}
    try:
        while not pending.done():
            yield b" "
            await asyncio.wait(either, timeout=EVERY_S, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                raise ClientGone
        yield pending.result().body
    finally:
        pending.cancel()
        gone.cancel()
