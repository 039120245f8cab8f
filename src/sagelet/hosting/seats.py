"""A worker's place in a pool: what it has been asked, in order, and what it is asked next."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, Protocol

from sagelet.hosting.connection import ConnectionGone
from sagelet.hosting.death import Death
from sagelet.hosting.heads import Heads
from sagelet.hosting.worker import Worker
from sagelet.worker.frames import Frame, encode_frame


class Work(Protocol):
    """What a worker is asked. `began` is when it came to the front: the worker may be at it.

    A worker that is at it for longer than `limit_s` is killed. `deadline` is when the work is
    answered for at the latest; inf where that is not due, or was done.
    """

    began: float
    limit_s: float

    @property
    def deadline(self) -> float:
        """When to call `expire`."""
        ...

    def frame(self, heads: Heads) -> bytes:
        """Return it as a worker gets it."""
        ...

    def hear(self, frame: Frame, seat: Seat) -> bool:
        """Take a frame of the reply; return whether it was the last."""
        ...

    def finish(self, frame: Frame, generation: int, now: float) -> None:
        """Hand on the reply, whose last frame this is."""
        ...

    def expire(self, generation: int, now: float) -> None:
        """Answer for a worker that did not within the deadline."""
        ...

    def overrun(self, generation: int) -> None:
        """Answer for a worker that is killed because it took too long."""
        ...

    def fail(self, death: Death, generation: int) -> None:
        """Answer for a worker that died while it may have been at it."""
        ...


@dataclass(eq=False, slots=True)
class Errand:
    """Something that a worker is asked between two requests, before any other request."""

    header: Mapping[str, Any]
    body: bytes
    limit_s: float
    reply: asyncio.Future[Frame]
    began: float = 0.0
    deadline: float = inf

    def frame(self, heads: Heads) -> bytes:
        """Return it as a worker gets it."""
        del heads  # those are for requests
        return encode_frame(self.header, self.body)

    def hear(self, frame: Frame, seat: Seat) -> bool:
        """Take a frame of the reply; one that comes in parts is only judged by its last."""
        header = frame.header
        if header["op"] in ("begin", "part"):
            return False
        worker = seat.worker
        if header["op"] == "committed":
            worker.generation = header["generation"]
            worker.batches = bool(header.get("batches", worker.batches))
        return True

    def finish(self, frame: Frame, generation: int, now: float) -> None:
        """Hand on the reply."""
        del generation, now
        if not self.reply.done():
            self.reply.set_result(frame)

    def expire(self, generation: int, now: float) -> None:
        """Do nothing: an errand has its worker's limit only."""

    def overrun(self, generation: int) -> None:
        """Tell that no reply will come."""
        del generation
        self._end(ConnectionGone(asked=True))

    def fail(self, death: Death, generation: int) -> None:
        """Tell that no reply will come."""
        del death, generation
        self._end(ConnectionGone(asked=True))

    def withdraw(self, why: Exception) -> None:
        """End it before it was asked."""
        self._end(why)

    def _end(self, why: Exception) -> None:
        if not self.reply.done():
            self.reply.set_exception(why)


@dataclass(eq=False, slots=True)
class Seat:
    """A worker's place. The first of `asked` is what the worker is at; it answers in order."""

    worker: Worker
    asked: deque[Work] = field(default_factory=deque)
    errands: deque[Errand] = field(default_factory=deque)
    send: Callable[[bytes], None] = field(init=False)

    def __post_init__(self) -> None:
        """Look up once what is called for each request."""
        self.send = self.worker.connection.send

    def may_take_ahead(self, most: int) -> bool:
        """Return whether it has less than so many ahead, is in time, and nothing comes between.

        Several go together instead where the handlers take that.
        """
        if not 1 <= len(self.asked) <= most or self.errands or self.worker.batches:
            return False
        return self.asked[0].deadline < inf

    def order(self) -> tuple[int, float]:
        """Return what puts the worker first that will be free first."""
        return len(self.asked), self.asked[0].began

    def queue(self, errand: Errand, within_s: float | None) -> None:
        """Ask the worker something when it is free next; TimeoutError if that takes too long."""
        self.errands.append(errand)
        if within_s is not None:
            asyncio.get_running_loop().call_later(within_s, self._withdraw, errand)

    def leave(self) -> None:
        """The worker is gone: none of its errands has been asked."""
        self.asked.clear()
        for errand in self.errands:
            errand.withdraw(ConnectionGone(asked=False))
        self.errands.clear()

    def _withdraw(self, errand: Errand) -> None:
        if errand in self.errands:
            self.errands.remove(errand)
            errand.withdraw(TimeoutError())
