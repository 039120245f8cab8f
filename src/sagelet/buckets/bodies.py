"""Bodies in and out: pieces of about 1 MiB, each hashed, written or read in a thread.

The event loop only passes pieces on, and no body is ever whole in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import BinaryIO, Protocol, TypeVar

from sagelet.artifacts.disk import CHUNK_BYTES
from sagelet.errors import StateError
from sagelet.wire.chunked import ChunkedBody, decoded_length, is_aws_chunked
from sagelet.wire.faults import Fault
from sagelet.wire.messages import Headers, RequestHead

MOST_AT_ONCE_BYTES = 5 << 30
_MOST_XML_BYTES = 4 << 20


class Sink(Protocol):
    """Where pieces go; called in a thread, one at a time."""

    def write(self, data: bytes) -> None:
        """Take the next piece."""
        ...


class Closing(Protocol):
    """What must be closed."""

    def close(self) -> None:
        """End it; what was not committed is gone."""
        ...


W = TypeVar("W", bound=Closing)


class IncomingBody:
    """A request's body, decoded where it is aws-chunked, and measured against its declaration."""

    def __init__(self, head: RequestHead, source: AsyncIterator[bytes]) -> None:
        """Look at the head only; EntityTooLarge where it announces more than 5 GiB."""
        self._chunked: ChunkedBody | None = None
        self._source: AsyncIterator[bytes] = source
        self._declared = _declared_length(head)
        if is_aws_chunked(head):
            self._declared = decoded_length(head)
            self._chunked = ChunkedBody(source, length=self._declared)
            self._source = aiter(self._chunked)
        if self._declared is not None and self._declared > MOST_AT_ONCE_BYTES:
            raise _too_large(self._declared)

    @property
    def trailers(self) -> Headers:
        """What followed the body, once it has been read."""
        return self._chunked.trailers if self._chunked else Headers()

    async def into(self, sink: Sink) -> bytes:
        """Write all but the last piece, and return that: it is best written together with the end.

        The next piece is received while the last one is being hashed and written.
        """
        waiting: list[bytes] = []
        size = total = 0
        writing: asyncio.Task[None] | None = None
        try:
            async for part in self._source:
                waiting.append(part)
                size += len(part)
                if size < CHUNK_BYTES:
                    continue
                if writing is not None:
                    await asyncio.shield(writing)
                piece = b"".join(waiting)
                writing = asyncio.create_task(asyncio.to_thread(sink.write, piece))
                total += size
                waiting, size = [], 0
        finally:
            if writing is not None:
                await writing
        self._check_length(total + size)
        return b"".join(waiting)

    async def whole(self) -> bytes:
        """Return a body that is a document; MalformedXML where it is longer than any may be."""
        parts: list[bytes] = []
        size = 0
        async for part in self._source:
            size += len(part)
            if size > _MOST_XML_BYTES:
                raise Fault("MalformedXML", 400, f"The body exceeds {_MOST_XML_BYTES} bytes.")
            parts.append(part)
        self._check_length(size)
        return b"".join(parts)

    def _check_length(self, size: int) -> None:
        if self._declared is not None and size != self._declared:
            raise Fault(
                "IncompleteBody",
                400,
                "You did not provide the number of bytes specified by the Content-Length HTTP "
                "header.",
            )


@asynccontextmanager
async def drafting(make: Callable[[], W]) -> AsyncIterator[W]:
    """Make a writer in a thread, and close it in one, whatever happens in between."""
    making = asyncio.create_task(asyncio.to_thread(make))
    try:
        yield await asyncio.shield(making)
    finally:
        writer = await making  # also where the request was cancelled while it was being made
        await asyncio.to_thread(writer.close)


async def pieces(file: BinaryIO, start: int, length: int) -> AsyncIterator[bytes]:
    """Yield a stretch of an open file, and close it; StateError where the file ends before it."""
    with file:
        file.seek(start)
        while length:
            piece = await asyncio.to_thread(file.read, min(CHUNK_BYTES, length))
            if not piece:
                raise StateError(path=str(file.name), problem="it became shorter while it was sent")
            length -= len(piece)
            yield piece


async def once(data: bytes) -> AsyncIterator[bytes]:
    """Yield bytes that are in memory."""
    if data:
        yield data


def _declared_length(head: RequestHead) -> int | None:
    text = head.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else None


def _too_large(size: int) -> Fault:
    return Fault(
        "EntityTooLarge",
        400,
        "Your proposed upload exceeds the maximum allowed size",
        {"ProposedSize": size, "MaxSizeAllowed": MOST_AT_ONCE_BYTES},
    )
