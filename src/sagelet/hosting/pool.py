"""The workers of one variant of one version: one request at a time each, the rest wait in turn.

    invoke -> a free worker, or a place in the queue (bounded) -> frame -> frame -> answer

A worker that dies on a request answers it with the model server's "Worker died."; `recovery` starts
another one in its place.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from sagelet.domain.invocation import Answer, Invocation
from sagelet.errors import QueueFull
from sagelet.hosting import failures
from sagelet.hosting.connection import ConnectionGone
from sagelet.hosting.recovery import Recovery
from sagelet.hosting.worker import Recruiting, Worker
from sagelet.supervision.backoff import DELAYS_S
from sagelet.worker.frames import Frame

_TIMED_OUT = Frame({"op": "timed_out"})
_TIMED_OUT_STATUS = 0
"""An Answer of this status tells that the container did not answer in time."""


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """The numbers of a pool.

    Between the tries to replace a worker it waits `delays_s`; when its workers do nothing but die,
    it gives up for `rest_s`.
    """

    workers: int
    waiting_limit: int
    timeout_s: float
    stop_s: float
    rest_s: float
    delays_s: Sequence[float] = DELAYS_S


@dataclass(frozen=True, slots=True)
class Notice:
    """Headers for the answers of a generation and of those before it."""

    generation: int
    headers: Mapping[str, str]


@dataclass(eq=False, slots=True)
class _Seat:
    """A worker's place in the pool: what it is to be asked next, and until when it may answer."""

    worker: Worker
    timer: asyncio.TimerHandle | None = None
    errands: deque[_Errand] = field(default_factory=deque)


@dataclass(eq=False, slots=True)
class _Errand:
    """Something that a worker is asked between two requests, before any other request."""

    header: Mapping[str, Any]
    reply: asyncio.Future[Frame]


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
    ) -> None:
        """Prepare; `start` brings the workers up. `on_note` is told of deaths and recoveries."""
        self.variant = variant
        self.notice: Notice | None = None
        self._endpoint = endpoint
        self._settings = settings
        self._on_note = on_note
        self._seats: dict[Worker, _Seat] = {}
        self._free: list[Worker] = []
        self._waiting: deque[asyncio.Future[Worker]] = deque()
        self._quiet = asyncio.Event()
        self._closed = ""
        self._recovery = Recovery(
            recruiting,
            rest_s=settings.rest_s,
            delays_s=settings.delays_s,
            admit=self._admit,
            on_note=on_note,
        )
        self._recovery.on_given_up = self._turn_away

    def again(self, generation: int) -> Pool:
        """Return another pool of the same kind, to be started with what the files hold now."""
        return Pool(
            endpoint=self._endpoint,
            variant=self.variant,
            recruiting=self.recruiting.at_generation(generation),
            settings=self._settings,
            on_note=self._on_note,
        )

    @property
    def workers(self) -> tuple[Worker, ...]:
        """The workers that live."""
        return tuple(self._seats)

    @property
    def recruiting(self) -> Recruiting:
        """How its next worker will come to be."""
        return self._recovery.recruiting

    async def start(self) -> None:
        """Start all workers at once, and wait until every one has loaded the model.

        Raises:
            WorkerStartFailed: one of them did not; none is left.
        """
        starts = [
            asyncio.create_task(self.recruiting.start()) for _ in range(self._settings.workers)
        ]
        try:
            workers = await asyncio.gather(*starts)
        except BaseException:
            for task in starts:
                task.cancel()
            done = await asyncio.gather(*starts, return_exceptions=True)
            await self._stop([each for each in done if isinstance(each, Worker)])
            raise
        for worker in workers:
            self._admit(worker)

    async def invoke(self, invocation: Invocation) -> Answer:
        """Run one invocation.

        Raises:
            QueueFull: too many wait already.
        """
        latest = asyncio.get_running_loop().time() + self._settings.timeout_s
        header = {
            "op": "invoke",
            "id": 0,
            "content_type": invocation.content_type,
            "accept": invocation.accept,
            "headers": dict(invocation.headers),
        }
        while True:
            if not self._seats and self._given_up:
                return self._unreachable()
            try:
                worker = self._free.pop() if self._free else await self._next_free(latest)
            except TimeoutError:
                return self._answer(_TIMED_OUT_STATUS, failures.TIMED_OUT.encode())
            except _Nobody:
                continue
            generation = worker.generation
            try:
                frame = await self._ask(worker, header, invocation.body, latest)
            except ConnectionGone as gone:
                if not gone.asked:
                    continue  # it died before it was asked: the next one gets the request
                status = failures.status_of_death(await worker.exit_code())
                return self._answer(status, failures.server_error(status, "Worker died."))
            return self._answer_of(frame, generation)

    async def errand(
        self, worker: Worker, header: Mapping[str, Any], *, within_s: float | None = None
    ) -> Frame:
        """Ask a worker something between two requests, before it gets another one.

        Raises:
            ConnectionGone: it died, or had died before.
            TimeoutError: it was busy for longer than `within_s`; it has not been asked.
        """
        seat = self._seats.get(worker)
        if seat is None:
            raise ConnectionGone(asked=False)
        if worker in self._free:
            self._free.remove(worker)
            return await worker.connection.ask(header)
        errand = _Errand(header, asyncio.get_running_loop().create_future())
        seat.errands.append(errand)
        if within_s is not None:
            asyncio.get_running_loop().call_later(within_s, _withdraw, seat, errand)
        return await errand.reply

    def tell(self, worker: Worker, header: Mapping[str, Any]) -> None:
        """Tell a worker something that it does not reply to."""
        worker.connection.tell(header)

    async def commit(self, generation: int) -> None:
        """Put a prepared generation in place: no worker takes another request without it."""
        self._recovery.serve(generation)
        header = {"op": "commit", "generation": generation}
        commits = [self.errand(worker, header) for worker in self._seats]
        for result in await asyncio.gather(*commits, return_exceptions=True):
            # A worker that died meanwhile is replaced by one of this generation.
            if isinstance(result, BaseException) and not isinstance(result, ConnectionGone):
                raise result

    def try_again(self) -> None:
        """Start the workers that were given up: the cause may be gone."""
        self._recovery.try_again()

    async def drain(self, within_s: float) -> None:
        """Let all that has come in be answered, then end the workers."""
        if not self._is_quiet:
            self._quiet.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._quiet.wait(), within_s)
        await self._recovery.close()
        workers = self.workers
        for worker in workers:
            worker.connection.on_lost = _nothing
        self._seats.clear()
        self._free.clear()
        self._closed = "this version has been replaced"
        self._turn_away()
        await self._stop(workers)

    @property
    def _given_up(self) -> str:
        """Why no worker will come, if so."""
        return self._closed or self._recovery.given_up

    @property
    def _is_quiet(self) -> bool:
        return len(self._free) == len(self._seats) and not self._waiting

    async def _next_free(self, latest: float) -> Worker:
        """Wait in the queue for a worker.

        Raises:
            QueueFull: it is too long already.
            TimeoutError: the wait was.
        """
        if len(self._waiting) >= self._settings.waiting_limit:
            raise QueueFull(endpoint=self._endpoint, waiting=len(self._waiting))
        place: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            async with asyncio.timeout_at(latest):
                return await place
        except BaseException:
            if place.done() and not place.cancelled() and place.exception() is None:
                self._release(place.result())  # it was ours already, in this very moment
            elif place in self._waiting:
                self._waiting.remove(place)
            raise

    def _ask(
        self, worker: Worker, header: Mapping[str, Any], body: bytes, latest: float
    ) -> asyncio.Future[Frame]:
        seat = self._seats.get(worker)
        if seat is None:
            raise ConnectionGone(asked=False)
        reply = worker.connection.ask(header, body)
        # The timer is the worker's and not the caller's: who hangs up early changes nothing.
        seat.timer = asyncio.get_running_loop().call_at(latest, self._timed_out, worker, reply)
        return reply

    def _admit(self, worker: Worker) -> None:
        worker.connection.on_reply = lambda frame: self._replied(worker, frame)
        worker.connection.on_lost = lambda: self._lost(worker)
        self._seats[worker] = _Seat(worker)
        if worker.connection.is_lost:
            self._lost(worker)
        else:
            self._release(worker)

    def _replied(self, worker: Worker, frame: Frame) -> None:
        seat = self._seats.get(worker)
        if seat is None:
            return
        if seat.timer is not None:
            seat.timer.cancel()
        worker.replies += 1
        if frame.header["op"] == "committed":
            worker.generation = frame.header["generation"]
        self._release(worker)

    def _release(self, worker: Worker) -> None:
        """Give a worker that has nothing to do its next errand, or request, or rest."""
        seat = self._seats.get(worker)
        if seat is None or worker.connection.is_lost:
            return
        if seat.errands:
            _run_errand(worker, seat.errands.popleft())
            return
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(worker)
                return
        self._free.append(worker)
        if self._is_quiet:
            self._quiet.set()

    def _lost(self, worker: Worker, why: str = "") -> None:
        seat = self._seats.pop(worker, None)
        if seat is None:
            return
        if worker in self._free:
            self._free.remove(worker)
        if seat.timer is not None:
            seat.timer.cancel()
        for errand in seat.errands:
            if not errand.reply.done():
                errand.reply.set_exception(ConnectionGone(asked=False))
        self._recovery.replace(worker, why=why)
        if self._is_quiet:
            self._quiet.set()

    def _timed_out(self, worker: Worker, reply: asyncio.Future[Frame]) -> None:
        """Answer for a worker that did not; it gets no other request."""
        if not reply.done():
            reply.set_result(_TIMED_OUT)
        limit = f"{self._settings.timeout_s:g} s"
        self._lost(worker, f"a request took longer than {limit}; its worker is replaced")
        self._recovery.begin(worker.abort())

    def _turn_away(self) -> None:
        """Wake those who wait for workers that will not come."""
        if not self._seats:
            for place in self._waiting:
                if not place.done():
                    place.set_exception(_Nobody)
            self._waiting.clear()

    def _unreachable(self) -> Answer:
        text = f"No worker is available to serve request: {self._given_up}"
        body = failures.server_error(503, text, "ServiceUnavailableException")
        return self._answer(HTTPStatus.SERVICE_UNAVAILABLE, body)

    def _answer(self, status: int, body: bytes) -> Answer:
        return Answer(
            status=status,
            body=body,
            content_type="application/json" if status else None,
            variant=self.variant,
            generation=self.recruiting.order.generation,
            headers=self._with_notice({}, self.recruiting.order.generation),
        )

    def _answer_of(self, frame: Frame, generation: int) -> Answer:
        said = frame.header
        if said["op"] == _TIMED_OUT.header["op"]:
            return self._answer(_TIMED_OUT_STATUS, failures.TIMED_OUT.encode())
        return Answer(
            status=said["status"],
            body=frame.body,
            content_type=said["content_type"],
            variant=self.variant,
            generation=generation,
            headers=self._with_notice(said["headers"], generation),
        )

    def _with_notice(self, headers: dict[str, str], generation: int) -> dict[str, str]:
        if self.notice is None or generation > self.notice.generation:
            return headers
        return {**headers, **self.notice.headers}

    async def _stop(self, workers: Sequence[Worker]) -> None:
        await asyncio.gather(*(worker.stop(self._settings.stop_s) for worker in workers))


class _Nobody(Exception):
    """There are no workers, and there will be none for a while."""


def _run_errand(worker: Worker, errand: _Errand) -> None:
    def hand_on(reply: asyncio.Future[Frame]) -> None:
        error = None if reply.cancelled() else reply.exception()
        if errand.reply.done():
            return
        if error is not None:
            errand.reply.set_exception(error)
        elif not reply.cancelled():
            errand.reply.set_result(reply.result())

    try:
        worker.connection.ask(errand.header).add_done_callback(hand_on)
    except ConnectionGone as gone:
        errand.reply.set_exception(gone)


def _withdraw(seat: _Seat, errand: _Errand) -> None:
    """Give up an errand that a worker has had no time for."""
    if errand in seat.errands:
        seat.errands.remove(errand)
        if not errand.reply.done():
            errand.reply.set_exception(TimeoutError())


def _nothing() -> None:
    """Do nothing: the end of a worker that was told to stop is no news."""
