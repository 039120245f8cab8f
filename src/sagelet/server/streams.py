"""Streamed answers on their way to the client: as events, and only while there is a client."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

from sagelet.domain.invocation import AnswerParts
from sagelet.errors import ModelStreamBroken
from sagelet.server.bodies import ClientGone, Receive, disconnected
from sagelet.wire import event_stream

log = logging.getLogger(__name__)

_MESSAGE_CHARACTERS = 2048


class WhileHeard:
    """Parts, until the client leaves; closing it ends the handler's generator, begun or not."""

    def __init__(self, parts: AnswerParts, receive: Receive) -> None:
        """Pass `parts` on; `receive` tells that the client has left."""
        self._parts = parts
        self._receive = receive
        self._gone: asyncio.Future[None] | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Return itself: it is read once."""
        return self

    async def __anext__(self) -> bytes:
        """Return the next part.

        Raises:
            ClientGone: nobody listens any more.
            ModelStreamBroken: the model failed half-way.
        """
        if self._gone is None:
            self._gone = asyncio.ensure_future(disconnected(self._receive))
        if self._gone.done():
            raise ClientGone
        part = asyncio.ensure_future(self._parts.__anext__())
        either: set[asyncio.Future[Any]] = {part, self._gone}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if part.done():
                return part.result()
            raise ClientGone
        finally:
            part.cancel()

    async def aclose(self) -> None:
        """Leave."""
        if self._gone is not None:
            self._gone.cancel()
        await self._parts.aclose()


class Events:
    """A response stream: PayloadParts, and an exception if it breaks off."""

    def __init__(self, parts: AnswerParts) -> None:
        """Turn `parts` into messages."""
        self._parts = parts
        self._rest = b""
        self._is_over = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Return itself: it is read once."""
        return self

    async def __anext__(self) -> bytes:
        """Return the next message.

        Raises:
            ClientGone: nobody listens any more.
        """
        if self._is_over:
            raise StopAsyncIteration
        if not self._rest:
            try:
                self._rest = await self._parts.__anext__()
            except (StopAsyncIteration, ClientGone):
                raise
            except Exception as error:  # noqa: BLE001  told to the client, and _last logs the unforeseen
                self._is_over = True
                return _last(error)
        part = self._rest[: event_stream.PAYLOAD_AT_MOST]
        self._rest = self._rest[event_stream.PAYLOAD_AT_MOST :]
        return event_stream.event("PayloadPart", part)

    async def aclose(self) -> None:
        """Leave."""
        await self._parts.aclose()


class Whole:
    """A body that is in memory, as parts; an empty one has none."""

    def __init__(self, body: bytes) -> None:
        """Keep the body."""
        self._body = body

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Return itself: it is read once."""
        return self

    async def __anext__(self) -> bytes:
        """Return the body, once."""
        body, self._body = self._body, b""
        if not body:
            raise StopAsyncIteration
        return body

    async def aclose(self) -> None:
        """Leave."""
        self._body = b""


def _last(error: Exception) -> bytes:
    """Return the message that ends a stream which cannot go on."""
    if isinstance(error, ModelStreamBroken):
        told = {"Message": error.message[:_MESSAGE_CHARACTERS], "ErrorCode": error.code}
        return event_stream.exception("ModelStreamError", told)
    log.error("a stream failed in a way nobody foresaw", exc_info=error)
    told = {"Message": f"{type(error).__name__}: {error}"[:_MESSAGE_CHARACTERS]}
    return event_stream.exception("InternalStreamFailure", told)
