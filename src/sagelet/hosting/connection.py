"""The daemon's end of a worker's socket: one frame out, one frame back."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from typing import Any, cast

from sagelet.worker.frames import Frame, FrameDecoder, encode_frame


class ConnectionGone(Exception):
    """The worker's socket has ended. `asked` tells whether it had been asked something."""

    def __init__(self, *, asked: bool) -> None:
        """Keep whether an answer is owed."""
        super().__init__("the worker is gone")
        self.asked = asked


class WorkerConnection(asyncio.Protocol):
    """Frames over a stream socket. A worker is asked one thing at a time.

    `on_reply` is called with each reply (whether or not anybody still waits for it), and `on_lost`
    once, when the socket has ended.
    """

    def __init__(self) -> None:
        """Begin by waiting for what the worker says first."""
        self._decoder = FrameDecoder()
        self._transport: asyncio.Transport | None = None
        self._reply: asyncio.Future[Frame] | None = None
        self.on_reply: Callable[[Frame], None] = _ignore
        self.on_lost: Callable[[], None] = _nothing
        self.is_lost = False

    @classmethod
    async def over(cls, sock: socket.socket) -> WorkerConnection:
        """Speak over a connected socket, which belongs to the connection from now on."""
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_unix_connection(cls, sock=sock)
        return connection

    def first_words(self) -> asyncio.Future[Frame]:
        """Return the reply that a worker gives unasked: whether its model is loaded."""
        return self._expect()

    def ask(self, header: Mapping[str, Any], body: bytes = b"") -> asyncio.Future[Frame]:
        """Send a frame; the result is the reply, or ConnectionGone."""
        if self._transport is None or self.is_lost or self._transport.is_closing():
            raise ConnectionGone(asked=False)
        reply = self._expect()
        self._transport.write(encode_frame(header, body))
        if self._transport.is_closing():
            self._reply = None
            raise ConnectionGone(asked=False)  # the kernel would not take it: it was dead already
        return reply

    def tell(self, header: Mapping[str, Any]) -> None:
        """Send a frame that has no reply."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(encode_frame(header))

    def close(self) -> None:
        """Hang up; the worker ends by itself."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Hand each whole frame to whoever waits for it."""
        try:
            frames = self._decoder.feed(data)
        except ValueError:
            self.close()  # a handler wrote to our socket; what comes after means nothing
            return
        for frame in frames:
            reply, self._reply = self._reply, None
            if reply is not None and not reply.done():
                reply.set_result(frame)
            self.on_reply(frame)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits that no reply will come."""
        del exc  # how it was lost makes no difference
        self.is_lost = True
        reply, self._reply = self._reply, None
        if reply is not None and not reply.done():
            reply.set_exception(ConnectionGone(asked=True))
        self.on_lost()

    def _expect(self) -> asyncio.Future[Frame]:
        self._reply = asyncio.get_running_loop().create_future()
        if self.is_lost:
            self._reply.set_exception(ConnectionGone(asked=True))
        return self._reply


def _nothing() -> None:
    """Do nothing: nobody listens yet."""


def _ignore(_: Frame) -> None:
    """Do nothing with a reply: nobody listens yet."""
