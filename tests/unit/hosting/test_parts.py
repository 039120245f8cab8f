"""The parts of a stream between a worker and a client."""

from __future__ import annotations

import asyncio

import pytest

from sagelet.errors import ModelStreamBroken
from sagelet.hosting.streams import Parts


class Source:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.is_paused = False
        self.is_cancelled = False

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False

    def cancel(self) -> None:
        self.is_cancelled = True


async def test_more_than_a_mebibyte_that_waits_pauses_the_source_until_little_is_left() -> None:
    source = Source()
    parts = Parts(source)
    for _ in range(5):
        parts.put(bytes(2**18))
    assert source.is_paused
    for _ in range(3):
        await anext(parts)
        assert source.is_paused
    await anext(parts)
    assert not source.is_paused


async def test_whoever_waits_gets_the_next_part_or_the_end() -> None:
    parts = Parts(Source())
    waiting = asyncio.ensure_future(anext(parts))
    await asyncio.sleep(0)
    parts.put(b"")
    parts.put(b"a")
    assert await waiting == b"a"
    rest = asyncio.ensure_future(_all(parts))
    await asyncio.sleep(0)
    parts.end()
    assert await rest == []


async def test_an_error_comes_after_the_parts_before_it_and_once() -> None:
    parts = Parts(Source())
    parts.put(b"a")
    parts.end(ModelStreamBroken(code="StreamBroken", message="no"))
    parts.end()
    assert await anext(parts) == b"a"
    with pytest.raises(ModelStreamBroken):
        await anext(parts)
    assert await _all(parts) == []


async def test_leaving_cancels_what_is_not_over_once() -> None:
    source = Source()
    parts = Parts(source)
    parts.put(bytes(2**21))
    await parts.aclose()
    assert source.is_cancelled
    assert not source.is_paused
    assert await _all(parts) == []
    parts.put(b"late")
    assert await _all(parts) == []

    over = Source()
    parts = Parts(over)
    parts.end()
    await parts.aclose()
    assert not over.is_cancelled


async def _all(parts: Parts) -> list[bytes]:
    return [part async for part in parts]
