"""Which endpoints rest: their workers are stopped, and started again by the next request.

Those idle for as long as they are allowed to; and where more workers live than should, those that
nobody has asked for longest.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sagelet.hosting.pool import Pool
from sagelet.hosting.together import to_the_end

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0
_LEFT_ALONE_S = 1.0
"""However many workers live: who was asked so shortly ago is left alone."""


@dataclass(frozen=True, slots=True)
class Parkable:
    """A pool, how long it may be idle (None: for ever), and who is told when it is parked."""

    pool: Pool
    after_s: float | None
    on_parked: Callable[[], None]


class Parking:
    """Looks at all pools every now and then, from `start` to `close`."""

    def __init__(
        self,
        parkable: Callable[[], Iterable[Parkable]],
        *,
        live_workers: int,
        every_s: float = _LOOK_EVERY_S,
    ) -> None:
        """Park what `parkable` names, so that hardly more than `live_workers` live."""
        self._parkable = parkable
        self._live_workers = live_workers
        self._every_s = every_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def look(self) -> None:
        """Park what should rest by now."""
        awake = [each for each in self._parkable() if each.pool.workers]
        resting = due(awake, self._live_workers)
        await asyncio.gather(*(_park(each) for each in resting))

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await to_the_end(self.look())  # workers that are being stopped are nobody else's
            except Exception:
                log.exception("parking")  # a defect of ours; the next look is another


def due(awake: Iterable[Parkable], live_workers: int) -> list[Parkable]:
    """Return which of the pools that have workers should be parked, the longest idle first."""
    ordered = sorted(awake, key=lambda each: each.pool.idle_s(), reverse=True)
    excess = sum(len(each.pool.workers) for each in ordered) - live_workers
    found = []
    for each in ordered:
        idle_s = each.pool.idle_s()
        is_over = each.after_s is not None and idle_s >= each.after_s
        if is_over or (excess > 0 and idle_s >= _LEFT_ALONE_S):
            found.append(each)
            excess -= len(each.pool.workers)
    return found


async def _park(parkable: Parkable) -> None:
    await parkable.pool.park()
    if parkable.pool.is_parked:
        parkable.on_parked()
