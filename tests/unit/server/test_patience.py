from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sagelet.errors import EndpointNotFound
from sagelet.server import patience
from sagelet.server.bodies import ClientGone
from sagelet.server.patience import patiently
from sagelet.wire.messages import Response, StreamedResponse

HEADERS = (("content-type", "application/x-amz-json-1.1"),)


class Peer:
    """A client that has sent its request, and may leave."""

    def __init__(self) -> None:
        self.left = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "EVERY_S", 0.02)


async def answer_after(event: asyncio.Event) -> Response:
    await event.wait()
    return Response(200, HEADERS, b"{}")


async def test_an_answer_that_comes_soon_is_an_ordinary_one() -> None:
    ready = asyncio.Event()
    ready.set()
    answer = await patiently(answer_after(ready), Peer().receive, headers=HEADERS)
    assert answer == Response(200, HEADERS, b"{}")


async def test_an_answer_that_is_held_begins_with_blanks() -> None:
    ready = asyncio.Event()
    answer = await patiently(answer_after(ready), Peer().receive, headers=HEADERS)
    assert isinstance(answer, StreamedResponse)
    parts = []
    async for part in answer.body:
        parts.append(part)
        if len(parts) == 3:
            ready.set()
    assert parts[:3] == [b" "] * 3
    assert b"".join(parts).strip() == b"{}"


async def test_an_error_that_comes_soon_keeps_its_status() -> None:
    async def fail() -> Response:
        raise EndpointNotFound(name="x")

    with pytest.raises(EndpointNotFound):
        await patiently(fail(), Peer().receive, headers=HEADERS)


async def test_an_error_that_comes_late_breaks_the_answer_off() -> None:
    ready = asyncio.Event()

    async def fail() -> Response:
        await ready.wait()
        raise EndpointNotFound(name="x")

    answer = await patiently(fail(), Peer().receive, headers=HEADERS)
    assert isinstance(answer, StreamedResponse)
    ready.set()
    with pytest.raises(EndpointNotFound):
        [part async for part in answer.body]


async def test_nothing_is_held_for_a_peer_that_left() -> None:
    peer, never = Peer(), asyncio.Event()
    held = asyncio.ensure_future(answer_after(never))
    answer = await patiently(held, peer.receive, headers=HEADERS)
    assert isinstance(answer, StreamedResponse)
    peer.left.set()
    with pytest.raises(ClientGone):
        [part async for part in answer.body]
    await asyncio.wait({held}, timeout=1)
    assert held.cancelled()
