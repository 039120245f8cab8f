"""Several things started at once, of which all come up or none stays; one that may be too late."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def start_together(
    starts: Iterable[Coroutine[Any, Any, T]], undo: Callable[[list[T]], Awaitable[None]]
) -> list[T]:
    """Return what all starts made; if one fails, or this is cancelled, undo what came up.

    Raises whatever the first one that failed did.
    """
    tasks = [asyncio.create_task(start) for start in starts]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        await undo([each for each in done if not isinstance(each, BaseException)])
        raise


async def unless(event: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """Return what some work made; None, and it is broken off, where an event comes first."""
    working = asyncio.ensure_future(work)
    coming = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({working, coming}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        coming.cancel()
        if not working.done():
            working.cancel()
            await asyncio.wait({working})
    return None if working.cancelled() else working.result()
