"""New workers for those that died: later each time, and not at all for a while if all only die."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence

from sagelet.errors import WorkerStartFailed
from sagelet.hosting import failures
from sagelet.hosting.together import to_the_end
from sagelet.hosting.worker import Recruiting, Worker
from sagelet.supervision.backoff import Backoff, CrashBreaker


class Recovery:
    """Replaces workers. A crash counts against all of them only if the worker never answered."""

    def __init__(
        self,
        recruiting: Recruiting,
        *,
        rest_s: float,
        delays_s: Sequence[float],
        admit: Callable[[Worker], None],
        on_note: Callable[[str], None],
        living: Callable[[], int],
    ) -> None:
        """Start new workers by `recruiting`, after `delays_s`, and hand them to `admit`.

        `living` tells how many serve meanwhile.
        """
        self.recruiting = recruiting
        self.given_up = ""
        self.on_given_up: Callable[[], None] = _nothing
        self._rest_s = rest_s
        self._delays_s = delays_s
        self._admit = admit
        self._on_note = on_note
        self._living = living
        self._breaker = CrashBreaker()
        self._delays: dict[Worker, Backoff] = {}
        self._missing = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._rest: asyncio.TimerHandle | None = None
        self._changed = asyncio.Event()

    def replace(self, worker: Worker, *, why: str = "") -> None:
        """Start another worker in place of one that is gone, or is to go (then `why` says so)."""
        self.begin(self._succeed(worker, why))

    def serve(self, generation: int) -> None:
        """Start workers of another generation from now on."""
        self.recruiting = self.recruiting.at_generation(generation)

    def try_again(self) -> None:
        """Take up again what was given up: the cause may be gone."""
        if self._rest is not None:
            self._rest.cancel()
        self._breaker.reset()
        self.given_up = ""
        # Who waits for the next try goes on at once; who begins to wait from now on does wait.
        self._changed.set()
        self._changed = asyncio.Event()
        missing, self._missing = self._missing, 0
        self.recruit(missing)

    def recruit(self, count: int) -> None:
        """Start so many new workers: there are none."""
        for _ in range(count):
            self.begin(self._start(Backoff(self._delays_s)))

    async def close(self) -> None:
        """Start no more workers, until `recruit` says otherwise."""
        if self._rest is not None:
            self._rest.cancel()
        self._breaker.reset()
        self.given_up, self._missing = "", 0
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def begin(self, work: Coroutine[None, None, None]) -> None:
        """Do something in the background, for as long as workers are replaced."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _succeed(self, worker: Worker, why: str) -> None:
        death = await worker.death()
        is_hopeless = not worker.replies and self._breaker.record()
        then = "no other is started for now" if is_hopeless else "another one starts"
        self._on_note(why or f"a worker {death.cause}; {then}")
        delays = self._delays.pop(worker, None) or Backoff(self._delays_s)
        if worker.replies:
            delays.reset()
        elif is_hopeless:
            self._give_up("the workers die before they have answered anything")
            return
        await self._start(delays)

    async def _start(self, delays: Backoff) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                # Not wait_for: Python 3.11's may pass over that this task is cancelled.
                async with asyncio.timeout(delays.next()):
                    await self._changed.wait()
            generation = self.recruiting.order.generation
            try:
                worker = await self.recruiting.start()
            except WorkerStartFailed as error:
                self._on_note(
                    f"a new worker did not come up: {failures.header_text(error)}{self._others()}"
                )
                if self._breaker.record():
                    self._give_up(failures.header_text(error))
                    return
                continue
            if generation == self.recruiting.order.generation:
                break
            # An edit went live while it loaded.
            await to_the_end(worker.stop(self.recruiting.stop_s))
        self._delays[worker] = delays
        self._admit(worker)

    def _others(self) -> str:
        """Say who serves on: new workers take what the files hold now, others what they have."""
        living = self._living()
        if not living:
            return "; no worker is left"
        verb = "serves" if living == 1 else "serve"
        return f"; {living} {verb} on with what was loaded before"

    def _give_up(self, why: str) -> None:
        self._missing += 1
        if not self.given_up:
            self.given_up = why
            self._on_note(
                f"no more workers are started for {self._rest_s:g} s, or until an edit: "
                f"{why}{self._others()}"
            )
            self._rest = asyncio.get_running_loop().call_later(self._rest_s, self.try_again)
        self.on_given_up()


def _nothing() -> None:
    """Do nothing: nobody listens yet."""
