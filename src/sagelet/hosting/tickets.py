"""Requests on their way through a pool: one, and several at once.

A ticket is answered exactly once. Its own limit counts from when it came; its worker's, which is
killed for one that takes too long, from when it began with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Any

from sagelet.domain.invocation import Answer, Invocation, Timing
from sagelet.hosting.connection import ConnectionGone
from sagelet.hosting.death import Death
from sagelet.hosting.heads import Heads
from sagelet.hosting.replies import Replies
from sagelet.hosting.seats import Seat
from sagelet.worker.frames import Frame, encode_frame, frame_of

_JOINED_BYTES = 64 * 2**20
"""Parts that are joined are in our memory: a generator without an end must not fill that."""


class Ticket:
    """One request; an answer that its worker gives in parts is joined.

    `reply` gets an Answer, or is cancelled by who asked: then nobody wants it any more.
    """

    goes_alone = False
    __slots__ = (
        "_parts", "_size", "began", "deadline", "invocation", "limit_s", "number", "replies",
        "reply", "submitted",
    )  # fmt: skip

    def __init__(
        self,
        number: int,
        invocation: Invocation,
        reply: asyncio.Future[Any],
        replies: Replies,
        limit_s: float,
        now: float,
    ) -> None:
        """Take a request that has just come."""
        self.number = number
        self.invocation = invocation
        self.reply = reply
        self.replies = replies
        self.limit_s = limit_s
        self.submitted = now
        self.began = 0.0
        self.deadline = now + limit_s
        self._parts: list[Frame] | None = None
        self._size = 0

    def frame(self, heads: Heads) -> bytes:
        """Return it as a worker gets it."""
        return frame_of(heads.invoke(self.number, self.invocation), self.invocation.body)

    def hear(self, frame: Frame, seat: Seat) -> bool:
        """Take a frame of the answer; return whether it was the last."""
        if frame.header["op"] == "answer":
            return True
        if self._parts is None:
            self._parts = []
        self._size += len(frame.body)
        if self._size <= _JOINED_BYTES:
            self._parts.append(frame)
        elif self.deadline < inf:
            self._overflow(seat)
        return False

    def finish(self, frame: Frame, generation: int, now: float) -> None:
        """Answer with what the worker said."""
        if self.deadline == inf and self.reply.done():
            return  # it came too late, and was answered for then
        began, submitted = self.began, self.submitted
        replies = self.replies
        meter = replies.meter
        meter.pace((now - began) * 1000)
        answer = replies.of_frame(
            frame if self._parts is None else joined(self._parts, frame),
            generation,
            round((began - submitted) * 1000, 3),
            round((now - submitted) * 1000, 3),
        )
        if now >= meter.due:
            replies.record(self.invocation, answer, now)
        if not self.reply.done():
            self.reply.set_result(answer)

    def _overflow(self, seat: Seat) -> None:
        """Answer for a handler that has too much to say, and stop it between two parts."""
        self._parts, self.deadline = [], inf
        worker = seat.worker
        if not self.reply.done():
            timing = self.timing(monotonic())
            self._answer(self.replies.endless(_JOINED_BYTES, worker.generation, timing))
        with suppress(ConnectionGone):  # then there is nobody to stop
            worker.connection.send(encode_frame({"op": "cancel", "id": self.number}))

    def expire(self, generation: int, now: float) -> None:
        """Answer for a worker that did not in time."""
        self.deadline = inf
        if not self.reply.done():
            self._answer(self.replies.timed_out(generation, self.timing(now)))

    def overrun(self, generation: int) -> None:
        """Answer for a worker that is killed because it took too long."""
        self.expire(generation, monotonic())

    def fail(self, death: Death, generation: int) -> None:
        """Answer for a worker that died while it may have been at it."""
        if not self.reply.done():
            timing = self.timing(monotonic())
            self._answer(self.replies.of_death(death, generation, timing))

    def turn_away(self, why: str, generation: int) -> None:
        """Answer that there is no worker for it; it was not started."""
        if not self.reply.done():
            timing = self.timing(monotonic())
            self._answer(self.replies.unreachable(why, generation, timing))

    def _answer(self, answer: Answer) -> None:
        """Answer with what no worker has said."""
        self.replies.record(self.invocation, answer, monotonic())
        self.reply.set_result(answer)

    def timing(self, now: float, phases_ms: Mapping[str, float] | None = None) -> Timing:
        """Return where the time went until now."""
        waited_s = (self.began or now) - self.submitted
        total_ms = round((now - self.submitted) * 1000, 3)
        return Timing(round(waited_s * 1000, 3), phases_ms or {}, total_ms)


@dataclass(eq=False, slots=True)
class Batch:
    """Requests that one worker answers together. Which of them killed a worker is unknown."""

    tickets: Sequence[Ticket]
    limit_s: float
    _began: float = 0.0

    @property
    def began(self) -> float:
        """When its worker began with it."""
        return self._began

    @began.setter
    def began(self, at: float) -> None:
        self._began = at
        for ticket in self.tickets:
            ticket.began = at

    @property
    def deadline(self) -> float:
        """The earliest of its requests'."""
        return min(ticket.deadline for ticket in self.tickets)

    def frame(self, heads: Heads) -> bytes:
        """Return it as a worker gets it."""
        requests = [(ticket.number, ticket.invocation) for ticket in self.tickets]
        bodies = b"".join(invocation.body for _, invocation in requests)
        return frame_of(heads.invoke_batch(requests), bodies)

    def hear(self, frame: Frame, seat: Seat) -> bool:
        """Take the frame that has all answers."""
        del seat
        return bool(frame.header["op"] == "answers")

    def finish(self, frame: Frame, generation: int, now: float) -> None:
        """Give each request its answer."""
        start = 0
        for ticket, answer in zip(self.tickets, frame.header["answers"], strict=True):
            end = start + answer["size"]
            ticket.finish(Frame(answer, frame.body[start:end]), generation, now)
            start = end

    def expire(self, generation: int, now: float) -> None:
        """Answer for those of its requests whose time is over."""
        for ticket in self.tickets:
            if ticket.deadline <= now:
                ticket.expire(generation, now)

    def overrun(self, generation: int) -> None:
        """Answer all for a worker that is killed because they took too long."""
        for ticket in self.tickets:
            ticket.overrun(generation)

    def fail(self, death: Death, generation: int) -> None:
        """Answer all for a worker that died while it may have been at any of them."""
        for ticket in self.tickets:
            ticket.fail(death, generation)


def joined(parts: Sequence[Frame], last: Frame) -> Frame:
    """Return an answer that came in parts as if it had come whole; an error has its text only."""
    header, body = last
    if header["status"] >= 400:
        return Frame({"content_type": None, "headers": {}, **header}, body)
    whole = b"".join([*(part.body for part in parts), body])
    return Frame({**parts[0].header, **header}, whole)
