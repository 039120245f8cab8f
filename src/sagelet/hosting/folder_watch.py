"""The edits of one folder, one after the other; the latest save wins.

save -> content changed? -> attempt ... done
               save -> the attempt is told, breaks off where it may, and is made again
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from enum import Enum, auto
from pathlib import Path
from typing import TypeAlias

from sagelet.hosting.fingerprints import EMPTY, Fingerprints
from sagelet.hosting.saves import Saves
from sagelet.supervision.folder_events import Changed
from sagelet.supervision.watching import Watch, Watcher

log = logging.getLogger(__name__)

Changes: TypeAlias = Mapping[Path, str | None]
"""Files whose content is another than what serves, with what it is now; None: gone."""

_HALF_SAVED_S = 0.2
_FEW = 4
_RESTLESS = 5
"""A data file that caused so many attempts in a row, without an edit of code, is a handler's."""
_IN_A_ROW_S = 5.0


class Outcome(Enum):
    """What became of an attempt to serve what a folder holds."""

    SERVED = auto()
    REFUSED = auto()
    SUPERSEDED = auto()


Attempt: TypeAlias = Callable[[Changes, asyncio.Event], Awaitable[Outcome]]
"""Serves changes; the event is set when a newer save has come."""


class FolderWatch:
    """Watches a folder, in tasks of its own, until it is closed."""

    def __init__(
        self,
        prints: Fingerprints,
        attempt: Attempt,
        on_note: Callable[[str], None],
        watcher: Watcher,
    ) -> None:
        """Begin to watch; `prints` are of what is served."""
        self._prints = prints
        self._attempt = attempt
        self._on_note = on_note
        self._watcher = watcher
        self._saves = Saves()
        self._saved = asyncio.Event()
        self._looking = asyncio.Lock()
        self._touched: set[Path] = set()
        self._changes: Changes = {}
        self._attempts: Counter[Path] = Counter()
        self._counted_at = 0.0
        self._ignored: set[Path] = set()
        self._was_refused = False
        loop = asyncio.get_running_loop()
        self._watching = loop.create_task(watcher.add(prints.folder, self._saves.tell))
        self._tasks = [loop.create_task(each) for each in (self._listen(), self._run())]

    async def close(self) -> None:
        """Stop watching; an attempt that runs is broken off."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        watch: Watch = await self._watching
        await watch.close()
        self._saves.close()

    async def _listen(self) -> None:
        await asyncio.shield(self._watching)
        await self._look({self._prints.folder})  # what was saved while the model loaded
        while True:
            await self._look(await self._saves.next())

    async def _look(self, paths: Iterable[Path]) -> None:
        async with self._looking:
            self._touched |= set(paths)
            changes = await self._differing(tuple(self._touched))
            changes = {path: now for path, now in changes.items() if path not in self._ignored}
            self._touched = set(changes)
            if changes != self._changes:
                self._changes = changes
                self._saved.set()

    async def _differing(self, paths: Collection[Path]) -> Changes:
        if len(paths) <= _FEW and all(path.suffix == ".py" for path in paths):
            return self._prints.differing(paths)  # a thread would take longer to wake
        return await asyncio.to_thread(self._prints.differing, paths)

    async def _run(self) -> None:
        while True:
            await self._saved.wait()
            self._saved.clear()
            changes = self._changes
            if not changes and not self._was_refused:
                continue
            if {EMPTY, None} & set(changes.values()) and await self._is_saved_again():
                continue
            begun = time.monotonic()
            try:
                outcome = await self._attempt(changes, self._saved)
            except Exception:
                # A defect of ours: the next save gets its chance all the same.
                log.exception("an edit of %s", self._prints.folder)
                outcome = Outcome.REFUSED
            if outcome is Outcome.SUPERSEDED:
                continue
            self._was_refused = outcome is Outcome.REFUSED
            if outcome is Outcome.SERVED:
                await self._accept(changes)
            self._count(changes, begun)

    async def _is_saved_again(self) -> bool:
        """Wait a moment for the rest of a save that has only emptied or moved its file so far."""
        try:
            async with asyncio.timeout(_HALF_SAVED_S):
                await self._saved.wait()
        except TimeoutError:
            return False
        return True

    async def _accept(self, changes: Changes) -> None:
        """Compare with what is served now; a save that came meanwhile may have undone it."""
        async with self._looking:
            self._prints.accept(changes)
            newer, self._changes = self._changes, {}
            self._touched -= changes.keys()
        if newer != changes:
            self._saves.tell(Changed(saved=frozenset({*changes, *newer})))

    def _count(self, changes: Changes, begun: float) -> None:
        """Stop looking at data that changes again and again while no code does: it is output."""
        if any(path.suffix == ".py" for path in changes):
            self._attempts.clear()
            self._ignored.clear()
            return
        if begun - self._counted_at > _IN_A_ROW_S:
            self._attempts.clear()
        self._counted_at = time.monotonic()
        self._attempts.update(changes.keys())
        for path, attempts in self._attempts.items():
            if attempts >= _RESTLESS and path not in self._ignored:
                self._ignored.add(path)
                self._on_note(f"{path.name} keeps changing while it is served; it is left alone")
