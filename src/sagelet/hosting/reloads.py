"""A reload: the handlers swapped where that is enough, else a fresh pool beside the old one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from sagelet.errors import WorkerStartFailed
from sagelet.hosting import failures
from sagelet.hosting.folder_watch import Changes, Outcome
from sagelet.hosting.generations import Generations
from sagelet.hosting.handler_swap import NeedsFresh, Swapped, swap
from sagelet.hosting.pool import Pool
from sagelet.hosting.replies import Notice
from sagelet.hosting.versions import Deployed

RELOAD_ERROR_HEADER = "x-sagelet-reload-error"

_SHOWN_NAMES = 3


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a reload needs of the endpoint that it happens in.

    `retire` gets a pool that serves no more.
    """

    generations: Generations
    retire: Callable[[Pool], None]
    on_note: Callable[[str], None]
    on_problem: Callable[[str], None]
    busy_s: float


class Reloading:
    """Applies the edits of a variant's folder, and keeps the last good code on any error."""

    def __init__(self, deployed: Deployed, around: Surroundings) -> None:
        """Replace `deployed.pool` where the workers cannot take an edit on."""
        self._deployed = deployed
        self._around = around

    async def attempt(self, changes: Changes, newer: asyncio.Event) -> Outcome:
        """Serve an edit, or keep what is served. `newer` breaks off the start of fresh workers."""
        begun = time.perf_counter()
        names = _names(changes)
        pool = self._deployed.pool
        pool.try_again()
        generation = self._around.generations.next()
        try:
            swapped = await self._swap(pool, generation, changes)
            if isinstance(swapped, Swapped):
                self._report_swap(swapped, names, begun)
                return Outcome.SERVED
            fresh = pool.again(generation)
            if not await _started(fresh, newer):
                return Outcome.SUPERSEDED
        except WorkerStartFailed as error:
            if newer.is_set():
                return Outcome.SUPERSEDED  # it may have been read in the middle of a save
            self._refuse(names, error, generation)
            return Outcome.REFUSED
        self._deployed.pool = fresh
        self._around.retire(pool)
        load_s = max(worker.load_ms for worker in fresh.workers) / 1000
        self._say(f"reloaded {names} in {_since(begun)} (model reloaded, {load_s:.1f} s)")
        return Outcome.SERVED

    async def _swap(self, pool: Pool, generation: int, changes: Changes) -> Swapped | NeedsFresh:
        """Swap the handlers; it takes milliseconds, and is finished once it was begun."""
        swapping = asyncio.ensure_future(
            swap(pool, generation, sorted(changes), busy_s=self._around.busy_s)
        )
        try:
            return await asyncio.shield(swapping)
        except asyncio.CancelledError:
            await asyncio.wait({swapping})
            raise

    def _report_swap(self, swapped: Swapped, names: str, begun: float) -> None:
        pool = self._deployed.pool
        was_refused, pool.replies.notice = pool.replies.notice is not None, None
        if swapped.modules or was_refused:
            self._say(f"reloaded {names} in {_since(begun)} (model kept)")

    def _refuse(self, names: str, error: WorkerStartFailed, generation: int) -> None:
        headers = {RELOAD_ERROR_HEADER: failures.header_text(error)}
        self._deployed.pool.replies.notice = Notice(generation, headers)
        text = f"{names} is not served, the last good version is: {error}"
        self._deployed.sink.add_text(text)
        self._around.on_problem(text)

    def _say(self, text: str) -> None:
        self._deployed.sink.add(text)
        self._around.on_note(text)


async def _started(pool: Pool, newer: asyncio.Event) -> bool:
    """Start a pool; False, and nothing is left of it, where a newer save came before it was up.

    Raises:
        WorkerStartFailed: the model does not load.
    """
    start = asyncio.ensure_future(pool.start())
    save = asyncio.ensure_future(newer.wait())
    try:
        await asyncio.wait({start, save}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        save.cancel()
        if not start.done():
            start.cancel()
            await asyncio.wait({start})
    if start.cancelled():
        return False
    start.result()
    return True


def _names(changes: Collection[Path]) -> str:
    names = sorted(path.name for path in changes)
    if len(names) > _SHOWN_NAMES:
        return f"{names[0]} and {len(names) - 1} other files"
    return ", ".join(names) or "what was there before"


def _since(begun: float) -> str:
    seconds = time.perf_counter() - begun
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
