"""A pool of scripted workers in this process, and kinds of workers for it."""

from __future__ import annotations

import asyncio
import signal
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sagelet.domain.invocation import Answer, Invocation, StreamedAnswer
from sagelet.hosting.death import OutOfMemoryKills
from sagelet.hosting.pool import Pool, PoolSettings
from sagelet.hosting.worker import Recruiting
from sagelet.worker.frames import Frame
from sagelet.worker.spec import ServeOrder
from tests.scripted_workers import ScriptedLauncher, ScriptedWorker, answer

ORDER = ServeOrder("/m", "/m", "inference.py", "/m", {})
LOAD_FAILED = {
    "op": "load_failed",
    "advice": "",
    "error": "ValueError: no",
    "where": "/m/i.py:3",
    "traceback": "T",
}


class Held(ScriptedWorker):
    """Answers `hold…` only when it is let go."""

    def answer(self, header: dict[str, Any], body: bytes) -> Frame | None:
        return None if body.startswith(b"hold") else super().answer(header, body)

    def let_go(self) -> None:
        self.say(answer(b"let go"))


class Dies(ScriptedWorker):
    """Dies of a request `die`, with this exit code."""

    exit_code = 1

    def answer(self, header: dict[str, Any], body: bytes) -> Frame | None:
        if body == b"die":
            self.end(self.exit_code)
            return None
        return super().answer(header, body)


class Killed(Dies):
    exit_code = -signal.SIGKILL


class Silent(ScriptedWorker):
    """Loads for ever."""

    def first_words(self) -> None:
        return None


class DoesNotLoad(ScriptedWorker):
    def first_words(self) -> dict[str, Any]:
        return LOAD_FAILED


class InOrder(ScriptedWorker):
    """Takes one frame after the other, as a real worker does; `hold…` keeps it until `let_go`.

    `bodies` are those of the requests that it has begun with, `received` of all that it was sent.
    """

    def __init__(self, order: ServeOrder) -> None:
        super().__init__(order)
        self.bodies: list[bytes] = []
        self.received: list[bytes] = []
        self.is_held = False
        self._frames: deque[Frame] = deque()

    def reply(self, frame: Frame) -> Frame | None:
        if frame.header["op"] == "stop":
            return super().reply(frame)
        self.received.append(frame.body)
        self._frames.append(frame)
        self._go_on()
        return None

    def let_go(self, body: bytes = b"let go") -> None:
        self.is_held = False
        self.say(answer(body))
        self._go_on()

    def _go_on(self) -> None:
        while self._frames and not self.is_held:
            frame = self._frames.popleft()
            self.bodies.append(frame.body)
            if b"hold" in frame.body:
                self.asked.append(frame.header)
                self.is_held = True
            else:
                said = super().reply(frame)
                if said is not None:
                    self.say(said)


class Together(InOrder):
    """Takes several requests at once; each that is `bad` fails alone."""

    def first_words(self) -> dict[str, Any] | None:
        return {**(super().first_words() or {}), "batches": True}

    def answer_batch(self, header: dict[str, Any], body: bytes) -> Frame:
        start, answers, bodies = 0, [], []
        for asked in header["requests"]:
            own = body[start : start + asked["size"]]
            start += asked["size"]
            said = answer(b"together " + own, status=500 if own == b"bad" else 200)
            answers.append({**said.header, "id": asked["id"], "size": len(said.body)})
            bodies.append(said.body)
        return Frame({"op": "answers", "answers": answers}, b"".join(bodies))


class PoolRig:
    """A pool under test, with what it noted."""

    def __init__(
        self,
        kind: type[ScriptedWorker],
        *,
        kills: OutOfMemoryKills | None = None,
        **settings: float,
    ) -> None:
        self.launcher = ScriptedLauncher(kind)
        self.notes: list[str] = []
        numbers: dict[str, Any] = {
            "workers": 2, "waiting_limit": 3, "timeout_s": 5.0, "stop_s": 1.0, "rest_s": 60.0,
            "delays_s": (0.0, 0.001),
        }  # fmt: skip
        self.pool = Pool(
            endpoint="e",
            variant="AllTraffic",
            recruiting=Recruiting(
                launcher=self.launcher,
                order=ORDER,
                load_s=5,
                stop_s=1,
                on_line=self.notes.append,
                kills=kills or OutOfMemoryKills(),
            ),
            settings=PoolSettings(**{**numbers, **settings}),
            on_note=self.notes.append,
        )

    async def ask(self, body: bytes = b"a") -> Answer:
        return await self.pool.submit(Invocation("e", body, content_type="text/plain"))

    def begin(self, body: bytes) -> asyncio.Future[Answer]:
        return self.pool.submit(Invocation("e", body, content_type="text/plain"))

    async def stream(self, body: bytes = b"a") -> Answer | StreamedAnswer:
        return await self.pool.stream(Invocation("e", body, content_type="text/plain"))

    async def quicken(self) -> None:
        """Answer so many requests so quickly that workers are asked for one ahead."""
        for _ in range(100):
            await self.ask(b"quick")

    @property
    def asked(self) -> int:
        return sum(len(worker.asked) for worker in self.launcher.workers)


@asynccontextmanager
async def a_pool(
    kind: type[ScriptedWorker] = ScriptedWorker, **settings: float
) -> AsyncIterator[PoolRig]:
    """Start a pool of scripted workers, and drain it at the end."""
    rig = PoolRig(kind, kills=None, **settings)
    await rig.pool.start()
    try:
        yield rig
    finally:
        await rig.pool.drain(0)
