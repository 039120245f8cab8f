"""A pool without workers until the next request."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from sagelet.hosting.handler_swap import NeedsFresh, swap
from sagelet.worker.frames import Frame
from tests.hosting_rig import until
from tests.pool_rig import DoesNotLoad, Held, a_pool
from tests.scripted_workers import ScriptedWorker


class LoadsWhenTold(ScriptedWorker):
    """Says that it has loaded when the test says so."""

    def first_words(self) -> dict[str, Any] | None:
        return None

    def has_loaded(self) -> None:
        self.say(Frame(super().first_words() or {}))


async def test_parking_ends_the_workers_and_a_request_starts_them_again() -> None:
    async with a_pool(workers=2) as rig:
        await rig.ask()
        await rig.pool.park()
        assert rig.pool.facts().is_parked
        assert rig.pool.workers == ()
        assert all(child.has_ended for child in rig.launcher.children)
        facts = rig.pool.facts()
        assert (facts.is_parked, facts.workers, facts.requests) == (True, (), 1)
        assert (await rig.ask(b"again")).body == b"echo again"
        assert not rig.pool.facts().is_parked
        await until(lambda: len(rig.pool.workers) == 2)
        assert len(rig.launcher.workers) == 4


async def test_a_pool_that_is_busy_is_not_parked() -> None:
    async with a_pool(Held, workers=1) as rig:
        held = rig.begin(b"hold")
        await until(lambda: rig.asked == 1)
        await rig.pool.park()
        assert not rig.pool.facts().is_parked
        assert rig.pool.idle_s() == 0
        worker = rig.launcher.workers[0]
        assert isinstance(worker, Held)
        worker.let_go()
        await held
        assert 0 <= rig.pool.idle_s() < 5


async def test_the_models_load_is_not_the_time_of_who_wakes_it() -> None:
    async with a_pool(workers=1, timeout_s=0.1) as rig:
        await rig.pool.park()
        rig.launcher.kind = LoadsWhenTold
        waiting = rig.begin(b"wakes")
        await until(lambda: len(rig.launcher.workers) == 2)
        assert await asyncio.wait({waiting}, timeout=0.2) == (set(), {waiting})
        fresh = rig.launcher.workers[1]
        assert isinstance(fresh, LoadsWhenTold)
        fresh.has_loaded()
        assert (await waiting).body == b"echo wakes"


async def test_all_who_come_while_it_wakes_wait_for_the_first_worker() -> None:
    async with a_pool(workers=1, waiting_limit=5) as rig:
        await rig.pool.park()
        said = await asyncio.gather(*(rig.begin(b"%d" % number) for number in range(5)))
        assert [each.body for each in said] == [b"echo %d" % number for number in range(5)]
        assert len(rig.launcher.workers) == 2


async def test_a_request_that_comes_while_it_is_parked_wakes_it_at_once() -> None:
    async with a_pool(workers=1) as rig:
        parking = asyncio.create_task(rig.pool.park())
        await asyncio.sleep(0)
        assert rig.pool.facts().is_parked
        assert (await rig.ask(b"x")).body == b"echo x"
        await parking
        assert not rig.pool.facts().is_parked


async def test_who_wakes_what_does_not_load_any_more_is_told_why() -> None:
    async with a_pool(workers=1) as rig:
        await rig.pool.park()
        rig.launcher.kind = DoesNotLoad
        said = await rig.ask()
        assert said.status == 503
        assert json.loads(said.body)["message"] == (
            "No worker is available to serve request: ValueError: no (/m/i.py:3)"
        )
        rig.launcher.kind = ScriptedWorker
        rig.pool.try_again()
        assert (await rig.ask(b"x")).body == b"echo x"


async def test_a_parked_pool_may_be_drained() -> None:
    async with a_pool(workers=1) as rig:
        await rig.pool.park()
        await rig.pool.drain(5)
        assert (await rig.ask()).status == 503


async def test_a_parked_pool_takes_an_edit_on_with_fresh_workers_only() -> None:
    async with a_pool(workers=1) as rig:
        await rig.pool.park()
        assert await swap(rig.pool, 2, [], busy_s=1) == NeedsFresh("no worker lives")


async def test_parking_twice_is_parking_once() -> None:
    async with a_pool(workers=1) as rig:
        await rig.pool.park()
        await rig.pool.park()
        assert len(rig.launcher.workers) == 1
