"""Swaps the handlers of a pool's running workers: prepared in each, then committed in all."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagelet.errors import WorkerStartFailed
from sagelet.hosting import trials
from sagelet.hosting.connection import ConnectionGone
from sagelet.hosting.pool import Pool
from sagelet.hosting.samples import Sample
from sagelet.hosting.worker import Worker

_DISCARD = {"op": "discard"}


@dataclass(frozen=True, slots=True)
class Swapped:
    """The workers serve the edit. `modules` were imported anew; none where it reaches nothing."""

    modules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NeedsFresh:
    """Running workers cannot take the edit on; new ones can."""

    why: str


async def swap(
    pool: Pool,
    generation: int,
    changed: Sequence[Path],
    *,
    busy_s: float,
    sample: Sample | None = None,
) -> Swapped | NeedsFresh:
    """Put an edit in place in the running workers, if all of them can take it.

    One worker tries first, while the others serve; it has to answer the sample, too.

    Raises:
        WorkerStartFailed: the edit cannot work; the old handlers serve on.
    """
    header = {"op": "prepare", "generation": generation, "changed": [str(p) for p in changed]}
    workers = pool.workers
    if not workers:
        return NeedsFresh("no worker lives")
    try:
        first = await _prepare(pool, workers[0], header, busy_s, sample)
        others = (_prepare(pool, worker, header, busy_s) for worker in workers[1:])
        prepared = [first, *await asyncio.gather(*others)]
    except (_Declined, ConnectionGone, TimeoutError) as why:
        _discard(pool, workers)
        return NeedsFresh(str(why) or "a worker is busy")
    except WorkerStartFailed:
        _discard(pool, workers)
        raise
    modules = {name for names in prepared for name in names}
    if not modules:
        _discard(pool, workers)
        return Swapped(())
    await pool.commit(generation)
    return Swapped(tuple(sorted(modules)))


class _Declined(Exception):
    """A worker asks for a fresh one in its place."""


async def _prepare(
    pool: Pool,
    worker: Worker,
    header: Mapping[str, Any],
    busy_s: float,
    sample: Sample | None = None,
) -> Sequence[str]:
    """Return the modules that a worker has made anew."""
    body = b""
    if sample is not None:
        header, body = {**header, "sample": trials.formats_of(sample)}, sample.body
    said = (await pool.errand(worker, header, body, within_s=busy_s)).header
    if said["op"] == "prepared":
        return list(said["modules"])
    if said["op"] == "needs_fresh":
        raise _Declined(said["why"])
    raise WorkerStartFailed(
        what="reloading",
        error=said["error"],
        where=said["where"],
        traceback=said["traceback"],
    )


def _discard(pool: Pool, workers: Sequence[Worker]) -> None:
    for worker in workers:
        pool.tell(worker, _DISCARD)
