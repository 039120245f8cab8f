"""An endless answer ends: whoever ends it, what gives its parts is closed and its place is free."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from sagelet.web.api.sse import EventStream

PATIENCE_S = 5.0


async def endless(closed: list[str]) -> AsyncGenerator[bytes, None]:
    try:
        while True:
            yield b": .\n\n"
    finally:
        closed.append("parts")


async def silent() -> dict[str, Any]:
    """Receive nothing: the client is there."""
    await asyncio.Event().wait()
    return {}


async def test_a_client_that_takes_nothing_is_not_waited_for() -> None:
    ended: list[str] = []

    async def send(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    stream = EventStream(
        endless(ended),
        ending=asyncio.Event(),
        leave=lambda: ended.append("place"),
        may_go_on=lambda: True,
        stalled_s=0.01,
    )
    async with asyncio.timeout(PATIENCE_S):
        await stream({"type": "http", "method": "GET"}, silent, send)
    assert ended == ["parts", "place"]


async def test_a_daemon_that_stops_ends_the_answer_whole() -> None:
    ended: list[str] = []
    sent: list[Mapping[str, Any]] = []
    ending = asyncio.Event()

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)
        if len(sent) == 3:
            ending.set()
        await asyncio.sleep(0)

    stream = EventStream(
        endless(ended),
        ending=ending,
        leave=lambda: ended.append("place"),
        may_go_on=lambda: True,
    )
    async with asyncio.timeout(PATIENCE_S):
        await stream({"type": "http", "method": "GET"}, silent, send)
    assert ended == ["parts", "place"]
    assert sent[-1] == {"type": "http.response.body", "body": b""}
