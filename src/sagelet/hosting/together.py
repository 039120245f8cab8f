"""Starts and ends that a cancellation must not break off half-way.

A task may be cancelled in the very turn of the event loop in which what it waits for is there. What
that made would belong to nobody then: a worker that runs on, with its socket and its pipe open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")

Undo: TypeAlias = Callable[[list[T]], Awaitable[None]]
"""Ends what has come up for nothing."""


async def to_the_end(work: Awaitable[T]) -> T:
    """Return what some work made; if this is cancelled meanwhile, the work is finished first."""
    working = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not working.done():
        try:
            await asyncio.wait({working})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled from (None if working.cancelled() else working.exception())
    return working.result()


async def start_together(starts: Iterable[Coroutine[Any, Any, T]], undo: Undo[T]) -> list[T]:
    """Return what all starts made; if one fails, or this is cancelled, undo what came up.

    Raises whatever the first one that failed did.
    """
    tasks = [asyncio.create_task(start) for start in starts]
    try:
        # Not gather: it would cancel them as well, and to be cancelled once is enough.
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()  # raises what the task did
        return [task.result() for task in tasks]
    except BaseException:
        await to_the_end(_take_back(tasks, undo))
        raise


async def unless(event: asyncio.Event, work: Coroutine[Any, Any, T], undo: Undo[T]) -> T | None:
    """Return what some work made; None, and it is broken off, where an event comes first.

    If this is cancelled, it is broken off too, and what it had made by then is undone.
    """
    working = asyncio.create_task(work)
    coming = asyncio.create_task(event.wait())
    try:
        await asyncio.wait({working, coming}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            working.cancel()
            await asyncio.wait({working})
    except asyncio.CancelledError:
        await to_the_end(_take_back([working], undo))
        raise
    finally:
        coming.cancel()
    return None if working.cancelled() else working.result()


async def _take_back(tasks: Sequence[asyncio.Task[T]], undo: Undo[T]) -> None:
    for task in tasks:
        task.cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    await undo([each for each in done if not isinstance(each, BaseException)])
