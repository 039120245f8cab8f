"""The workers of one variant of one version, from their start to their end.

    submit -> desk (who gets which request) -> worker -> answer
                └── a worker that is lost -> what it was at is answered; recovery starts another

A worker that dies on a request answers it with the model server's "Worker died.". A pool that is
parked has no workers; the next request starts them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from sagelet.domain.facts import VariantFacts, WorkerFacts
from sagelet.domain.invocation import Answer, Invocation, StreamedAnswer
from sagelet.hosting import trials
from sagelet.hosting.connection import ConnectionGone
from sagelet.hosting.desk import Desk, Loss
from sagelet.hosting.line import Line
from sagelet.hosting.metering import Meter
from sagelet.hosting.recording import NoRecorder, Recorder
from sagelet.hosting.recovery import Recovery
from sagelet.hosting.replies import Replies
from sagelet.hosting.samples import Sample
from sagelet.hosting.seats import Seat
from sagelet.hosting.stream_tickets import StreamLimits, StreamTicket
from sagelet.hosting.tickets import Ticket
from sagelet.hosting.together import start_together
from sagelet.hosting.traced_tickets import TracedTicket
from sagelet.hosting.worker import Recruiting, Worker
from sagelet.supervision.backoff import DELAYS_S
from sagelet.worker.frames import Frame

NOBODY = NoRecorder()
_REPLACED = "this version has been replaced"


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """The numbers of a pool.

    A streamed answer has `timeout_s` until its first part and `stream_s` in all. Between the tries
    to replace a worker the pool waits `delays_s`; when its workers do nothing but die, it gives up
    for `rest_s`. A worker that is quick has `most_ahead` requests beyond the one that it is at.
    """

    workers: int
    waiting_limit: int
    timeout_s: float
    stop_s: float
    rest_s: float
    delays_s: Sequence[float] = DELAYS_S
    max_batch: int = 1
    most_ahead: int = 4
    stream_s: float = 480.0


class Pool:
    """Workers that serve alike. Everything happens on the daemon's event loop."""

    def __init__(
        self,
        *,
        endpoint: str,
        variant: str,
        recruiting: Recruiting,
        settings: PoolSettings,
        on_note: Callable[[str], None],
        meter: Meter | None = None,
        recorder: Recorder = NOBODY,
    ) -> None:
        """Prepare; `start` brings the workers up. `on_note` is told of deaths and recoveries."""
        self.variant = variant
        self._endpoint = endpoint
        self._settings = settings
        self._on_note = on_note
        self._meter = meter or Meter()
        self.replies = Replies(variant, self._meter, recorder)
        self._went_live = datetime.now(UTC)
        self._desk = Desk(
            Line(endpoint, settings.waiting_limit),
            self._meter,
            timeout_s=settings.timeout_s,
            max_batch=settings.max_batch,
            most_ahead=settings.most_ahead,
            generation=recruiting.order.generation,
            on_loss=self._lost,
        )
        self._stream_limits = StreamLimits(
            settings.timeout_s, settings.stream_s, self._desk.limits.watch
        )
        self._loop = asyncio.get_running_loop()  # to ask for it each time is a system call
        self._number = 0
        self._is_parked = False
        self._is_waking = False
        self._closed = ""
        self._burials: set[asyncio.Task[None]] = set()
        self._recovery = Recovery(
            recruiting,
            rest_s=settings.rest_s,
            delays_s=settings.delays_s,
            admit=self._admit,
            on_note=on_note,
            living=lambda: len(self._desk.seats),
        )
        self._recovery.on_given_up = self._turn_away

    def again(self, generation: int, recruiting: Recruiting | None = None) -> Pool:
        """Return another pool of the same kind, to be started with what the files hold now."""
        return Pool(
            endpoint=self._endpoint,
            variant=self.variant,
            recruiting=(recruiting or self.recruiting).at_generation(generation),
            settings=self._settings,
            on_note=self._on_note,
            meter=self._meter,
            recorder=self.replies.recorder,
        )

    @property
    def meter(self) -> Meter:
        """What counts its answers."""
        return self._meter

    @property
    def workers(self) -> tuple[Worker, ...]:
        """The workers that live."""
        return tuple(self._desk.seats)

    def pids(self) -> tuple[int, ...]:
        """Return its workers' processes."""
        return tuple(worker.pid for worker in self._desk.seats)

    @property
    def recruiting(self) -> Recruiting:
        """How its next worker will come to be."""
        return self._recovery.recruiting

    @property
    def is_parked(self) -> bool:
        """Whether its workers were stopped until the next request."""
        return self._is_parked

    def idle_s(self) -> float:
        """Return the seconds since the last request; 0 while there is one."""
        return monotonic() - self._desk.last_at if self._desk.is_quiet else 0.0

    def facts(self) -> VariantFacts:
        """Return what is known of it."""
        order, meter, notice = self.recruiting.order, self._meter, self.replies.notice
        return VariantFacts(
            variant=self.variant,
            generation=order.generation,
            contract=order.contract,
            is_parked=self._is_parked,
            waiting=self._desk.line.count(),
            workers=tuple(
                WorkerFacts(worker.pid, worker.generation, bool(seat.asked))
                for worker, seat in self._desk.seats.items()
            ),
            requests=meter.requests,
            errors=meter.errors,
            latency_ms=meter.latency_ms(),
            phases_ms=meter.phases_ms(),
            differs=dict(meter.differs),
            problem=notice.problem if notice is not None else None,
            started_at=self._went_live,
        )

    async def start(self) -> None:
        """Start all workers at once, and wait until every one has loaded the model.

        Raises:
            WorkerStartFailed: one of them did not; none is left.
        """
        starts = (self.recruiting.start() for _ in range(self._settings.workers))
        for worker in await start_together(starts, self._stop):
            self._admit(worker)
        self._went_live = datetime.now(UTC)

    def submit(self, invocation: Invocation) -> asyncio.Future[Answer]:
        """Begin one invocation. Cancelling the result withdraws it unless it was started.

        Raises:
            QueueFull: too many wait already.
        """
        reply: asyncio.Future[Answer] = self._loop.create_future()
        now = monotonic()
        self._number += 1
        timeout_s = self._settings.timeout_s
        ticket: Ticket
        if invocation.trace:
            ticket = TracedTicket(
                self._number,
                invocation,
                reply,
                self.replies,
                timeout_s,
                now,
                self.recruiting.traces,
            )
        else:
            ticket = Ticket(self._number, invocation, reply, self.replies, timeout_s, now)
        self._queue(ticket, now)
        return reply

    async def stream(self, invocation: Invocation) -> Answer | StreamedAnswer:
        """Run one invocation whose answer is passed on in parts.

        An Answer is what there was no stream of: an error before the first part, for one.

        Raises:
            QueueFull: too many wait already.
        """
        reply: asyncio.Future[Answer | StreamedAnswer] = asyncio.get_running_loop().create_future()
        now = monotonic()
        self._number += 1
        limits = self._stream_limits
        ticket = StreamTicket(self._number, invocation, reply, self.replies, limits, now)
        self._queue(ticket, now)
        try:
            return await reply
        except asyncio.CancelledError:
            ticket.leave()
            raise

    async def errand(
        self,
        worker: Worker,
        header: Mapping[str, Any],
        body: bytes = b"",
        *,
        within_s: float | None = None,
    ) -> Frame:
        """Ask a worker something between two requests, before it gets another one.

        Raises:
            ConnectionGone: it died, or had died before.
            TimeoutError: it was busy for longer than `within_s`; it has not been asked.
        """
        return await self._desk.errand(worker, header, body, within_s)

    def tell(self, worker: Worker, header: Mapping[str, Any]) -> None:
        """Tell a worker something that it does not reply to."""
        worker.tell(header)

    async def commit(self, generation: int) -> None:
        """Put a prepared generation in place: no worker takes another request without it."""
        self._recovery.serve(generation)
        self._went_live = datetime.now(UTC)
        self._desk.generation = generation
        header = {"op": "commit", "generation": generation}
        commits = [self.errand(worker, header) for worker in self.workers]
        for result in await asyncio.gather(*commits, return_exceptions=True):
            # A worker that died meanwhile is replaced by one of this generation.
            if isinstance(result, BaseException) and not isinstance(result, ConnectionGone):
                raise result

    async def try_sample(self, sample: Sample) -> None:
        """Have one of the workers answer a sample; it counts for nothing.

        Raises:
            WorkerStartFailed: the answer is 400 or more, or there is none.
        """
        for worker in self.workers[:1]:
            try:
                frame = await self.errand(worker, trials.request_of(sample), sample.body)
            except ConnectionGone:
                raise trials.unanswered(self._settings.timeout_s) from None
            trials.judge(frame)

    def try_again(self) -> None:
        """Start the workers that were given up: the cause may be gone."""
        self._recovery.try_again()

    async def park(self) -> None:
        """Stop the workers until the next request, unless something is going on."""
        if self._closed or self._is_parked or not (self._desk.is_quiet and self._desk.seats):
            return
        self._is_parked = True
        seats = self._desk.let_go()
        await self._recovery.close()
        await self._stop([seat.worker for seat in seats])

    async def drain(self, within_s: float) -> None:
        """Let all that has come in be answered, then end the workers."""
        await self._desk.until_quiet(within_s)
        self._closed = _REPLACED
        seats = self._desk.let_go()
        self._desk.limits.close()
        await self._recovery.close()
        self._turn_away()
        await self._stop([seat.worker for seat in seats])
        await asyncio.gather(*(self._end(seat) for seat in seats), *self._burials)
        self._turn_away()
        self._meter.fold()

    def _queue(self, ticket: Ticket, now: float) -> None:
        if self._desk.seats:
            self._desk.submit(ticket, now)
        else:
            self._wait_for_workers(ticket, now)

    def _wait_for_workers(self, ticket: Ticket, now: float) -> None:
        """Let a request wait until there are workers; tell it at once where none will come."""
        if self._given_up:
            ticket.turn_away(self._given_up, self._desk.generation)
            return
        if self._is_parked:
            self._is_parked, self._is_waking = False, True
            self._recovery.recruit(self._settings.workers)
        if self._is_waking:
            ticket.deadline += self.recruiting.load_s
        self._desk.submit(ticket, now)

    def _admit(self, worker: Worker) -> None:
        if self._is_waking:
            # The model's load is not the time of those who have woken it.
            self._is_waking = False
            deadline = monotonic() + self._settings.timeout_s
            self._desk.line.wait_until(deadline)
            self._desk.limits.watch(deadline)
        self._desk.admit(worker)

    @property
    def _given_up(self) -> str:
        """Why no worker will come, if so."""
        return self._closed or self._recovery.given_up

    def _lost(self, loss: Loss) -> None:
        """Replace a worker, and answer for it."""
        self._recovery.replace(loss.worker, why=loss.why)
        task = asyncio.get_running_loop().create_task(_bury(loss))
        self._burials.add(task)
        task.add_done_callback(self._burials.discard)

    async def _end(self, seat: Seat) -> None:
        """Answer what a worker that was ended had not."""
        work = self._desk.vacate(seat).work
        if work is not None:
            work.fail(await seat.worker.death(), seat.worker.generation)

    def _turn_away(self) -> None:
        """Tell those who wait that no worker will come, if so."""
        if not self._desk.seats and self._given_up:
            self._is_waking = False
            self._desk.turn_away(self._given_up)

    async def _stop(self, workers: Sequence[Worker]) -> None:
        await asyncio.gather(*(worker.stop(self._settings.stop_s) for worker in workers))


async def _bury(loss: Loss) -> None:
    """Answer for a worker that is gone, once it is known of what; one that hangs is ended."""
    worker = loss.worker
    if loss.why:
        await worker.abort()
    elif loss.work is not None:
        loss.work.fail(await worker.death(), worker.generation)
    await worker.over()
