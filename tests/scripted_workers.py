"""A launcher whose workers are scripts in this process: real sockets and pipes, no processes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sagelet.supervision.child import Child, Usage
from sagelet.supervision.process import ProcessId
from sagelet.worker.frames import Frame, FrameDecoder, encode_frame
from sagelet.worker.spec import ServeOrder

_NO_SUCH_PID = 2**30


class ScriptedWorker:
    """What a worker does. Override `reply`; None says nothing at all (it hangs)."""

    def __init__(self, order: ServeOrder) -> None:
        self.order = order
        self.asked: list[dict[str, Any]] = []
        self.output = -1
        self.end: Callable[[int], None] = lambda code: None
        self.write: Callable[[bytes], None] = lambda data: None
        self.say: Callable[[Frame], None] = lambda frame: None
        self.say_bytes: Callable[[bytes], None] = lambda data: None
        self.unsent: Callable[[], int] = lambda: 0

    def first_words(self) -> dict[str, Any] | None:
        """Say that the model is loaded, or did not load."""
        return {"op": "loaded", "generation": self.order.generation, "load_ms": 1, "functions": []}

    def answer(self, header: dict[str, Any], body: bytes) -> Frame | None:
        """Answer a request."""
        return answer(b"echo " + body)

    def answer_batch(self, header: dict[str, Any], body: bytes) -> Frame | None:
        """Answer several requests at once."""
        raise AssertionError("it has not said that it batches")

    def prepared(self, header: dict[str, Any]) -> dict[str, Any]:
        """Answer a prepare."""
        return {"op": "prepared", "generation": header["generation"], "model": "kept", "ms": 1.0,
                "modules": ["inference"]}  # fmt: skip

    def committed(self, header: dict[str, Any]) -> dict[str, Any]:
        """Answer a commit."""
        return {"op": "committed", "generation": header["generation"]}

    def reply(self, frame: Frame) -> Frame | None:
        self.asked.append(frame.header)
        match frame.header["op"]:
            case "invoke" | "invoke_traced":
                return self.answer(frame.header, frame.body)
            case "invoke_batch":
                return self.answer_batch(frame.header, frame.body)
            case "prepare":
                return Frame(self.prepared(frame.header))
            case "commit":
                return Frame(self.committed(frame.header))
            case "stop":
                self.end(0)
            case _:
                pass
        return None


def answer(body: bytes, **header: object) -> Frame:
    """Return an answer's frame."""
    facts = {"op": "answer", "id": 0, "status": 200, "content_type": "text/plain", "headers": {}}
    return Frame({**facts, **header}, body)


class ScriptedChild(Child):
    """A child that is a worker in this process; signals end it."""

    def __init__(
        self, number: int, exit_code: asyncio.Future[int], end: Callable[[int], None]
    ) -> None:
        self.usage = Usage()
        process = ProcessId(_NO_SUCH_PID + number, 0.0)
        super().__init__(process, warm=True, exit_code=exit_code, usage=self.usage)
        self._end = end
        self.signals: list[int] = []

    def signal(self, number: int) -> None:
        self.signals.append(number)
        self._end(-number)

    async def stop(self, grace_s: float) -> int:
        self.signal(signal.SIGTERM)
        return await self.wait()


class ScriptedLauncher:
    """Starts scripted workers; stands for every interpreter. `plans` come before the usual kind."""

    def __init__(self, kind: Callable[[ServeOrder], ScriptedWorker] = ScriptedWorker) -> None:
        self.kind = kind
        self.plans: deque[Callable[[ServeOrder], ScriptedWorker]] = deque()
        self.workers: list[ScriptedWorker] = []
        self.children: list[ScriptedChild] = []
        self.pythons: list[Path | None] = []

    def for_python(self, python: Path | None) -> ScriptedLauncher:
        self.pythons.append(python)
        return self

    async def launch(self, order: ServeOrder, fds: Sequence[int]) -> Child:
        loop = asyncio.get_running_loop()
        worker = (self.plans.popleft() if self.plans else self.kind)(order)
        exit_code: asyncio.Future[int] = loop.create_future()
        ours = socket.socket(fileno=os.dup(fds[0]))
        output = os.dup(fds[1])
        _, line = await loop.create_unix_connection(lambda: _Line(worker), sock=ours)

        def end(code: int) -> None:
            if not exit_code.done():
                line.close()
                os.close(output)
                exit_code.set_result(code)

        worker.end = end
        worker.write = lambda data: _written(output, data)
        worker.output = output
        worker.say = line.say
        worker.say_bytes = line.say_bytes
        worker.unsent = line.unsent
        line.on_lost = lambda: end(0)
        child = ScriptedChild(len(self.children), exit_code, end)
        self.workers.append(worker)
        self.children.append(child)
        line.begin()
        return child


def _written(descriptor: int, data: bytes) -> None:
    os.write(descriptor, data)


class _Line(asyncio.Protocol):
    """The worker's end of its socket."""

    def __init__(self, worker: ScriptedWorker) -> None:
        self._worker = worker
        self._decoder = FrameDecoder()
        self._transport: asyncio.WriteTransport | None = None
        self.on_lost: Callable[[], None] = lambda: None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def begin(self) -> None:
        words = self._worker.first_words()
        if words is not None:
            self.say(Frame(words))
            if words["op"] == "load_failed":
                self._worker.end(1)

    def data_received(self, data: bytes) -> None:
        for frame in self._decoder.feed(data):
            reply = self._worker.reply(frame)
            if reply is not None:
                self.say(reply)

    def connection_lost(self, exc: Exception | None) -> None:
        self.on_lost()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def unsent(self) -> int:
        """Return how many bytes the daemon's end has not taken yet."""
        assert self._transport is not None
        return self._transport.get_write_buffer_size()

    def say(self, frame: Frame) -> None:
        self.say_bytes(encode_frame(frame.header, frame.body))

    def say_bytes(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)
