"""Requests ahead of what a busy worker is at: who gets them, and what becomes of them."""

from __future__ import annotations

import asyncio

import pytest

from sagelet.domain.invocation import StreamedAnswer
from sagelet.errors import QueueFull
from sagelet.hosting.handler_swap import Swapped, swap
from sagelet.worker.frames import Frame
from tests.hosting_rig import until
from tests.pool_rig import InOrder, PoolRig, a_pool
from tests.scripted_workers import answer


def the_worker(rig: PoolRig, place: int = 0) -> InOrder:
    worker = rig.launcher.workers[place]
    assert isinstance(worker, InOrder)
    return worker


async def test_a_worker_that_answers_quickly_has_its_next_request_early_and_one_only() -> None:
    async with a_pool(InOrder, workers=1, most_ahead=1) as rig:
        await rig.quicken()
        worker = the_worker(rig)
        waiting = [rig.begin(body) for body in (b"hold", b"second", b"third")]
        await until(lambda: worker.received[-2:] == [b"hold", b"second"])
        assert rig.pool.facts().waiting == 1
        worker.let_go()
        said = await asyncio.gather(*waiting)
        assert [each.body for each in said] == [b"let go", b"echo second", b"echo third"]


async def test_several_may_be_ahead_and_each_worker_gets_its_share() -> None:
    async with a_pool(InOrder, workers=2, most_ahead=3) as rig:
        await rig.quicken()
        begun = [rig.begin(b"hold 1"), rig.begin(b"hold 2")]
        begun += [rig.begin(b"%d" % number) for number in range(7)]
        places = [the_worker(rig, place) for place in range(2)]
        await until(
            lambda: all(len(worker.received) - len(worker.bodies) == 3 for worker in places)
        )
        assert rig.pool.facts().waiting == 1
        for worker in places:
            worker.let_go()
        said = [each.body for each in await asyncio.gather(*begun)]
        assert said[2:] == [b"echo %d" % number for number in range(7)]


async def test_a_worker_that_is_not_known_to_be_quick_gets_one_request_at_a_time() -> None:
    async with a_pool(InOrder, workers=1, most_ahead=1) as rig:
        worker = the_worker(rig)
        waiting = [rig.begin(body) for body in (b"hold", b"second")]
        await until(lambda: worker.received == [b"hold"])
        assert rig.pool.facts().waiting == 1
        worker.let_go()
        await asyncio.gather(*waiting)


async def test_a_free_worker_comes_before_a_busy_one() -> None:
    async with a_pool(InOrder, workers=2, most_ahead=1) as rig:
        await rig.quicken()
        waiting = [rig.begin(b"hold 1"), rig.begin(b"hold 2")]
        await until(lambda: all(the_worker(rig, place).is_held for place in range(2)))
        for place in range(2):
            the_worker(rig, place).let_go()
        await asyncio.gather(*waiting)


async def test_a_worker_that_dies_had_begun_with_the_first_only_the_next_is_asked_again() -> None:
    async with a_pool(InOrder, workers=1, most_ahead=1) as rig:
        await rig.quicken()
        waiting = [rig.begin(body) for body in (b"hold", b"second", b"third")]
        await until(lambda: the_worker(rig).received[-1] == b"second")
        the_worker(rig).end(1)
        said = await asyncio.gather(*waiting)
        assert [each.status for each in said] == [500, 200, 200]
        assert b'"Worker died."' in said[0].body
        assert the_worker(rig, 1).received == [b"second", b"third"]
        assert the_worker(rig).bodies[-1] == b"hold"


async def test_one_ahead_whose_client_has_left_is_not_asked_again() -> None:
    async with a_pool(InOrder, workers=1, most_ahead=1) as rig:
        await rig.quicken()
        first, second = rig.begin(b"hold"), rig.begin(b"second")
        await until(lambda: the_worker(rig).received[-1] == b"second")
        second.cancel()
        the_worker(rig).end(1)
        assert (await first).status == 500
        assert (await rig.ask(b"third")).body == b"echo third"
        assert the_worker(rig, 1).received == [b"third"]


async def test_a_worker_that_is_killed_for_the_first_leaves_the_next_to_another() -> None:
    async with a_pool(InOrder, workers=1, most_ahead=1, timeout_s=0.4) as rig:
        await rig.quicken()
        first = rig.begin(b"hold")
        await asyncio.sleep(0.2)  # so that the second has time left when the first has none
        second = rig.begin(b"second")
        await until(lambda: the_worker(rig).received[-1] == b"second")
        assert (await first).status == 0
        assert (await second).body == b"echo second"
        assert the_worker(rig, 1).bodies == [b"second"]


async def test_one_ahead_of_which_nothing_comes_is_answered_at_its_own_deadline() -> None:
    """Its worker streams for as long as it may, and is not killed for a request behind it."""

    class Streams(InOrder):
        def let_go(self, body: bytes = b"let go") -> None:
            self.say(Frame({**answer(b"").header, "op": "begin"}))
            self.say(Frame({"op": "part", "id": 1}, b"part"))

        def end_the_stream(self) -> None:
            self.is_held = False
            self.say(answer(b"", streamed=True))
            self._go_on()

    async with a_pool(Streams, workers=1, most_ahead=1, timeout_s=0.1) as rig:
        await rig.quicken()
        worker = rig.launcher.workers[0]
        assert isinstance(worker, Streams)
        streaming = asyncio.create_task(rig.stream(b"hold"))
        await until(lambda: worker.is_held)
        second = rig.begin(b"second")
        await until(lambda: worker.received[-1] == b"second")
        worker.let_go()
        streamed = await streaming
        assert isinstance(streamed, StreamedAnswer)
        assert (await second).status == 0
        worker.end_the_stream()
        assert [part async for part in streamed.parts] == [b"part"]
        assert (await rig.ask(b"third")).body == b"echo third"
        assert len(rig.launcher.workers) == 1
        assert rig.pool.facts().requests == 103


async def test_an_edit_comes_before_what_waits_and_after_what_is_ahead() -> None:
    async with a_pool(InOrder, workers=1, most_ahead=1) as rig:
        await rig.quicken()
        worker = the_worker(rig)
        waiting = [rig.begin(body) for body in (b"hold", b"second", b"third")]
        await until(lambda: worker.received[-1] == b"second")
        swapping = asyncio.create_task(swap(rig.pool, 2, [], busy_s=5))
        await asyncio.sleep(0)
        worker.let_go()
        assert await swapping == Swapped(("inference",))
        said = await asyncio.gather(*waiting)
        assert [each.generation for each in said] == [1, 1, 1]
        operations = [asked["op"] for asked in worker.asked[-5:]]
        assert operations == ["invoke", "invoke", "prepare", "invoke", "commit"]


async def test_what_is_ahead_does_not_wait_in_the_line() -> None:
    async with a_pool(InOrder, workers=1, most_ahead=1, waiting_limit=1) as rig:
        await rig.quicken()
        begun = [rig.begin(body) for body in (b"hold", b"second", b"third")]
        with pytest.raises(QueueFull) as refused:
            await rig.ask(b"fourth")
        assert refused.value.waiting == 1
        await until(lambda: the_worker(rig).is_held)
        the_worker(rig).let_go()
        await asyncio.gather(*begun)


async def test_draining_answers_what_is_ahead_too() -> None:
    async with a_pool(InOrder, workers=1, most_ahead=1) as rig:
        await rig.quicken()
        begun = [rig.begin(body) for body in (b"hold", b"second", b"third")]
        drained = asyncio.create_task(rig.pool.drain(5))
        await until(lambda: the_worker(rig).is_held)
        the_worker(rig).let_go()
        assert [said.status for said in await asyncio.gather(*begun)] == [200, 200, 200]
        await drained


async def test_what_was_ahead_at_the_end_of_a_drain_was_not_started() -> None:
    async with a_pool(InOrder, workers=1, most_ahead=1) as rig:
        await rig.quicken()
        begun = [rig.begin(body) for body in (b"hold", b"second")]
        await until(lambda: the_worker(rig).received[-1] == b"second")
        await rig.pool.drain(0.02)
        assert [said.status for said in await asyncio.gather(*begun)] == [500, 503]


async def test_a_worker_that_got_a_request_late_is_not_killed_for_it() -> None:
    """The request's time began when it came, the worker's when it got it."""
    async with a_pool(InOrder, workers=1, most_ahead=1, timeout_s=0.4) as rig:
        worker = the_worker(rig)
        first = rig.begin(b"hold 1")
        await until(lambda: worker.is_held)
        second = rig.begin(b"hold 2")
        assert await asyncio.wait({second}, timeout=0.3) == (set(), {second})
        worker.let_go()
        assert (await first).status == 200
        assert (await second).status == 0
        assert worker.is_held
        worker.let_go(b"too late")
        assert (await rig.ask(b"third")).body == b"echo third"
        assert rig.launcher.workers == [worker]
