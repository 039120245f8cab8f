"""The public listener's connections: their bounds in number, size and time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

import pytest

from sagelet.errors import InvalidRequest, PortTaken
from sagelet.server.asgi import Send
from sagelet.server.bodies import Receive
from sagelet.server.public_listener import CONNECTIONS_EACH, MAX_BODY_BYTES, PublicSockets
from sagelet.wire.faults import Fault
from tests.door_rig import read_answer

HOST = "127.0.0.1"
GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
PATIENCE_S = 10.0


class Echo:
    """Answers with the size of the body; `gate` holds its answers, `large` makes them long."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked, self.answered = asyncio.Event(), asyncio.Event()
        self.large = 0

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        size, more = 0, True
        status = 200
        try:
            while more:
                message = await receive()
                size += len(message.get("body", b""))
                more = message.get("more_body", False)
        except Fault as fault:
            status = fault.status
        self.asked.set()
        await self.gate.wait()
        body = b"x" * self.large or str(size).encode()
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        self.answered.set()


@asynccontextmanager
async def served(app: Echo, **lives: float) -> AsyncIterator[int]:
    sockets = PublicSockets(**lives)
    opened = await sockets.open(HOST, 0, app, is_proxy=lambda _: False)
    yield opened.number
    await sockets.close(0)


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def ended(reader: asyncio.StreamReader) -> bytes:
    """Return what comes until the connection is closed, or torn."""
    told = b""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while part := await reader.read(65536):
                told += part
    except ConnectionResetError:
        pass
    return told


async def status_of(port: int) -> int:
    """Ask on a connection of its own."""
    async with connected(port) as (reader, writer):
        writer.write(GET)
        answer = await asyncio.wait_for(read_answer(reader), PATIENCE_S)
    return int(answer.split()[1])


async def test_a_body_is_bounded_whether_its_length_is_told_or_not() -> None:
    part = b"x" * (MAX_BODY_BYTES + 1)
    chunked = b"%x\r\n%s\r\n" % (len(part), part)
    told, untold = f"content-length: {len(part)}", "transfer-encoding: chunked"
    async with served(Echo()) as port:
        for head, body in ((told, part), (untold, chunked)):
            async with connected(port) as (reader, writer):
                writer.write(f"POST / HTTP/1.1\r\nhost: x\r\n{head}\r\n\r\n".encode() + body)
                answer = await asyncio.wait_for(read_answer(reader), PATIENCE_S)
                assert answer.startswith(b"HTTP/1.1 413"), head


async def test_one_address_has_so_many_connections_until_one_ends() -> None:
    async with served(Echo()) as port, AsyncExitStack() as stack:
        held = [await stack.enter_async_context(connected(port)) for _ in range(CONNECTIONS_EACH)]
        reader, writer = held[0]
        writer.write(GET)
        assert b" 200 " in await asyncio.wait_for(read_answer(reader), PATIENCE_S)
        assert await status_of(port) == 503
        writer.close()
        async with asyncio.timeout(PATIENCE_S):
            while await status_of(port) != 200:
                await asyncio.sleep(0)


async def test_a_connection_ends_though_it_is_used_and_not_before_it_is_answered() -> None:
    app = Echo()
    app.gate.clear()
    async with served(app, life_s=0.2) as port, connected(port) as (reader, writer):
        writer.write(GET)
        async with connected(port) as (idle, _):
            assert await ended(idle) == b""
        app.gate.set()
        assert (await ended(reader)).endswith(b"\r\n\r\n0")


async def test_whoever_does_not_read_their_answer_is_let_go() -> None:
    app = Echo()
    app.large = 50 * 10**6
    lives = {"life_s": 0.1, "last_words_s": 0.1}
    async with served(app, **lives) as port, connected(port) as (reader, writer):
        transport = cast("asyncio.ReadTransport", writer.transport)
        transport.pause_reading()
        writer.write(GET)
        async with asyncio.timeout(PATIENCE_S):
            await app.answered.wait()
        transport.resume_reading()
        assert len(await ended(reader)) < app.large


async def test_what_cannot_be_opened_is_told() -> None:
    sockets = PublicSockets()
    app = Echo()
    port = (await sockets.open(HOST, 0, app, is_proxy=lambda _: False)).number
    with pytest.raises(PortTaken):
        await sockets.open(HOST, port, app, is_proxy=lambda _: False)
    with pytest.raises(InvalidRequest, match="no address of this machine"):
        await sockets.open("203.0.113.1", 0, app, is_proxy=lambda _: False)
    await sockets.close(0)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(HOST, port)


async def test_what_has_been_asked_is_answered_when_it_closes() -> None:
    app = Echo()
    app.gate.clear()
    sockets = PublicSockets()
    opened = await sockets.open(HOST, 0, app, is_proxy=lambda _: False)
    async with connected(opened.number) as (reader, writer):
        writer.write(GET)
        async with asyncio.timeout(PATIENCE_S):
            await app.asked.wait()
        closing = asyncio.create_task(sockets.close(PATIENCE_S))
        await asyncio.sleep(0)
        app.gate.set()
        assert (await ended(reader)).endswith(b"\r\n\r\n0")
        await closing
