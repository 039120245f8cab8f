"""A reload: the handlers swapped where that is enough, else a fresh pool beside the old one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from sagelet.errors import SageletError
from sagelet.hosting import failures
from sagelet.hosting.folder_watch import Changes, Outcome
from sagelet.hosting.generations import Generations
from sagelet.hosting.handler_swap import NeedsFresh, Swapped, swap
from sagelet.hosting.pool import Pool
from sagelet.hosting.replies import Notice
from sagelet.hosting.samples import Sample, read_sample
from sagelet.hosting.starting import try_out
from sagelet.hosting.together import unless
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
        self._sample_problem = ""

    async def attempt(self, changes: Changes, newer: asyncio.Event) -> Outcome:
        """Serve an edit, or keep what is served. `newer` breaks off the start of fresh workers."""
        begun = time.perf_counter()
        names = _names(changes)
        pool = self._deployed.pool
        pool.try_again()
        generation = self._around.generations.next()
        if pool.is_parked:
            await self._leave_for_later(pool, generation, names)
            return Outcome.SERVED
        sample = await read_sample(self._deployed.container.sample, self._tell_of_sample)
        try:
            swapped = await self._swap(pool, generation, changes, sample)
            if isinstance(swapped, Swapped):
                await self._report_swap(swapped, generation, names, begun)
                return Outcome.SERVED
            fresh = await unless(newer, self._fresh(pool, generation, sample), _drop)
        except SageletError as error:
            if newer.is_set():
                return Outcome.SUPERSEDED  # it may have been read in the middle of a save
            self._refuse(names, error, generation)
            return Outcome.REFUSED
        if fresh is None:
            return Outcome.SUPERSEDED
        self._deployed.pool = fresh
        self._around.retire(pool)
        load_s = max(worker.load_ms for worker in fresh.workers) / 1000
        self._say(f"reloaded {names} in {_since(begun)} (model reloaded, {load_s:.1f} s)", pool)
        await self._around.generations.keep(generation)
        return Outcome.SERVED

    async def _fresh(self, pool: Pool, generation: int, sample: Sample | None) -> Pool:
        """Return a pool that serves what the files hold now.

        Raises:
            RequirementsFailed, WorkerStartFailed: it does not; nothing is left of it.
        """
        fresh = await self._deployed.renew(pool, generation)
        await fresh.start()
        await try_out(fresh, sample)
        return fresh

    async def _leave_for_later(self, pool: Pool, generation: int, names: str) -> None:
        """Have the next workers of a parked pool serve an edit: they read the files anyway."""
        await pool.commit(generation)
        pool.replies.notice = None
        await self._around.generations.keep(generation)
        self._say(f"{names} is taken when the endpoint wakes", pool)

    async def _swap(
        self, pool: Pool, generation: int, changes: Changes, sample: Sample | None
    ) -> Swapped | NeedsFresh:
        """Swap the handlers; it takes milliseconds, and is finished once it was begun."""
        if any(path.suffix != ".py" for path in changes):
            return NeedsFresh("data changed")  # as the workers would say
        swapping = asyncio.ensure_future(
            swap(pool, generation, sorted(changes), busy_s=self._around.busy_s, sample=sample)
        )
        try:
            return await asyncio.shield(swapping)
        except asyncio.CancelledError:
            await asyncio.wait({swapping})
            raise

    async def _report_swap(
        self, swapped: Swapped, generation: int, names: str, begun: float
    ) -> None:
        pool = self._deployed.pool
        if swapped.modules or pool.replies.notice is not None:
            self._say(f"reloaded {names} in {_since(begun)} (model kept)", pool)
        if swapped.modules:
            await self._around.generations.keep(generation)

    def _refuse(self, names: str, error: SageletError, generation: int) -> None:
        headers = {RELOAD_ERROR_HEADER: failures.header_text(error)}
        problem = failures.edit_problem(error)
        self._deployed.pool.replies.notice = Notice(generation, headers, problem)
        text = f"{names} is not served, the last good version is: {error}"
        self._deployed.sink.add_text(text)
        self._around.on_problem(text)

    def _say(self, text: str, before: Pool) -> None:
        """Tell of an edit that is served; also that the last one before was not, if so."""
        if before.replies.notice is not None:
            before.replies.notice = None
            text = f"{text}, mended"
        self._deployed.sink.add(text)
        self._around.on_note(text)

    def _tell_of_sample(self, text: str) -> None:
        """Tell of a sample that cannot be read, once."""
        if text != self._sample_problem:
            self._sample_problem = text
            self._around.on_problem(text)


async def _drop(pools: Collection[Pool]) -> None:
    """End pools that came up for nothing."""
    await asyncio.gather(*(pool.drain(0) for pool in pools))


def _names(changes: Collection[Path]) -> str:
    names = sorted(path.name for path in changes)
    if len(names) > _SHOWN_NAMES:
        return f"{names[0]} and {len(names) - 1} other files"
    return ", ".join(names) or "what was there before"


def _since(begun: float) -> str:
    seconds = time.perf_counter() - begun
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
