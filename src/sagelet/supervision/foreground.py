"""A worker that a person runs on a terminal, as one more way to launch a worker.

    daemon ── connects to the socket ──> `sagelet dev --debug`
           ── length, order, descriptors ──>   starts a process on its terminal, hands them on
           <── {"pid": N} ──
           <── {"exit_code": N} ── or the end of the socket, with which the worker has ended too

The process is not the daemon's child: the connection tells of its life.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import struct
from collections.abc import Sequence
from pathlib import Path

from sagelet.errors import ChildFailed
from sagelet.supervision import descriptors
from sagelet.supervision.child import Child
from sagelet.supervision.process import ProcessId, started_at
from sagelet.worker.spec import ServeOrder, order_from_json, to_json

UNHURRIED_S = 7 * 24 * 3600.0
"""Stands for no limit where a person looks around: timers take no infinity."""

_LENGTH = struct.Struct("!I")
_DESCRIPTORS = 3
_WHAT = "a worker in the foreground"


class ForegroundLauncher:
    """Launches a worker by asking whoever listens at a Unix socket."""

    def __init__(self, path: Path) -> None:
        """Take the socket's path."""
        self._path = path
        self._watchers: set[asyncio.Task[None]] = set()

    async def launch(self, order: ServeOrder, fds: Sequence[int]) -> Child:
        """Have a worker started with an order and [frame socket, stdout, stderr].

        Raises:
            ChildFailed: nobody listens, or no worker was started.
        """
        reader, writer = await self._connect(order, fds)
        try:
            pid = int(json.loads(await reader.readline())["pid"])
        except (OSError, ValueError) as error:
            writer.close()
            raise ChildFailed(what=_WHAT, log_tail="no process was started") from error
        ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        watcher = asyncio.ensure_future(_watch(reader, writer, ended))
        self._watchers.add(watcher)
        watcher.add_done_callback(self._watchers.discard)
        return Child(ProcessId(pid, started_at(pid) or 0.0), warm=False, exit_code=ended)

    async def _connect(
        self, order: ServeOrder, fds: Sequence[int]
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(0)
        text = to_json(order).encode()
        try:
            await asyncio.get_running_loop().sock_connect(sock, str(self._path))
            await descriptors.send(sock, _LENGTH.pack(len(text)) + text, fds)
            return await asyncio.open_unix_connection(sock=sock)
        except OSError as error:
            sock.close()
            why = f"nobody listens at {self._path}; `sagelet dev --debug` does"
            raise ChildFailed(what=_WHAT, log_tail=why) from error


def receive(connection: socket.socket) -> tuple[ServeOrder, list[int]]:
    """Read an order and its descriptors from the daemon's connection, which blocks.

    Raises:
        ValueError: it is no order to serve, or the other side has gone.
    """
    first, fds, _flags, _address = socket.recv_fds(connection, _LENGTH.size, _DESCRIPTORS)
    head = first + _exactly(connection, _LENGTH.size - len(first))
    text = _exactly(connection, _LENGTH.unpack(head)[0]).decode()
    try:
        order = order_from_json(text)
    except (KeyError, TypeError) as error:
        raise ValueError(f"no order: {text}") from error
    if not isinstance(order, ServeOrder) or len(fds) != _DESCRIPTORS:
        raise ValueError("an order that is not to serve")
    return order, fds


def _exactly(connection: socket.socket, size: int) -> bytes:
    parts = []
    while size > 0:
        part = connection.recv(size)
        if not part:
            raise ValueError("the daemon hung up")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


async def _watch(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ended: asyncio.Future[int]
) -> None:
    """Tell of the worker's end; whoever ran it may have been killed with it."""
    code = -signal.SIGKILL
    try:
        code = int(json.loads(await reader.readline())["exit_code"])
    except (OSError, ValueError):
        pass  # the end of the connection is the end of the worker, too
    finally:
        writer.close()
        if not ended.done():
            ended.set_result(int(code))
