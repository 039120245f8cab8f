"""Who gets which request: the workers of a pool, what each is at, and who waits.

    submit -> a free worker -> frame out ... frame in -> answer
           -> ahead of what a busy one is at, where they are quick
           -> the line

**Ahead.** A worker that is done is given its next request before its answer is even looked at, and
where answers come quickly it has that one already, and those of the next milliseconds: the loop may
be at a burst of other clients' requests for as long. So a few requests can be behind another that
turns out to be slow: each is answered for at its own deadline as if it still waited, and goes back
to the front of the line if the worker ends before it began.

**Together.** A worker that becomes free takes all that wait, if its handlers take several at once.
There is no timer for it, and one that comes alone goes alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from math import inf
from time import monotonic
from typing import Any

from sagelet.hosting.connection import ConnectionGone
from sagelet.hosting.heads import Heads
from sagelet.hosting.limits import Limits
from sagelet.hosting.line import Line
from sagelet.hosting.metering import Meter
from sagelet.hosting.seats import Errand, Seat, Work
from sagelet.hosting.tickets import Batch, Ticket
from sagelet.hosting.worker import Worker
from sagelet.worker.frames import Frame

_QUICK_MS = 5.0
"""Answers that come faster than this are worth being asked for ahead."""
_AHEAD_MS = 2.0
"""Besides one request, a worker has about so much work ahead at most."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A worker that is gone, and what it was at; `why` says so where it is to be killed."""

    worker: Worker
    work: Work | None
    why: str = ""


class Desk:
    """Gives work to workers. Everything happens on the daemon's event loop."""

    def __init__(
        self,
        line: Line,
        meter: Meter,
        *,
        timeout_s: float,
        max_batch: int,
        most_ahead: int,
        generation: int,
        on_loss: Callable[[Loss], None],
    ) -> None:
        """Begin without workers. `on_loss` is told of each that is lost."""
        self.line = line
        self.seats: dict[Worker, Seat] = {}
        self.generation = generation
        self.last_at = monotonic()
        self.limits = Limits(self._look)
        self._meter = meter
        self._timeout_s = timeout_s
        self._max_batch = max_batch
        self._most_ahead = most_ahead
        self._on_loss = on_loss
        self._heads = Heads()
        self._free: list[Seat] = []
        self._quiet: asyncio.Event | None = None
        self._is_to_serve = False

    @property
    def is_quiet(self) -> bool:
        """Whether nobody is at anything and nobody waits."""
        return len(self._free) == len(self.seats) and not self.line

    def submit(self, ticket: Ticket, now: float) -> None:
        """Give a request to a worker, or let it wait.

        Raises:
            QueueFull: too many wait already.
        """
        self.last_at = now
        if ticket.deadline < self.limits.next:
            self.limits.watch(ticket.deadline)
        if self._free:
            if self._free[-1].worker.batches:
                self._serve_soon()
            elif self._ask(self._free.pop(), ticket, now):
                return
            else:
                self._serve_soon()  # that one was dead; perhaps there is another
        elif self._ask_ahead(ticket, now):
            return
        self.line.join(ticket)

    def admit(self, worker: Worker) -> None:
        """Take a worker in; it gets work at once."""
        seat = self.seats[worker] = Seat(worker)
        worker.connection.on_frame = partial(self._heard, seat)
        worker.connection.on_lost = partial(self._lost, seat)
        if worker.connection.is_lost:
            self._lost(seat)
        else:
            self._give(seat, monotonic())

    async def errand(
        self, worker: Worker, header: Mapping[str, Any], body: bytes, within_s: float | None
    ) -> Frame:
        """Ask a worker something between two requests, before it gets another one.

        Raises:
            ConnectionGone: it died, or had died before.
            TimeoutError: it was busy for longer than `within_s`; it has not been asked.
        """
        seat = self.seats.get(worker)
        if seat is None:
            raise ConnectionGone(asked=False)
        reply: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        seat.queue(Errand(header, body, self._timeout_s, reply), within_s)
        if seat in self._free:
            self._free.remove(seat)
            self._give(seat, monotonic())
        return await reply

    async def until_quiet(self, within_s: float) -> None:
        """Wait until all that has come in is answered, or the time is over."""
        if not self.is_quiet:
            self._quiet = self._quiet or asyncio.Event()
            with suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await self._quiet.wait()

    def let_go(self) -> tuple[Seat, ...]:
        """Give the workers nothing any more; what they are at they may still answer."""
        seats = tuple(self.seats.values())
        for seat in seats:
            seat.worker.connection.on_lost = _nothing
        self.seats.clear()
        self._free.clear()
        return seats

    def vacate(self, seat: Seat, why: str = "") -> Loss:
        """Take back what a worker has not begun with; its errands have not been asked."""
        first = seat.asked.popleft() if seat.asked else None
        self.line.put_back(work for work in seat.asked if isinstance(work, Ticket))
        seat.leave()
        return Loss(seat.worker, first, why)

    def turn_away(self, why: str) -> None:
        """Tell all who wait that no worker will come."""
        while (ticket := self.line.next()) is not None:
            ticket.turn_away(why, self.generation)

    def _ask(self, seat: Seat, work: Work, now: float) -> bool:
        """Send a worker its work; False if it was gone before."""
        try:
            seat.send(work.frame(self._heads))
        except ConnectionGone:
            self._lost(seat)
            return False
        if not seat.asked:
            work.began = now
        seat.asked.append(work)
        return True

    def _ask_ahead(self, ticket: Ticket, now: float) -> bool:
        """Give a request to the busy worker that will be free first, if one may have it."""
        ahead = self._ahead()
        if not ahead or self.line:
            return False
        seats = [seat for seat in self.seats.values() if seat.may_take_ahead(ahead)]
        return bool(seats) and self._ask(min(seats, key=Seat.order), ticket, now)

    def _ahead(self) -> int:
        """Return how many requests a worker may have beyond the one that it is at."""
        pace_ms = self._meter.pace_ms
        if pace_ms >= _QUICK_MS:
            return 0
        return max(1, min(self._most_ahead, int(_AHEAD_MS / max(pace_ms, 1e-3))))

    def _heard(self, seat: Seat, frame: Frame) -> None:
        """Take a frame of a worker's; once it is done, it goes on before its answer does."""
        asked = seat.asked
        if not asked or not asked[0].hear(frame, seat):
            return
        work = asked.popleft()
        now = self.last_at = monotonic()
        worker = seat.worker
        worker.replies += 1
        if worker in self.seats:
            self._give(seat, now)
        work.finish(frame, worker.generation, now)

    def _give(self, seat: Seat, now: float) -> None:
        """Give a worker that is done what comes next."""
        asked = seat.asked
        if asked:
            asked[0].began = now
        elif not self._give_first(seat, now):
            return
        ahead = self._ahead() if self.line else 0
        while ahead and seat.may_take_ahead(ahead) and (ticket := self.line.next()) is not None:
            if not self._ask(seat, ticket, now):
                self._put_back(ticket)
                return

    def _give_first(self, seat: Seat, now: float) -> bool:
        """Give a worker that is at nothing an errand, or a request, or rest; False for rest."""
        if seat.errands:
            errand = seat.errands[0]
            self.limits.watch(now + errand.limit_s)
            if self._ask(seat, errand, now):  # if not, it is told like the others
                seat.errands.popleft()
            return True
        line = self.line
        tickets = line.several(self._max_batch if seat.worker.batches else 1) if line else ()
        if not tickets:
            self._free.append(seat)
            self._tell_if_quiet()
            return False
        work = tickets[0] if len(tickets) == 1 else Batch(tickets, self._timeout_s)
        if not self._ask(seat, work, now):
            self._put_back(*tickets)
        return True

    def _serve_soon(self) -> None:
        """Serve the line when all that came in this turn of the event loop is in it."""
        if not self._is_to_serve:
            self._is_to_serve = True
            asyncio.get_running_loop().call_soon(self._serve)

    def _serve(self) -> None:
        self._is_to_serve = False
        now = monotonic()
        while self._free and self.line:
            self._give(self._free.pop(), now)

    def _put_back(self, *tickets: Ticket) -> None:
        self.line.put_back(tickets)
        self._serve()

    def _lost(self, seat: Seat, why: str = "") -> None:
        if self.seats.pop(seat.worker, None) is None:
            return
        if seat in self._free:
            self._free.remove(seat)
        self._on_loss(self.vacate(seat, why))
        self._serve()
        self._tell_if_quiet()

    def _tell_if_quiet(self) -> None:
        """Tell whoever waits for it that all is answered."""
        if self._quiet is not None and self.is_quiet:
            self._quiet.set()
            self._quiet = None

    def _look(self, now: float) -> float:
        """Answer for workers that did not in time, give up those that hang."""
        upcoming = self.line.expire(self.generation, now)
        for seat in list(self.seats.values()):
            for work in seat.asked:
                if work.deadline <= now:
                    work.expire(seat.worker.generation, now)
            upcoming = min(upcoming, self._look_at(seat, now))
        return upcoming

    def _look_at(self, seat: Seat, now: float) -> float:
        """Give a worker up if it hangs; return when to look at it again."""
        if not seat.asked:
            return inf
        first = seat.asked[0]
        if first.began + first.limit_s > now:
            return min(first.began + first.limit_s, *(work.deadline for work in seat.asked))
        first.overrun(seat.worker.generation)
        limit = f"{first.limit_s:g} s"
        self._lost(seat, f"a request took longer than {limit}; its worker is replaced")
        return inf


def _nothing() -> None:
    """Do nothing: the end of a worker that was told to stop is no news."""
