"""Answers in parts: passed on as they come, joined, broken, cancelled, too slow and too long."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import pytest

from sagelet.domain.invocation import Answer, StreamedAnswer
from sagelet.errors import ModelStreamBroken
from sagelet.worker.frames import Frame
from tests.hosting_rig import until
from tests.pool_rig import PoolRig, a_pool
from tests.scripted_workers import ScriptedWorker, answer

BEGIN = {"op": "begin", "id": 1, "status": 200, "content_type": "text/plain", "headers": {"a": "b"}}
END = {"op": "answer", "id": 1, "streamed": True, "status": 200, "phases_ms": {"predict_fn": 1.0}}
FAILED = {
    **END, "status": 500, "error": "ValueError: no", "where": "/m/i.py:3", "handler": "predict_fn",
}  # fmt: skip


class Streams(ScriptedWorker):
    """Streams in answer to `stream`: begins, and goes on when the test says so."""

    is_streaming = False

    def answer(self, header: dict[str, Any], body: bytes) -> Frame | None:
        if body != b"stream":
            return super().answer(header, body)
        self.is_streaming = True
        return Frame({**BEGIN, "id": header["id"]})

    def part(self, body: bytes) -> None:
        self.say(Frame({"op": "part", "id": 1}, body))

    def finish(self, body: bytes = b"", header: dict[str, Any] = END) -> None:
        self.say(Frame(header, body))

    @property
    def is_cancelled(self) -> bool:
        return bool(self.asked[-1]["op"] == "cancel")


def the_worker(rig: PoolRig) -> Streams:
    worker = rig.launcher.workers[0]
    assert isinstance(worker, Streams)
    return worker


async def begun(rig: PoolRig, first: bytes = b"one ") -> StreamedAnswer:
    """Ask for a stream, and return it with its first part on the way."""
    streaming = asyncio.create_task(rig.stream(b"stream"))
    await until(lambda: the_worker(rig).is_streaming)
    the_worker(rig).part(first)
    streamed = await streaming
    assert isinstance(streamed, StreamedAnswer)
    return streamed


async def test_parts_are_passed_on_as_they_come() -> None:
    async with a_pool(Streams, workers=1) as rig:
        streamed = await begun(rig)
        assert (streamed.status, streamed.content_type) == (200, "text/plain")
        assert (streamed.variant, streamed.generation) == ("AllTraffic", 1)
        assert streamed.headers == {"a": "b"}
        parts = aiter(streamed.parts)
        assert await anext(parts) == b"one "
        second = asyncio.ensure_future(anext(parts))
        await asyncio.sleep(0)
        assert not second.done()
        the_worker(rig).part(b"two ")
        assert await second == b"two "
        the_worker(rig).part(b"")
        the_worker(rig).finish(b"three")
        assert [part async for part in streamed.parts] == [b"three"]
        assert (await rig.ask(b"next")).body == b"echo next"
        facts = rig.pool.facts()
        assert (facts.requests, facts.errors) == (2, 0)


async def test_whoever_asks_for_one_answer_gets_the_parts_as_one() -> None:
    async with a_pool(Streams, workers=1) as rig:
        asked = rig.begin(b"stream")
        await until(lambda: the_worker(rig).is_streaming)
        the_worker(rig).part(b"one ")
        the_worker(rig).finish(b"two")
        said = await asked
        assert said == Answer(
            200, b"one two", "text/plain", "AllTraffic", 1, {"a": "b"}, timing=said.timing
        )
        assert said.timing.handlers_ms == {"predict_fn": 1.0}


async def test_parts_without_an_end_are_not_joined_for_ever() -> None:
    async with a_pool(Streams, workers=1) as rig:
        asked = rig.begin(b"stream")
        await until(lambda: the_worker(rig).is_streaming)
        for _ in range(5):
            the_worker(rig).part(bytes(16 * 2**20))
        said = await asked
        assert said.status == 500
        assert b"in parts of more than 67108864 bytes together" in said.body
        await until(lambda: the_worker(rig).is_cancelled)
        the_worker(rig).finish()
        assert (await rig.ask()).status == 200


async def test_an_error_half_way_is_the_whole_answer_where_parts_are_joined() -> None:
    async with a_pool(Streams, workers=1) as rig:
        asked = rig.begin(b"stream")
        await until(lambda: the_worker(rig).is_streaming)
        the_worker(rig).part(b"one ")
        the_worker(rig).finish(b"no\nTraceback", FAILED)
        said = await asked
        assert (said.status, said.body) == (500, b"no\nTraceback")
        assert (said.handler, said.where) == ("predict_fn", "/m/i.py:3")


async def test_an_answer_that_is_no_stream_is_an_answer() -> None:
    async with a_pool(Streams, workers=1) as rig:
        said = await rig.stream(b"plain")
        assert isinstance(said, Answer)
        assert said.body == b"echo plain"


async def test_a_stream_of_nothing_is_an_empty_answer() -> None:
    async with a_pool(Streams, workers=1) as rig:
        streaming = asyncio.create_task(rig.stream(b"stream"))
        await until(lambda: the_worker(rig).is_streaming)
        the_worker(rig).finish()
        said = await streaming
        assert isinstance(said, Answer)
        assert (said.status, said.body, said.content_type) == (200, b"", "text/plain")


async def test_an_error_before_the_first_part_is_an_answer() -> None:
    async with a_pool(Streams, workers=1) as rig:
        streaming = asyncio.create_task(rig.stream(b"stream"))
        await until(lambda: the_worker(rig).is_streaming)
        the_worker(rig).finish(b"no\nTraceback", FAILED)
        said = await streaming
        assert isinstance(said, Answer)
        assert (said.status, said.body, said.where) == (500, b"no\nTraceback", "/m/i.py:3")


async def test_a_handler_that_fails_half_way_breaks_the_stream_after_what_it_said() -> None:
    async with a_pool(Streams, workers=1) as rig:
        streamed = await begun(rig)
        the_worker(rig).finish(b"no\nTraceback", FAILED)
        parts = aiter(streamed.parts)
        assert await anext(parts) == b"one "
        with pytest.raises(ModelStreamBroken) as broken:
            await anext(parts)
        assert (broken.value.code, broken.value.message) == ("StreamBroken", "no\nTraceback")
        with pytest.raises(StopAsyncIteration):
            await anext(parts)
        assert rig.pool.facts().errors == 1
        assert (await rig.ask(b"next")).body == b"echo next"


async def test_a_worker_that_dies_half_way_breaks_the_stream_and_is_replaced() -> None:
    async with a_pool(Streams, workers=1) as rig:
        streamed = await begun(rig)
        the_worker(rig).end(-signal.SIGSEGV)
        with pytest.raises(ModelStreamBroken) as broken:
            assert [part async for part in streamed.parts] == [b"one "]
        assert broken.value.code == "StreamBroken"
        assert broken.value.message == "Worker died. It was killed by SIGSEGV."
        assert (await rig.ask(b"next")).body == b"echo next"


async def test_whoever_leaves_ends_the_handlers_generator_and_the_worker_goes_on() -> None:
    async with a_pool(Streams, workers=1) as rig:
        streamed = await begun(rig)
        await streamed.parts.aclose()
        await until(lambda: the_worker(rig).is_cancelled)
        assert the_worker(rig).asked[-1] == {"op": "cancel", "id": 1}
        waiting = rig.begin(b"next")
        the_worker(rig).part(b"passed over")
        the_worker(rig).finish()
        assert (await waiting).body == b"echo next"
        assert [part async for part in streamed.parts] == []


async def test_whoever_leaves_before_the_first_part_ends_it_too() -> None:
    async with a_pool(Streams, workers=1) as rig:
        streaming = asyncio.create_task(rig.stream(b"stream"))
        await until(lambda: the_worker(rig).is_streaming)
        await until(lambda: bool(rig.pool.facts().workers[0].is_busy))
        streaming.cancel()
        await until(lambda: the_worker(rig).is_cancelled)
        the_worker(rig).part(b"passed over")
        the_worker(rig).finish()
        assert (await rig.ask(b"next")).body == b"echo next"


async def test_a_generator_that_does_not_end_when_it_is_left_costs_its_worker() -> None:
    async with a_pool(Streams, workers=1, timeout_s=0.1) as rig:
        streamed = await begun(rig)
        await streamed.parts.aclose()
        await until(lambda: len(rig.launcher.workers) == 2)
        assert (await rig.ask(b"next")).body == b"echo next"


async def test_nothing_before_the_first_limit_is_no_answer_in_time() -> None:
    async with a_pool(Streams, workers=1, timeout_s=0.1) as rig:
        said = await rig.stream(b"stream")
        assert isinstance(said, Answer)
        assert said.status == 0
        await until(lambda: len(rig.launcher.workers) == 2)


async def test_a_stream_may_take_longer_than_a_request_but_not_for_ever() -> None:
    async with a_pool(Streams, workers=1, timeout_s=0.1, stream_s=0.4) as rig:
        streamed = await begun(rig)
        parts = aiter(streamed.parts)
        assert await anext(parts) == b"one "
        second = asyncio.ensure_future(anext(parts))
        assert await asyncio.wait({second}, timeout=0.2) == (set(), {second})
        the_worker(rig).part(b"late")
        assert await second == b"late"
        with pytest.raises(ModelStreamBroken) as broken:
            await anext(parts)
        assert broken.value.code == "ModelInvocationTimeExceeded"
        assert broken.value.message == "The model's answer took longer than 0.4 s."
        assert (await rig.ask(b"next")).body == b"echo next"
        assert signal.SIGABRT in rig.launcher.children[0].signals


async def test_a_client_that_reads_slowly_makes_the_worker_wait() -> None:
    async with a_pool(Streams, workers=1) as rig:
        streamed = await begun(rig)
        piece = bytes(2**16)
        for _ in range(128):  # 8 MiB: more than the sockets and the daemon take unread
            the_worker(rig).part(piece)
        await until(lambda: the_worker(rig).unsent() > 2**22)
        for _ in range(100):
            await asyncio.sleep(0)
        assert the_worker(rig).unsent() > 2**22
        the_worker(rig).finish()
        assert sum([len(part) async for part in streamed.parts]) == 4 + 128 * len(piece)
        assert (await rig.ask(b"next")).body == b"echo next"


async def test_leaving_a_stream_that_waits_lets_its_worker_end() -> None:
    async with a_pool(Streams, workers=1) as rig:
        streamed = await begun(rig)
        for _ in range(128):
            the_worker(rig).part(bytes(2**16))
        the_worker(rig).finish()
        await until(lambda: the_worker(rig).unsent() > 2**22)
        await streamed.parts.aclose()
        assert (await rig.ask(b"next")).body == b"echo next"


async def test_draining_lets_a_stream_end() -> None:
    async with a_pool(Streams, workers=1) as rig:
        streamed = await begun(rig)
        drained = asyncio.create_task(rig.pool.drain(5))
        await asyncio.sleep(0)
        the_worker(rig).finish(b"two")
        assert [part async for part in streamed.parts] == [b"one ", b"two"]
        await drained


async def test_draining_has_an_end_for_a_stream_too() -> None:
    async with a_pool(Streams, workers=1) as rig:
        streamed = await begun(rig)
        await rig.pool.drain(0.02)
        with pytest.raises(ModelStreamBroken) as broken:
            assert [part async for part in streamed.parts] == [b"one "]
        assert broken.value.code == "StreamBroken"


async def test_a_worker_is_given_nothing_ahead_while_it_streams() -> None:
    async with a_pool(Streams, workers=1) as rig:
        await rig.quicken()
        streamed = await begun(rig)
        waiting = rig.begin(b"next")
        assert rig.pool.facts().waiting == 1
        the_worker(rig).finish(answer(b"").body)
        assert [part async for part in streamed.parts] == [b"one "]
        assert (await waiting).body == b"echo next"
