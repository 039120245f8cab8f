"""The daemon's end of a worker's socket, over a socket pair."""

from __future__ import annotations

import asyncio
import socket

import pytest

from sagelet.hosting.connection import ConnectionGone, WorkerConnection
from sagelet.worker.frames import Frame, encode_frame, read_frame


@pytest.fixture
def pair() -> tuple[socket.socket, socket.socket]:
    ours, theirs = socket.socketpair()
    theirs.settimeout(5)
    return ours, theirs


async def test_the_first_frame_is_kept_until_somebody_asks_and_later_ones_are_handed_on(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    with theirs:
        theirs.sendall(encode_frame({"op": "loaded"}))
        connection = await WorkerConnection.over(ours)
        assert (await connection.first_words()).header == {"op": "loaded"}
        heard: asyncio.Queue[Frame] = asyncio.Queue()
        connection.on_frame = heard.put_nowait
        theirs.sendall(encode_frame({"op": "a"}, b"1") + encode_frame({"op": "b"}))
        assert [await heard.get(), await heard.get()] == [
            Frame({"op": "a"}, b"1"),
            Frame({"op": "b"}),
        ]
        connection.close()


async def test_what_is_sent_after_the_kernel_would_take_no_more_keeps_its_order(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    with theirs:
        connection = await WorkerConnection.over(ours)
        bodies = [bytes([number]) * 2**20 for number in range(3)]
        for number, body in enumerate(bodies):
            connection.send(encode_frame({"id": number}, body))
        connection.send(encode_frame({"id": 3}))
        read = [await asyncio.to_thread(read_frame, theirs) for _ in range(4)]
        assert read == [Frame({"id": number}, body) for number, body in enumerate([*bodies, b""])]
        connection.send(encode_frame({"id": 4}))
        assert await asyncio.to_thread(read_frame, theirs) == Frame({"id": 4})
        connection.close()


async def test_a_socket_that_has_ended_is_noticed_before_anything_is_asked(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    connection = await WorkerConnection.over(ours)
    lost = asyncio.Event()
    connection.on_lost = lost.set
    theirs.close()
    with pytest.raises(ConnectionGone) as gone:
        connection.send(encode_frame({"op": "invoke"}))
    assert not gone.value.asked
    async with asyncio.timeout(5):
        await lost.wait()
    with pytest.raises(ConnectionGone):
        await connection.first_words()
    with pytest.raises(ConnectionGone):
        connection.send(b"")


async def test_bytes_that_are_no_frame_end_the_connection(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    with theirs:
        connection = await WorkerConnection.over(ours)
        lost = asyncio.Event()
        connection.on_lost = lost.set
        theirs.sendall(b"\xff" * 16)
        async with asyncio.timeout(5):
            await lost.wait()
        assert connection.is_lost
