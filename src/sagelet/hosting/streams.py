"""The parts of a streamed answer, on their way from a worker to the client.

A client that reads slowly makes its worker wait: above so many bytes that wait here nothing more
is read from the worker's socket.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

from sagelet.errors import ModelStreamBroken

_HIGH_BYTES = 2**20
_LOW_BYTES = 2**18


class Source(Protocol):
    """Where parts come from."""

    def pause_reading(self) -> None:
        """Send no more for now."""
        ...

    def resume_reading(self) -> None:
        """Go on."""
        ...

    def cancel(self) -> None:
        """End: nobody wants the rest."""
        ...


class Parts:
    """An asynchronous iterator over parts, none of them empty. Whoever leaves early closes it."""

    def __init__(self, source: Source) -> None:
        """Begin with no part."""
        self._source = source
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._is_over = False
        self._error: ModelStreamBroken | None = None
        self._arrival: asyncio.Future[None] | None = None

    def put(self, part: bytes) -> None:
        """Take the next part from the worker."""
        if self._is_over or not part:
            return
        self._waiting.append(part)
        self._size += len(part)
        if self._size > _HIGH_BYTES:
            self._source.pause_reading()
        self._wake()

    def end(self, error: ModelStreamBroken | None = None) -> None:
        """Take the end from the worker; after an error the parts before it are still given out."""
        if not self._is_over:
            self._is_over, self._error = True, error
            self._wake()

    def __aiter__(self) -> Parts:
        """Return itself: it is read once."""
        return self

    async def __anext__(self) -> bytes:
        """Return the next part.

        Raises:
            ModelStreamBroken: the model failed half-way.
        """
        while not self._waiting:
            if self._is_over:
                error, self._error = self._error, None
                raise error or StopAsyncIteration
            self._arrival = asyncio.get_running_loop().create_future()
            await self._arrival
        part = self._waiting.popleft()
        self._size -= len(part)
        if self._size <= _LOW_BYTES:
            self._source.resume_reading()
        return part

    async def aclose(self) -> None:
        """Leave: the handler's generator is closed, and what it still says is passed over."""
        self.close()

    def close(self) -> None:
        """Leave, without a wait."""
        self._waiting.clear()
        self._size = 0
        self._error = None
        if not self._is_over:
            self._is_over = True
            self._source.resume_reading()
            self._source.cancel()

    def _wake(self) -> None:
        arrival, self._arrival = self._arrival, None
        if arrival is not None and not arrival.done():
            arrival.set_result(None)
