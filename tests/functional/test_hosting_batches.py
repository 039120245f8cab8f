"""Requests that go to a worker together, where its handlers take several at once."""

from __future__ import annotations

import asyncio
import json

import pytest

from sagelet.errors import QueueFull
from tests.hosting_rig import until
from tests.pool_rig import InOrder, PoolRig, Together, a_pool


def the_worker(rig: PoolRig, place: int = 0) -> InOrder:
    worker = rig.launcher.workers[place]
    assert isinstance(worker, InOrder)
    return worker


def operations(rig: PoolRig) -> list[str]:
    return [asked["op"] for asked in the_worker(rig).asked]


async def test_a_request_alone_goes_alone_at_once() -> None:
    async with a_pool(Together, workers=1, max_batch=8) as rig:
        assert (await rig.ask(b"a")).body == b"echo a"
        assert (await rig.ask(b"b")).body == b"echo b"
        assert operations(rig) == ["invoke", "invoke"]


async def test_what_came_while_a_worker_was_busy_goes_to_it_together() -> None:
    async with a_pool(Together, workers=1, max_batch=8, waiting_limit=10) as rig:
        held = rig.begin(b"hold")
        await until(lambda: the_worker(rig).is_held)
        others = [rig.begin(b"%d" % number) for number in range(5)]
        the_worker(rig).let_go()
        said = await asyncio.gather(held, *others)
        assert [each.body for each in said[1:]] == [b"together %d" % number for number in range(5)]
        assert operations(rig) == ["invoke", "invoke_batch"]
        batch = the_worker(rig).asked[-1]["requests"]
        assert [each["content_type"] for each in batch] == ["text/plain"] * 5
        assert len({each["id"] for each in batch}) == 5


async def test_what_comes_in_one_turn_of_the_loop_goes_together_too() -> None:
    async with a_pool(Together, workers=1, max_batch=8) as rig:
        said = await asyncio.gather(rig.begin(b"a"), rig.begin(b"b"))
        assert [each.body for each in said] == [b"together a", b"together b"]


async def test_no_more_go_together_than_the_model_allows() -> None:
    async with a_pool(Together, workers=1, max_batch=3, waiting_limit=10) as rig:
        held = rig.begin(b"hold")
        await until(lambda: the_worker(rig).is_held)
        others = [rig.begin(b"%d" % number) for number in range(7)]
        the_worker(rig).let_go()
        await asyncio.gather(held, *others)
        sizes = [len(asked.get("requests", "1")) for asked in the_worker(rig).asked]
        assert sizes == [1, 3, 3, 1]
        assert the_worker(rig).bodies == [b"hold", b"012", b"345", b"6"]


async def test_one_that_fails_fails_alone() -> None:
    async with a_pool(Together, workers=1, max_batch=8) as rig:
        said = await asyncio.gather(*(rig.begin(body) for body in (b"a", b"bad", b"c")))
        assert [each.status for each in said] == [200, 500, 200]
        assert rig.pool.facts().errors == 1


async def test_workers_that_do_not_take_several_get_one_at_a_time() -> None:
    async with a_pool(InOrder, workers=1, max_batch=8) as rig:
        said = await asyncio.gather(rig.begin(b"a"), rig.begin(b"b"))
        assert [each.body for each in said] == [b"echo a", b"echo b"]


async def test_who_has_left_is_not_among_them() -> None:
    async with a_pool(Together, workers=1, max_batch=8) as rig:
        held = rig.begin(b"hold")
        await until(lambda: the_worker(rig).is_held)
        first, left, last = (rig.begin(body) for body in (b"a", b"b", b"c"))
        left.cancel()
        the_worker(rig).let_go()
        await asyncio.gather(held, first, last)
        assert the_worker(rig).bodies[-1] == b"ac"


async def test_one_whose_answer_is_to_be_streamed_goes_alone() -> None:
    async with a_pool(Together, workers=1, max_batch=8, waiting_limit=10) as rig:
        held = rig.begin(b"hold")
        await until(lambda: the_worker(rig).is_held)
        before = [rig.begin(b"a"), rig.begin(b"b")]
        streaming = asyncio.create_task(rig.stream(b"alone"))
        await asyncio.sleep(0)
        after = [rig.begin(b"c"), rig.begin(b"d")]
        the_worker(rig).let_go()
        await asyncio.gather(held, *before, streaming, *after)
        assert the_worker(rig).bodies == [b"hold", b"ab", b"alone", b"cd"]
        assert operations(rig) == ["invoke", "invoke_batch", "invoke", "invoke_batch"]


async def test_a_death_is_the_answer_to_all_of_them_and_none_is_sent_again() -> None:
    async with a_pool(Together, workers=1, max_batch=8) as rig:
        dying = [rig.begin(body) for body in (b"hold", b"b")]
        await until(lambda: the_worker(rig).is_held)
        waiting = rig.begin(b"c")
        the_worker(rig).end(1)
        said = await asyncio.gather(*dying)
        assert [each.status for each in said] == [500, 500]
        assert {json.loads(each.body)["message"] for each in said} == {"Worker died."}
        assert (await waiting).body == b"echo c"
        assert the_worker(rig, 1).received == [b"c"]


async def test_too_long_a_time_is_the_answer_to_all_of_them() -> None:
    async with a_pool(Together, workers=1, max_batch=8, timeout_s=0.1) as rig:
        said = await asyncio.gather(rig.begin(b"hold"), rig.begin(b"b"))
        assert [each.status for each in said] == [0, 0]
        assert (await rig.ask(b"c")).body == b"echo c"
        assert len(rig.launcher.workers) == 2


async def test_the_oldest_are_first_and_what_is_too_many_is_refused() -> None:
    async with a_pool(Together, workers=1, max_batch=2, waiting_limit=4) as rig:
        held = rig.begin(b"hold")
        await until(lambda: the_worker(rig).is_held)
        others = [rig.begin(b"%d" % number) for number in range(4)]
        with pytest.raises(QueueFull):
            await rig.ask(b"4")
        the_worker(rig).let_go()
        await asyncio.gather(held, *others)
        assert the_worker(rig).bodies == [b"hold", b"01", b"23"]


async def test_draining_answers_those_that_are_together() -> None:
    async with a_pool(Together, workers=1, max_batch=8) as rig:
        held = rig.begin(b"hold")
        await until(lambda: the_worker(rig).is_held)
        others = [rig.begin(b"a"), rig.begin(b"b")]
        drained = asyncio.create_task(rig.pool.drain(5))
        await asyncio.sleep(0)
        the_worker(rig).let_go()
        said = await asyncio.gather(held, *others)
        assert [each.status for each in said] == [200, 200, 200]
        await drained


async def test_an_edit_may_bring_and_take_the_function_that_answers_several() -> None:
    class Learns(Together):
        def first_words(self) -> dict[str, object] | None:
            return {**(super().first_words() or {}), "batches": False}

        def committed(self, header: dict[str, object]) -> dict[str, object]:
            return {**super().committed(header), "batches": True}

    async with a_pool(Learns, workers=1, max_batch=8) as rig:
        assert not rig.pool.workers[0].batches
        await rig.pool.commit(2)
        said = await asyncio.gather(rig.begin(b"a"), rig.begin(b"b"))
        assert [each.body for each in said] == [b"together a", b"together b"]
