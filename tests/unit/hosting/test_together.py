"""What is started together, or unless something happens, when a cancellation comes in between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from sagelet.hosting.together import start_together, to_the_end, unless


class Starts:
    """Starts of things that are up when they are let, and what was undone."""

    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.undone: list[str] = []
        self.broken_off: list[str] = []
        self.may_break_off = asyncio.Event()

    async def start(self, name: str) -> str:
        try:
            await self.let.wait()
        except asyncio.CancelledError:
            await self.may_break_off.wait()
            self.broken_off.append(name)
            raise
        return name

    async def undo(self, up: list[str]) -> None:
        await asyncio.sleep(0)
        self.undone += up


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def _cancelled(task: asyncio.Task[object]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("turns", range(8))
async def test_what_came_up_when_a_cancellation_came_is_undone(turns: int) -> None:
    both: list[Callable[[Starts], Awaitable[object]]] = [
        lambda starts: unless(asyncio.Event(), starts.start("a"), starts.undo),
        lambda starts: start_together([starts.start("a")], starts.undo),
    ]
    for begin in both:
        starts = Starts()
        starts.may_break_off.set()
        task = asyncio.ensure_future(begin(starts))
        await _turns(3)
        starts.let.set()
        await _turns(turns)
        if task.done():  # the caller has it
            assert (await task, starts.undone) in [("a", []), (["a"], [])]
            continue
        await _cancelled(task)
        assert starts.undone + starts.broken_off == ["a"]


async def test_of_several_those_that_came_up_are_undone_and_the_others_broken_off_once() -> None:
    slow, quick = Starts(), Starts()
    quick.let.set()
    task = asyncio.ensure_future(
        start_together([quick.start("a"), slow.start("b"), quick.start("c")], quick.undo)
    )
    await _turns(3)
    task.cancel()
    await _turns(3)
    task.cancel()
    await _turns(3)
    assert not task.done()
    slow.may_break_off.set()
    await _cancelled(task)
    assert (quick.undone, slow.broken_off) == (["a", "c"], ["b"])


async def test_of_several_the_first_that_fails_is_why_none_stays() -> None:
    async def fails() -> str:
        raise ValueError("no")

    starts = Starts()
    starts.let.set()
    with pytest.raises(ValueError, match="no"):
        await start_together([starts.start("a"), fails(), starts.start("b")], starts.undo)
    assert starts.undone + starts.broken_off == ["a", "b"]


async def test_work_is_broken_off_where_an_event_comes_first() -> None:
    starts, event = Starts(), asyncio.Event()
    starts.may_break_off.set()
    work = unless(event, starts.start("a"), starts.undo)
    task = asyncio.create_task(work)
    await _turns(3)
    event.set()
    assert await task is None
    assert starts.broken_off == ["a"]


async def test_a_wait_for_what_is_broken_off_may_be_cancelled_and_goes_on() -> None:
    starts, event = Starts(), asyncio.Event()

    async def undo(up: list[list[str]]) -> None:
        assert not up

    work = unless(event, start_together([starts.start("a")], starts.undo), undo)
    task = asyncio.create_task(work)
    await _turns(3)
    event.set()
    await _turns(3)
    task.cancel()
    await _turns(3)
    assert not task.done()
    starts.may_break_off.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert starts.broken_off == ["a"]


async def test_what_goes_to_the_end_does_so_however_often_it_is_cancelled() -> None:
    over = asyncio.Event()
    task = asyncio.ensure_future(to_the_end(over.wait()))
    for _ in range(3):
        await _turns(2)
        task.cancel()
    await _turns(2)
    assert not task.done()
    over.set()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_goes_to_the_end_returns_or_fails_as_the_work_does() -> None:
    async def fails() -> str:
        raise ValueError("no")

    assert await to_the_end(asyncio.sleep(0, "done")) == "done"
    with pytest.raises(ValueError, match="no"):
        await to_the_end(fails())
