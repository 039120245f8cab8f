"""A request whose answer is passed on in parts as they come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Any

from sagelet.domain.invocation import Invocation, StreamedAnswer
from sagelet.errors import ModelStreamBroken
from sagelet.hosting.connection import ConnectionGone
from sagelet.hosting.death import Death
from sagelet.hosting.replies import Replies, stream_cut, stream_failed, stream_too_long
from sagelet.hosting.seats import Seat
from sagelet.hosting.streams import Parts
from sagelet.hosting.tickets import Ticket, joined
from sagelet.worker.frames import Frame, encode_frame


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Until the first part, and in all. `watch` is told when limits are to be looked at next."""

    first_s: float
    whole_s: float
    watch: Callable[[float], None]


class StreamTicket(Ticket):
    """One request. `reply` gets a StreamedAnswer with the first part, or an Answer without one."""

    goes_alone = True
    __slots__ = ("_begin", "_limits", "_out", "_seat")

    def __init__(
        self,
        number: int,
        invocation: Invocation,
        reply: asyncio.Future[Any],
        replies: Replies,
        limits: StreamLimits,
        now: float,
    ) -> None:
        """Take a request that has just come."""
        super().__init__(number, invocation, reply, replies, limits.first_s, now)
        self._limits = limits
        self._begin: Frame | None = None
        self._out: Parts | None = None
        self._seat: Seat | None = None

    def hear(self, frame: Frame, seat: Seat) -> bool:
        """Take a frame of the answer; return whether it was the last."""
        op = frame.header["op"]
        if op == "answer":
            return True
        if op == "begin":
            self._begin, self._seat = frame, seat
            if self.reply.cancelled():  # who asked has left before there was anything to read
                self.cancel()
        elif op == "part" and frame.body:
            self._pass_on(frame.body, seat.worker.generation)
        return False

    def finish(self, frame: Frame, generation: int, now: float) -> None:
        """End the stream, or answer where there was none."""
        header, body = frame
        if self._begin is not None and body and header["status"] < 400:
            self._pass_on(body, generation)
        if self._out is None:
            whole = frame if self._begin is None else joined([self._begin], frame)
            super().finish(whole, generation, now)
            return
        failed = header["status"] >= 400
        self._end(self._out, header, stream_failed(header, body) if failed else None)

    def overrun(self, generation: int) -> None:
        """Answer for a worker that is killed because it took too long."""
        if self._out is None:
            super().overrun(generation)
        else:
            self._end(self._out, {"status": 0}, stream_too_long(self._limits.whole_s))

    def fail(self, death: Death, generation: int) -> None:
        """Answer for a worker that died while it was at it."""
        if self._out is None:
            super().fail(death, generation)
        else:
            self._end(self._out, {"status": death.status}, stream_cut(death))

    def pause_reading(self) -> None:
        """Let the worker wait for the client."""
        if self._seat is not None:
            self._seat.worker.connection.pause_reading()

    def resume_reading(self) -> None:
        """Let the worker go on."""
        if self._seat is not None:
            self._seat.worker.connection.resume_reading()

    def leave(self) -> None:
        """Nobody waits for the answer any more."""
        if self._out is not None:
            self._out.close()
        else:
            self.cancel()

    def cancel(self) -> None:
        """Tell the worker that nobody wants the rest; it has the first part's limit to end."""
        if self._seat is None:
            return  # not begun: it is cancelled when it does, or not asked at all
        with suppress(ConnectionGone):  # then there is nothing to end
            self._seat.worker.connection.send(encode_frame({"op": "cancel", "id": self.number}))
        self.limit_s = min(self.limit_s, monotonic() - self.began + self._limits.first_s)
        self._limits.watch(self.began + self.limit_s)

    def _pass_on(self, part: bytes, generation: int) -> None:
        if self._out is None and not self.reply.done():
            self._open(generation)
        if self._out is not None:
            self._out.put(part)

    def _open(self, generation: int) -> None:
        """Answer with a stream, now that there is something in it."""
        if self._begin is None:
            return
        self.deadline, self.limit_s = inf, self._limits.whole_s
        said = self._begin.header
        self._out = Parts(self)
        self.reply.set_result(
            StreamedAnswer(
                status=said["status"],
                content_type=said["content_type"],
                variant=self.replies.variant,
                generation=generation,
                parts=self._out,
                headers=self.replies.with_notice(said["headers"], generation),
            )
        )

    def _end(self, out: Parts, said: Mapping[str, Any], error: ModelStreamBroken | None) -> None:
        """End an open stream, and count it."""
        out.end(error)
        timing = self.timing(monotonic(), said.get("phases_ms"))
        self.replies.meter.count(said["status"], timing, said.get("differs", ()))
        self.replies.meter.pace(timing.total_ms - timing.queue_ms)
