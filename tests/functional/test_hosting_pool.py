"""A pool: who gets which request, and what becomes of those whose worker does not answer."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from typing import Any, Protocol

import psutil
import pytest

from sagelet.domain.invocation import Answer
from sagelet.errors import QueueFull, WorkerStartFailed
from sagelet.hosting.handler_swap import NeedsFresh, Swapped, swap
from sagelet.worker.frames import Frame
from tests.hosting_rig import until
from tests.pool_rig import (
    LOAD_FAILED,
    Dies,
    DoesNotLoad,
    Held,
    Killed,
    PoolRig,
    Silent,
)
from tests.scripted_workers import ScriptedWorker


class Make(Protocol):
    """Starts a pool of scripted workers."""

    async def __call__(self, kind: type[ScriptedWorker] = ..., **settings: float) -> PoolRig: ...


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Start pools of scripted workers; they are drained at the end."""
    rigs: list[PoolRig] = []

    async def started(kind: type[ScriptedWorker] = ScriptedWorker, **settings: float) -> PoolRig:
        rig = PoolRig(kind, kills=None, **settings)
        await rig.pool.start()
        rigs.append(rig)
        return rig

    yield started
    for rig in rigs:
        await rig.pool.drain(0)


async def test_a_request_is_answered_by_a_worker(make: Make) -> None:
    rig = await make()
    said = await rig.ask(b"hello")
    assert said == Answer(200, b"echo hello", "text/plain", "AllTraffic", 1, timing=said.timing)


async def test_workers_answer_at_the_same_time_and_the_rest_wait_their_turn(make: Make) -> None:
    rig = await make(Held)
    held = [rig.begin(b"hold 1"), rig.begin(b"hold 2")]
    await until(lambda: rig.asked == 2)
    waiting = rig.begin(b"third")
    await asyncio.sleep(0)
    assert rig.asked == 2
    for task in held:
        task.cancel()
    for worker in rig.launcher.workers:
        worker.end(0)  # both are replaced, and the one that waits is served by a new one
    assert (await waiting).body == b"echo third"


async def test_more_than_the_limit_is_refused_without_having_been_started(make: Make) -> None:
    rig = await make(Held)
    tasks = [rig.begin(b"hold") for _ in range(5)]
    await until(lambda: rig.asked == 2)
    with pytest.raises(QueueFull) as refused:
        await rig.ask()
    assert refused.value.waiting == 3
    for task in tasks:
        task.cancel()


async def test_who_hangs_up_while_waiting_takes_no_place(make: Make) -> None:
    rig = await make(Held, waiting_limit=1)
    held = [rig.begin(b"hold") for _ in range(2)]
    await until(lambda: rig.asked == 2)
    for _ in range(5):
        waiting = rig.begin(b"x")
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    waiting = rig.begin(b"x")
    await asyncio.sleep(0)
    assert not waiting.done()
    for task in [*held, waiting]:
        task.cancel()


async def test_who_hangs_up_while_being_served_leaves_the_worker_to_finish(make: Make) -> None:
    rig = await make(Held, workers=1)
    (worker,) = rig.launcher.workers
    assert isinstance(worker, Held)
    task = rig.begin(b"hold")
    await until(lambda: rig.asked == 1)
    task.cancel()
    waiting = rig.begin(b"next")
    await asyncio.sleep(0)
    assert rig.asked == 1
    worker.let_go()
    assert (await waiting).body == b"echo next"
    assert rig.launcher.workers == [worker]


@pytest.mark.parametrize(
    ("kind", "status", "text"),
    [
        (Dies, 500, "Worker died."),
        (
            Killed,
            507,
            "Worker died. It was killed by SIGKILL (the system may have run out of memory).",
        ),
    ],
)
async def test_a_request_whose_worker_dies_is_answered_and_the_worker_replaced(
    make: Make, kind: type[ScriptedWorker], status: int, text: str
) -> None:
    rig = await make(kind, workers=1)
    await rig.ask()
    said = await rig.ask(b"die")
    assert said.status == status
    assert json.loads(said.body) == {
        "code": status,
        "type": "InternalServerException",
        "message": text,
    }
    assert (await rig.ask(b"again")).body == b"echo again"
    assert any("another one starts" in note for note in rig.notes)


async def test_a_worker_that_died_unnoticed_costs_no_request(make: Make) -> None:
    rig = await make()
    for worker in rig.launcher.workers[:2]:
        worker.end(-9)
    await until(lambda: len(rig.launcher.workers) == 4)
    assert (await rig.ask()).status == 200


async def test_a_request_that_takes_too_long_has_status_0_and_its_worker_is_replaced(
    make: Make,
) -> None:
    rig = await make(Held, workers=2, timeout_s=0.05)
    said = await rig.ask(b"hold")
    assert said.status == 0
    assert said.body.startswith(b"Your invocation timed out while waiting for a response")
    await until(lambda: len(rig.pool.workers) == 2)
    signals = [child.signals for child in rig.launcher.children]
    assert sorted(signals) == [[], [], [signal.SIGABRT]]
    assert (await rig.ask(b"next")).body == b"echo next"


async def test_the_clock_runs_on_for_who_hung_up(make: Make) -> None:
    rig = await make(Held, workers=1, timeout_s=0.05)
    task = rig.begin(b"hold")
    await until(lambda: rig.asked == 1)
    task.cancel()
    await until(lambda: len(rig.launcher.workers) == 2)
    assert (await rig.ask(b"next")).body == b"echo next"


async def test_waiting_counts_as_time_too(make: Make) -> None:
    rig = await make(Held, workers=1, timeout_s=0.05)
    rig.launcher.kind = Silent
    said = await asyncio.gather(rig.ask(b"hold"), rig.ask(b"x"))
    assert [each.status for each in said] == [0, 0]
    assert rig.asked == 1


async def test_workers_that_only_die_are_given_up_and_who_waits_is_told_why(make: Make) -> None:
    rig = await make(Dies, workers=1)
    rig.launcher.kind = DoesNotLoad
    assert (await rig.ask(b"die")).status == 500
    said = await rig.ask()
    assert said.status == 503
    assert json.loads(said.body)["message"] == (
        "No worker is available to serve request: ValueError: no (/m/i.py:3)"
    )
    assert (await rig.ask()).status == 503  # at once: nobody is on the way


async def test_what_was_given_up_is_taken_up_again_after_an_edit(make: Make) -> None:
    rig = await make(Dies, workers=1)
    rig.launcher.kind = DoesNotLoad
    await rig.ask(b"die")
    assert (await rig.ask()).status == 503
    rig.launcher.kind = ScriptedWorker
    rig.pool.try_again()
    assert (await rig.ask(b"x")).body == b"echo x"


async def test_what_was_given_up_is_taken_up_again_after_a_rest(make: Make) -> None:
    rig = await make(Dies, workers=1, rest_s=0.05)
    rig.launcher.kind = DoesNotLoad
    await rig.ask(b"die")
    assert (await rig.ask()).status == 503
    rig.launcher.kind = ScriptedWorker
    await until(lambda: len(rig.pool.workers) == 1)
    assert (await rig.ask(b"x")).body == b"echo x"


async def test_a_worker_that_cannot_be_replaced_leaves_the_others_serving_until_the_next_good_save(
    make: Make,
) -> None:
    rig = await make(ScriptedWorker, workers=2)
    rig.launcher.kind = DoesNotLoad  # as where the disk holds an edit that is broken
    rig.launcher.workers[0].end(-9)
    await until(lambda: any("no more workers" in note for note in rig.notes))
    why = "ValueError: no (/m/i.py:3); 1 serves on with what was loaded before"
    assert f"a new worker did not come up: {why}" in rig.notes
    assert f"no more workers are started for 60 s, or until an edit: {why}" in rig.notes
    for number in range(3):
        assert (await rig.ask(b"%d" % number)).body == b"echo %d" % number
    rig.launcher.kind = ScriptedWorker
    rig.pool.try_again()
    await until(lambda: len(rig.pool.workers) == 2)


async def test_when_the_last_goes_too_who_waits_is_told_why(make: Make) -> None:
    rig = await make(Dies, workers=2)
    rig.launcher.kind = DoesNotLoad
    rig.launcher.workers[0].end(-9)
    await until(lambda: any("no more workers" in note for note in rig.notes))
    held = rig.begin(b"die")
    waiting = rig.begin(b"x")
    assert (await held).status == 500
    assert (await waiting).status == 503
    assert "a worker ended with exit code 1; no other is started for now" in rig.notes


async def test_workers_that_have_answered_may_die_often(make: Make) -> None:
    rig = await make(Dies, workers=1)
    for _ in range(8):
        assert (await rig.ask(b"x")).body == b"echo x"
        assert (await rig.ask(b"die")).status == 500


async def test_a_pool_comes_up_whole_or_not_at_all() -> None:
    rig = PoolRig(ScriptedWorker)
    rig.launcher.plans.append(DoesNotLoad)
    with pytest.raises(WorkerStartFailed) as failed:
        await rig.pool.start()
    assert (failed.value.error, failed.value.where) == ("ValueError: no", "/m/i.py:3")
    await until(lambda: all(child.has_ended for child in rig.launcher.children))


async def test_a_worker_that_ends_before_its_first_words_failed_to_start() -> None:
    class EndsAtOnce(ScriptedWorker):
        def first_words(self) -> None:
            self.write(b"no module named torch\n")
            self.end(3)

    rig = PoolRig(EndsAtOnce, workers=1)
    with pytest.raises(WorkerStartFailed) as failed:
        await rig.pool.start()
    assert (failed.value.exit_code, failed.value.log_tail) == (3, "no module named torch")


async def test_draining_answers_what_has_come_in_before_it_ends_the_workers() -> None:
    rig = PoolRig(Held, workers=1)
    await rig.pool.start()
    tasks = [rig.begin(b"hold"), rig.begin(b"second")]
    await until(lambda: rig.asked == 1)
    drained = asyncio.create_task(rig.pool.drain(10))
    (worker,) = rig.launcher.workers
    assert isinstance(worker, Held)
    worker.let_go()
    assert [said.body for said in await asyncio.gather(*tasks)] == [b"let go", b"echo second"]
    await drained
    assert all(child.has_ended for child in rig.launcher.children)


async def test_draining_has_an_end() -> None:
    rig = PoolRig(Held, workers=1)
    await rig.pool.start()
    task = rig.begin(b"hold")
    await until(lambda: rig.asked == 1)
    late = rig.begin(b"late")
    await asyncio.sleep(0)
    await rig.pool.drain(0.02)
    assert (await task).status == 500
    said = await late
    assert said.status == 503
    assert b"this version has been replaced" in said.body


async def test_an_edit_is_prepared_by_one_worker_first_and_committed_by_all(make: Make) -> None:
    rig = await make(workers=3)
    assert await swap(rig.pool, 2, [], busy_s=1) == Swapped(("inference",))
    operations = [[asked["op"] for asked in worker.asked] for worker in rig.launcher.workers]
    assert operations == [["prepare", "commit"]] * 3
    assert (await rig.ask()).generation == 2
    assert {worker.generation for worker in rig.pool.workers} == {2}


async def test_a_busy_worker_takes_an_edit_on_between_two_requests(make: Make) -> None:
    rig = await make(Held, workers=1)
    (worker,) = rig.launcher.workers
    assert isinstance(worker, Held)
    held = rig.begin(b"hold")
    await until(lambda: rig.asked == 1)
    waiting = rig.begin(b"second")
    swapping = asyncio.create_task(swap(rig.pool, 2, [], busy_s=5))
    await asyncio.sleep(0)
    worker.let_go()
    assert await swapping == Swapped(("inference",))
    assert (await held).generation == 1
    await waiting
    assert (await rig.ask()).generation == 2
    # What waited came in before the commit; what comes after it never sees the old handlers.
    operations = [asked["op"] for asked in worker.asked]
    assert operations == ["invoke", "prepare", "invoke", "commit", "invoke"]


async def test_a_worker_that_is_busy_too_long_asks_for_fresh_ones(make: Make) -> None:
    rig = await make(Held, workers=1)
    task = rig.begin(b"hold")
    await until(lambda: rig.asked == 1)
    assert await swap(rig.pool, 2, [], busy_s=0.02) == NeedsFresh("a worker is busy")
    task.cancel()


async def test_one_worker_that_declines_means_fresh_ones_and_no_commit(make: Make) -> None:
    class Declines(ScriptedWorker):
        def prepared(self, header: dict[str, Any]) -> dict[str, Any]:
            return {"op": "needs_fresh", "generation": 2, "why": "model_fn changed"}

    rig = PoolRig(ScriptedWorker)
    rig.launcher.plans.extend([ScriptedWorker, Declines])
    await rig.pool.start()
    outcome = await swap(rig.pool, 2, [], busy_s=1)
    assert outcome == NeedsFresh("model_fn changed")
    await until(lambda: all(w.asked[-1]["op"] == "discard" for w in rig.launcher.workers))
    assert (await rig.ask()).generation == 1
    await rig.pool.drain(0)


async def test_a_refused_edit_is_an_error_and_the_old_handlers_serve(make: Make) -> None:
    class Refuses(ScriptedWorker):
        def prepared(self, header: dict[str, Any]) -> dict[str, Any]:
            return {**LOAD_FAILED, "op": "prepare_failed", "generation": 2}

    rig = await make(Refuses)
    with pytest.raises(WorkerStartFailed):
        await swap(rig.pool, 2, [], busy_s=1)
    assert (await rig.ask()).status == 200


async def test_a_worker_that_was_loading_when_an_edit_went_live_is_not_let_in(make: Make) -> None:
    class Loads(ScriptedWorker):
        def first_words(self) -> dict[str, Any] | None:
            return None if self.order.generation == 1 else super().first_words()

    rig = await make(Dies, workers=2)
    await rig.ask()
    await rig.ask()
    rig.launcher.kind = Loads
    rig.launcher.workers[0].end(-9)
    await until(lambda: len(rig.launcher.workers) == 3)
    await swap(rig.pool, 2, [], busy_s=1)
    rig.launcher.workers[2].end(1)
    await until(lambda: len(rig.pool.workers) == 2)
    assert {worker.generation for worker in rig.pool.workers} == {2}


async def test_what_a_worker_left_behind_holds_nothing_of_ours(make: Make) -> None:
    rig = await make(workers=1)
    before = psutil.Process().num_fds()
    held = os.dup(rig.launcher.workers[0].output)  # as a process would that it had started
    rig.launcher.workers[0].end(1)
    await until(lambda: len(rig.launcher.workers) == 2)
    assert (await rig.ask()).status == 200
    await until(lambda: psutil.Process().num_fds() == before + 1)
    os.close(held)


async def test_deaths_cost_no_descriptors(make: Make) -> None:
    rig = await make(Dies, workers=1)
    await rig.ask()
    before = psutil.Process().num_fds()
    for _ in range(20):
        assert (await rig.ask(b"die")).status == 500
        assert (await rig.ask()).status == 200
    await until(lambda: psutil.Process().num_fds() == before)


async def test_a_body_larger_than_the_socket_takes_at_once_arrives_whole(make: Make) -> None:
    rig = await make(workers=1)
    body = os.urandom(5 * 2**20)
    said = await asyncio.gather(rig.ask(body), rig.ask(b"next"), rig.ask(body))
    assert [each.body for each in said] == [b"echo " + each for each in (body, b"next", body)]


async def test_what_is_no_frame_costs_the_worker_that_said_it(make: Make) -> None:
    class Babbles(ScriptedWorker):
        def answer(self, header: dict[str, Any], body: bytes) -> Frame | None:
            if body == b"babble":
                self.say_bytes(b"\xff" * 16)
                return None
            return super().answer(header, body)

    rig = await make(Babbles, workers=1)
    assert (await rig.ask(b"babble")).status == 500
    assert (await rig.ask(b"x")).body == b"echo x"
    assert len(rig.launcher.workers) == 2
