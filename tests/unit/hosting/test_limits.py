"""One timer for the earliest of many time limits."""

from __future__ import annotations

import asyncio
from math import inf
from time import monotonic

from sagelet.hosting.limits import Limits


async def test_it_looks_when_the_earliest_is_over_and_again_for_what_is_left() -> None:
    looks: list[float] = []
    begun = monotonic()
    second = asyncio.Event()

    def look(now: float) -> float:
        looks.append(now - begun)
        if len(looks) == 2:
            second.set()
        return begun + 0.06 if len(looks) == 1 else inf

    limits = Limits(look)
    limits.watch(begun + 10)
    limits.watch(begun + 0.03)
    limits.watch(begun + 20)
    async with asyncio.timeout(5):
        await second.wait()
    assert looks[0] >= 0.029
    assert looks[1] >= 0.059
    assert limits.next == inf


async def test_what_is_over_already_is_looked_at_soon() -> None:
    looked = asyncio.Event()

    def look(now: float) -> float:
        looked.set()
        return inf

    Limits(look).watch(monotonic() - 1)
    async with asyncio.timeout(5):
        await looked.wait()


async def test_no_limit_sets_no_timer() -> None:
    limits = Limits(lambda now: inf)
    limits.watch(inf)
    assert limits.next == inf
    limits.close()
