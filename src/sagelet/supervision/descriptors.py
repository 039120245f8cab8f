"""Sending descriptors over a Unix socket from an event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence


async def send(sock: socket.socket, data: bytes, fds: Sequence[int]) -> None:
    """Write data whose first byte carries descriptors; the socket does not block.

    Raises:
        OSError: the other side has gone.
    """
    sent = 0
    if fds:
        while not (sent := _try_to_send(sock, data, fds)):
            await _writable(sock)
    if sent < len(data):
        await asyncio.get_running_loop().sock_sendall(sock, memoryview(data)[sent:])


def _try_to_send(sock: socket.socket, data: bytes, fds: Sequence[int]) -> int:
    try:
        return socket.send_fds(sock, [data], fds)
    except BlockingIOError:
        return 0


async def _writable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    room = asyncio.Event()
    loop.add_writer(sock, room.set)
    try:
        await room.wait()
    finally:
        loop.remove_writer(sock)
