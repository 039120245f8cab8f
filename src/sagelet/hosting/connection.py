"""The daemon's end of a worker's socket: frames out, frames back in the same order."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import cast

from sagelet.worker.frames import Frame, FrameDecoder


class ConnectionGone(Exception):
    """The worker's socket has ended. `asked` tells whether it had been asked something."""

    def __init__(self, *, asked: bool) -> None:
        """Keep whether an answer is owed."""
        super().__init__("the worker is gone")
        self.asked = asked


class WorkerConnection(asyncio.Protocol):
    """Frames over a stream socket.

    `on_frame` is called with each frame, and `on_lost` once, when the socket has ended. Until
    somebody else listens, the first frame is kept for `first_words`.
    """

    def __init__(self, sock: socket.socket) -> None:
        """Begin by waiting for what the worker says first."""
        self._sock = sock
        self._decoder = FrameDecoder()
        self._transport: asyncio.Transport | None = None
        self._is_behind = False
        self._first: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self.on_frame: Callable[[Frame], None] = self._keep
        self.on_lost: Callable[[], None] = _nothing
        self.is_lost = False

    @classmethod
    async def over(cls, sock: socket.socket) -> WorkerConnection:
        """Speak over a connected socket, which belongs to the connection from now on."""
        loop = asyncio.get_running_loop()
        sock.settimeout(0)
        try:
            _, connection = await loop.create_unix_connection(lambda: cls(sock), sock=sock)
        except BaseException:
            sock.close()
            raise
        return connection

    async def first_words(self) -> Frame:
        """Wait for what a worker says unasked: whether its model is loaded.

        Raises:
            ConnectionGone: it ended without a word.
        """
        return await self._first

    def send(self, frame: bytes) -> None:
        """Send a frame.

        It goes to the kernel at once where that takes it: the worker need not wait for this turn
        of the event loop to end, and a socket that has ended is noticed before anything was asked.

        Raises:
            ConnectionGone: the socket has ended; nothing was asked.
        """
        transport = self._transport
        if self.is_lost or transport is None or transport.is_closing():
            raise ConnectionGone(asked=False)
        rest: bytes | memoryview = frame
        if not self._is_behind:
            try:
                sent = self._sock.send(frame)
            except BlockingIOError:
                sent = 0
            except OSError:
                transport.close()
                raise ConnectionGone(asked=False) from None
            if sent == len(frame):
                return
            rest = memoryview(frame)[sent:]
        transport.write(rest)
        self._is_behind = transport.get_write_buffer_size() > 0

    def close(self) -> None:
        """Hang up; the worker ends by itself."""
        if self._transport is not None:
            self._transport.close()

    def pause_reading(self) -> None:
        """Take no more from the worker for now; what it says waits, and soon it does too."""
        if self._transport is not None and self._transport.is_reading():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take what the worker says again."""
        transport = self._transport
        if transport is not None and not transport.is_closing() and not transport.is_reading():
            transport.resume_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=0)

    def resume_writing(self) -> None:
        """The kernel has taken all that was to be sent."""
        self._is_behind = False

    def data_received(self, data: bytes) -> None:
        """Hand on each whole frame."""
        try:
            frames = self._decoder.feed(data)
        except ValueError:
            self.close()  # a handler wrote to our socket; what comes after means nothing
            return
        for frame in frames:
            self.on_frame(frame)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits that nothing more will come."""
        del exc  # how it was lost makes no difference
        self.is_lost = True
        if not self._first.done():
            self._first.set_exception(ConnectionGone(asked=True))
            self._first.exception()  # perhaps nobody asks for it
        self.on_lost()

    def _keep(self, frame: Frame) -> None:
        if not self._first.done():
            self._first.set_result(frame)


def _nothing() -> None:
    """Do nothing: nobody listens yet."""
