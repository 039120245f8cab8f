"""A server that answers each request with its body, from the parts that ours is made of.

python echo.py PORT            uvloop, httptools
python echo.py PORT --routed   the same; each body goes to a worker and comes back, as a frame
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import sys
from collections import deque
from collections.abc import Callable
from typing import cast

import httptools
import uvloop

_SIZE = struct.Struct("!I")
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"


class Echo(asyncio.Protocol):
    """One connection; a client here asks again only when it has been answered."""

    def __init__(self, answer: Callable[[bytes, Callable[[bytes], None]], None]) -> None:
        """Take what makes an answer of a body and hands it to a function."""
        self._answer = answer
        self._parser = httptools.HttpRequestParser(self)
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Parse."""
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """Collect."""
        self._body += body

    def on_message_complete(self) -> None:
        """Answer."""
        body, self._body = self._body, b""
        self._answer(body, self._send)

    def _send(self, body: bytes) -> None:
        self._transport.write(_HEAD % len(body) + body)


class Router(asyncio.Protocol):
    """The router's end of the socket to the worker, which answers in order."""

    def __init__(self) -> None:
        """Nothing is waiting yet."""
        self._waiting: deque[Callable[[bytes], None]] = deque()
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def ask(self, body: bytes, answered: Callable[[bytes], None]) -> None:
        """Send a frame."""
        self._waiting.append(answered)
        self._transport.write(_SIZE.pack(len(body)) + body)

    def data_received(self, data: bytes) -> None:
        """Hand over each whole frame."""
        self._buffer += data
        while len(self._buffer) >= _SIZE.size:
            end = _SIZE.size + _SIZE.unpack_from(self._buffer)[0]
            if len(self._buffer) < end:
                return
            body, self._buffer = self._buffer[_SIZE.size : end], self._buffer[end:]
            self._waiting.popleft()(body)


def work(sock: socket.socket) -> None:
    """Send each frame back, one at a time, until the socket ends."""
    with sock, sock.makefile("rb") as frames:
        while head := frames.read(_SIZE.size):
            sock.sendall(head + frames.read(_SIZE.unpack(head)[0]))


def at_once(body: bytes, send: Callable[[bytes], None]) -> None:
    """Answer with the body."""
    send(body)


async def serve(port: int, sock: socket.socket | None) -> None:
    """Listen for ever."""
    loop = asyncio.get_running_loop()
    answer: Callable[[bytes, Callable[[bytes], None]], None] = at_once
    if sock is not None:
        _, router = await loop.create_connection(Router, sock=sock)
        answer = router.ask
    server = await loop.create_server(lambda: Echo(answer), "127.0.0.1", port)
    await server.serve_forever()


def main() -> None:
    """Start what the arguments say."""
    ours: socket.socket | None = None
    if "--routed" in sys.argv:
        ours, theirs = socket.socketpair()
        if os.fork() == 0:
            ours.close()
            work(theirs)
            return
        theirs.close()
        ours.settimeout(0)
    uvloop.run(serve(int(sys.argv[1]), ours))


if __name__ == "__main__":
    main()
