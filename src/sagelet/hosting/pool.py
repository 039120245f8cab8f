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
from dataclasses import dataclass
from typing import Any

from sagelet.domain.invocation import Answer, Invocation, StreamedAnswer
from sagelet.errors import QueueFull
from sagelet.hosting.connection import ConnectionGone
from sagelet.hosting.recovery import Recovery
from sagelet.hosting.replies import TIMED_OUT, Replies
from sagelet.hosting.seats import Seat
from sagelet.hosting.together import start_together
from sagelet.hosting.worker import Recruiting, Worker
from sagelet.supervision.backoff import DELAYS_S
from sagelet.worker.frames import Frame


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
        self.replies = Replies(variant)
        self._endpoint = endpoint
        self._settings = settings
        self._on_note = on_note
        self._seats: dict[Worker, Seat] = {}
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
        starts = (self.recruiting.start() for _ in range(self._settings.workers))
        for worker in await start_together(starts, self._stop):
            self._admit(worker)

    def submit(self, invocation: Invocation) -> asyncio.Future[Answer]:
        """Begin one invocation.

        Raises (as the result's exception):
            QueueFull: too many wait already.
        """
        return asyncio.get_running_loop().create_task(self._invoke(invocation))

    async def stream(self, invocation: Invocation) -> Answer | StreamedAnswer:
        """Run one invocation whose answer is passed on in parts.

        Raises:
            QueueFull: too many wait already.
        """
        return await self._invoke(invocation)

    async def _invoke(self, invocation: Invocation) -> Answer:
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
                return self.replies.unreachable(self._given_up, self._generation)
            try:
                worker = self._free.pop() if self._free else await self._next_free(latest)
            except TimeoutError:
                return self.replies.timed_out(self._generation)
            except _Nobody:
                continue
            generation = worker.generation
            try:
                frame = await self._ask(worker, header, invocation.body, latest)
            except ConnectionGone as gone:
                if not gone.asked:
                    continue  # it died before it was asked: the next one gets the request
                return self.replies.of_death(await worker.exit_code(), generation)
            return self.replies.of_frame(frame, generation)

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
        return await seat.queue(header, within_s)

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
        self._seats[worker] = Seat(worker)
        if worker.connection.is_lost:
            self._lost(worker)
        else:
            self._release(worker)

    def _replied(self, worker: Worker, frame: Frame) -> None:
        seat = self._seats.get(worker)
        if seat is None:
            return
        seat.stop_timer()
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
            seat.errands.popleft().run(worker)
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
        seat.leave()
        self._recovery.replace(worker, why=why)
        if self._is_quiet:
            self._quiet.set()

    def _timed_out(self, worker: Worker, reply: asyncio.Future[Frame]) -> None:
        """Answer for a worker that did not; it gets no other request."""
        if not reply.done():
            reply.set_result(TIMED_OUT)
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

    @property
    def _generation(self) -> int:
        return self.recruiting.order.generation

    async def _stop(self, workers: Sequence[Worker]) -> None:
        await asyncio.gather(*(worker.stop(self._settings.stop_s) for worker in workers))


class _Nobody(Exception):
    """There are no workers, and there will be none for a while."""


def _nothing() -> None:
    """Do nothing: the end of a worker that was told to stop is no news."""
