"""What a pool knows of itself, and what it finds out with a sample."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from sagelet.errors import WorkerStartFailed
from sagelet.hosting.death import OutOfMemoryKills
from sagelet.hosting.handler_swap import Swapped, swap
from sagelet.hosting.samples import Sample
from sagelet.worker.frames import Frame
from tests.hosting_rig import until
from tests.pool_rig import Dies, Held, PoolRig, a_pool
from tests.scripted_workers import ScriptedWorker, answer

SAMPLE = Sample(b"[1]", "application/json", "text/csv")
PHASES = {"input_fn": 1.0, "predict_fn": 2.5}


class Timed(ScriptedWorker):
    def answer(self, header: dict[str, Any], body: bytes) -> Frame | None:
        differs = {"differs": ["media-type-case"]} if body == b"differs" else {}
        status = 500 if body == b"fails" else 200
        return answer(body, status=status, phases_ms=PHASES, **differs)


class Fails(ScriptedWorker):
    def answer(self, header: dict[str, Any], body: bytes) -> Frame | None:
        facts = {"error": "KeyError: 'a'", "where": "/m/i.py:7", "handler": "predict_fn"}
        return answer(b"'a'\nTraceback: x", status=500, **facts)


async def test_facts_tell_of_answers_errors_times_and_differences() -> None:
    async with a_pool(Timed, workers=2) as rig:
        for body in (b"a", b"differs", b"fails"):
            await rig.ask(body)
        said = await rig.ask(b"differs")
        assert said.timing.handlers_ms == PHASES
        assert said.differs == ("media-type-case",)
        assert 0 <= said.timing.queue_ms <= said.timing.total_ms
        facts = rig.pool.facts()
        assert (facts.variant, facts.generation, facts.contract) == ("AllTraffic", 1, "sane")
        assert (facts.requests, facts.errors, facts.waiting) == (4, 1, 0)
        assert facts.differs == {"media-type-case": 2}
        assert sorted(facts.latency_ms) == ["p50", "p90", "p99"]
        assert facts.latency_ms["p50"] <= facts.latency_ms["p99"]
        assert {**facts.phases_ms, "queue": 0} == {**PHASES, "queue": 0}
        assert [worker.is_busy for worker in facts.workers] == [False, False]
        assert len({worker.pid for worker in facts.workers}) == 2


async def test_before_the_first_answer_there_is_nothing_to_tell() -> None:
    async with a_pool(Held, workers=1) as rig:
        held = rig.begin(b"hold")
        waiting = rig.begin(b"x")
        await until(lambda: rig.asked == 1)
        facts = rig.pool.facts()
        assert (facts.requests, facts.latency_ms, facts.phases_ms) == (0, {}, {})
        assert (facts.waiting, facts.workers[0].is_busy) == (1, True)
        held.cancel()
        waiting.cancel()


async def test_a_reload_goes_on_counting() -> None:
    async with a_pool(Timed, workers=1) as rig:
        await rig.ask(b"fails")
        fresh = rig.pool.again(2)
        assert (fresh.facts().requests, fresh.facts().errors) == (1, 1)
        assert fresh.facts().generation == 2


async def test_deaths_and_missing_answers_are_errors() -> None:
    async with a_pool(Dies, workers=1) as rig:
        await rig.ask(b"die")
        await rig.ask(b"x")
        facts = rig.pool.facts()
        assert (facts.requests, facts.errors) == (2, 1)


async def test_a_worker_that_the_kernel_killed_for_want_of_memory_says_so(tmp_path: Path) -> None:
    counts = tmp_path / "memory.events"
    counts.write_text("oom_kill 4\n")

    class RunsOut(ScriptedWorker):
        def answer(self, header: dict[str, Any], body: bytes) -> Frame | None:
            if body == b"large":
                counts.write_text("oom_kill 5\n")
                self.end(-signal.SIGKILL)
                return None
            return super().answer(header, body)

    rig = PoolRig(RunsOut, kills=OutOfMemoryKills((counts,)), workers=1)
    await rig.pool.start()
    rig.launcher.children[0].usage.peak_bytes = 4 * 2**30
    said = await rig.ask(b"large")
    assert said.status == 507
    assert json.loads(said.body)["message"] == ("Worker died. It ran out of memory (peak 4.0 GiB).")
    assert (await rig.ask(b"x")).status == 200
    assert (
        rig.notes[0]
        == "a worker ran out of memory (peak 4.0 GiB) and was killed; another one starts"
    )
    await rig.pool.drain(0)


async def test_who_has_left_is_counted_when_the_worker_is_done() -> None:
    async with a_pool(Held, workers=1) as rig:
        left = rig.begin(b"hold")
        await until(lambda: rig.asked == 1)
        left.cancel()
        worker = rig.launcher.workers[0]
        assert isinstance(worker, Held)
        worker.let_go()
        await until(lambda: rig.pool.facts().requests == 1)


async def test_a_sample_that_is_answered_counts_for_nothing() -> None:
    async with a_pool(Timed, workers=2) as rig:
        await rig.pool.try_sample(SAMPLE)
        asked = [asked for worker in rig.launcher.workers for asked in worker.asked]
        assert asked == [
            {
                "op": "invoke",
                "id": 0,
                "content_type": "application/json",
                "accept": "text/csv",
                "headers": {},
            }
        ]
        assert rig.pool.facts().requests == 0


async def test_a_sample_that_fails_is_the_handlers_error() -> None:
    async with a_pool(Fails, workers=1) as rig:
        with pytest.raises(WorkerStartFailed) as failed:
            await rig.pool.try_sample(SAMPLE)
        assert (failed.value.error, failed.value.where) == ("KeyError: 'a'", "/m/i.py:7")
        assert failed.value.traceback == "Traceback: x"


async def test_a_sample_that_kills_its_worker_or_hangs_fails() -> None:
    class DiesOfIt(Dies):
        def answer(self, header: dict[str, Any], body: bytes) -> Frame | None:
            return super().answer(header, b"die")

    async with a_pool(DiesOfIt, workers=1) as rig:
        with pytest.raises(WorkerStartFailed, match="the worker died of it"):
            await rig.pool.try_sample(SAMPLE)

    class Hangs(ScriptedWorker):
        def answer(self, header: dict[str, Any], body: bytes) -> Frame | None:
            return None

    async with a_pool(Hangs, workers=1, timeout_s=0.05) as rig:
        with pytest.raises(WorkerStartFailed, match=r"took longer than 0\.05 s"):
            await rig.pool.try_sample(SAMPLE)


async def test_the_first_worker_that_takes_an_edit_on_answers_the_sample() -> None:
    seen: list[bytes] = []

    class Samples(ScriptedWorker):
        def reply(self, frame: Frame) -> Frame | None:
            if frame.header["op"] == "prepare":
                seen.append(frame.body)
            return super().reply(frame)

    async with a_pool(Samples, workers=2) as rig:
        assert await swap(rig.pool, 2, [], busy_s=1, sample=SAMPLE) == Swapped(("inference",))
        assert seen == [b"[1]", b""]
        samples = [worker.asked[0].get("sample") for worker in rig.launcher.workers]
        assert {"content_type": "application/json", "accept": "text/csv"} in samples
        assert None in samples


async def test_a_worker_that_dies_between_two_errands_costs_the_errand_only() -> None:
    async with a_pool(Held, workers=1) as rig:
        held = rig.begin(b"hold")
        await until(lambda: rig.asked == 1)
        swapping = swap(rig.pool, 2, [], busy_s=5)
        worker = rig.launcher.workers[0]
        worker.end(1)
        assert (await held).status == 500
        assert type(await swapping).__name__ == "NeedsFresh"
