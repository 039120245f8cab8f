from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from sagelet.server import bodies
from sagelet.server.bodies import ClientGone, read_whole, stream, unless_gone
from sagelet.wire.faults import Fault
from sagelet.wire.messages import Headers

Message = MutableMapping[str, Any]


class Peer:
    """Sends what a test says, each after a pause."""

    def __init__(self, *messages: Message, pause_s: float = 0.0) -> None:
        self._messages = list(messages)
        self._pause_s = pause_s

    async def receive(self) -> Message:
        await asyncio.sleep(self._pause_s)
        if not self._messages:
            await asyncio.Event().wait()
        return self._messages.pop(0)


def part(body: bytes, *, more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


GONE: Message = {"type": "http.disconnect"}


async def test_a_body_is_put_together() -> None:
    peer = Peer(part(b"a"), part(b""), part(b"b", more=False))
    assert await read_whole(peer.receive, Headers(), limit=2, code="X") == b"ab"


async def test_a_body_that_trickles_has_one_deadline_for_all_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "BODY_S", 0.1)
    peer = Peer(*[part(b"a")] * 100, pause_s=0.02)
    with pytest.raises(Fault) as caught:
        await read_whole(peer.receive, Headers(), limit=1000, code="X")
    assert (caught.value.code, caught.value.status) == ("RequestTimeout", 408)


async def test_a_stream_may_take_as_long_as_it_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "IDLE_S", 0.1)
    peer = Peer(*[part(b"a" * 1000)] * 10, part(b"", more=False), pause_s=0.02)
    assert sum([len(each) async for each in stream(peer.receive)]) == 10_000


async def test_a_stream_that_stops_is_timed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "IDLE_S", 0.05)
    with pytest.raises(Fault, match="Idle connections"):
        _ = [each async for each in stream(Peer(part(b"a" * 10_000)).receive)]


async def test_a_stream_that_trickles_is_timed_out_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "IDLE_S", 0.1)
    peer = Peer(*[part(b"a")] * 100, pause_s=0.02)
    with pytest.raises(Fault) as caught:
        _ = [each async for each in stream(peer.receive)]
    assert (caught.value.code, caught.value.status) == ("RequestTimeout", 400)


async def test_what_is_awaited_is_returned_while_the_peer_listens() -> None:
    assert await unless_gone(asyncio.sleep(0, "done"), Peer().receive) == "done"


async def test_what_is_awaited_is_cancelled_when_the_peer_leaves() -> None:
    pending: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    with pytest.raises(ClientGone):
        await unless_gone(pending, Peer(GONE).receive)
    assert pending.cancelled()


async def test_what_is_awaited_may_fail() -> None:
    async def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match=r"^no$"):
        await unless_gone(fail(), Peer().receive)
