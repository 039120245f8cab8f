"""Folders that are watched for edits: many of them by one watcher.

An event says only that something may have changed: an editor writes a file three times, `git
checkout` writes it back as it was. Whoever is told has to look at the content.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import platform
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from pathlib import Path

from sagelet.supervision.folder_events import Changed, FolderEvents, Root
from sagelet.supervision.inotify import advice
from sagelet.supervision.inotify_events import InotifyEvents
from sagelet.supervision.polled_events import PolledEvents

log = logging.getLogger(__name__)

FORCE_POLLING = "WATCHFILES_FORCE_POLLING"
POLL_DELAY_MS = "WATCHFILES_POLL_DELAY_MS"
_DEFAULT_DELAY_MS = 300
_DEBOUNCE_S = 0.02


class Watch:
    """A folder that is watched until this is closed."""

    def __init__(self, root: Root, events: FolderEvents) -> None:
        """Take a root, and who tells it."""
        self.root = root
        self.events = events

    async def close(self) -> None:
        """Watch it no more."""
        await self.events.remove(self.root)


class Watcher:
    """Watches folders, by events where there are any, else by looking every now and then.

    The variables are those of watchfiles, which people know: WATCHFILES_FORCE_POLLING for file
    systems that tell nothing (network shares, some containers), WATCHFILES_POLL_DELAY_MS for how
    often. Everything happens on one event loop.
    """

    def __init__(
        self, environ: Mapping[str, str], on_problem: Callable[[str], None] = log.warning
    ) -> None:
        """Watch nothing yet; `on_problem` is told, once, that a folder cannot be watched."""
        delay = environ.get(POLL_DELAY_MS, "")
        delay_ms = int(delay) if delay.isdecimal() else _DEFAULT_DELAY_MS
        self._polled = PolledEvents(delay_ms / 1000)
        self._on_problem = on_problem
        self._is_polling = must_poll(environ)
        self._events: FolderEvents | None = None
        self._has_told = False
        self._moves: set[asyncio.Task[None]] = set()

    async def add(self, folder: Path, tell: Callable[[Changed], None]) -> Watch:
        """Watch a folder, which need not be there (yet). `tell` gets whatever may have changed.

        Links are followed; what they lead to is told by the link's name.
        """
        place = Path(os.path.abspath(folder))  # noqa: PTH100 - links are kept
        root = Root(place, tell, lost=lambda error: self._move(watched, error))
        watched = Watch(root, self._polled)
        if not self._is_polling:
            try:
                self._events = self._events or _events_of_this_system()
                await self._events.add(root)
            except OSError as error:
                self._tell_problem(error)
            else:
                watched.events = self._events
                return watched
        await self._polled.add(root)
        return watched

    async def close(self) -> None:
        """Watch nothing any more."""
        await asyncio.gather(*self._moves)
        await self._polled.close()
        if self._events is not None:
            await self._events.close()

    def _move(self, watched: Watch, error: OSError) -> None:
        """Look at a folder now and then from now on: there are more folders in it than can be."""
        events, watched.events = watched.events, self._polled
        if events is self._polled:
            return
        self._tell_problem(error)
        move = asyncio.get_running_loop().create_task(self._look_instead(watched.root, events))
        self._moves.add(move)
        move.add_done_callback(self._moves.discard)

    async def _look_instead(self, root: Root, events: FolderEvents) -> None:
        await events.remove(root)
        await self._polled.add(root)
        root.tell(Changed(saved=frozenset({root.folder})))

    def _tell_problem(self, error: OSError) -> None:
        if not self._has_told:
            self._has_told = True
            reason = error.strerror or error
            text = f"folders are looked at every now and then: {reason}{advice(error)}"
            self._on_problem(text)


def must_poll(environ: Mapping[str, str]) -> bool:
    """Whether folders have to be looked at: asked for, or events do not come (WSL)."""
    said = environ.get(FORCE_POLLING, "")
    if said:
        return said.lower() not in ("false", "disable", "disabled")
    return "microsoft-standard" in platform.release().lower()


async def watch(folders: Iterable[Path], *, stop: asyncio.Event) -> AsyncIterator[frozenset[Path]]:
    """Yield the paths below some folders that may have changed, until `stop` is set.

    A folder that is not there (yet) is waited for.
    """
    changed: set[Path] = set()
    news = asyncio.Event()

    def tell(these: Changed) -> None:
        changed.update(these.saved, these.unfinished)
        news.set()

    watcher = Watcher(os.environ)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        for folder in folders:
            await watcher.add(folder, tell)
        while not stop.is_set():
            coming = asyncio.ensure_future(news.wait())
            await asyncio.wait({coming, stopping}, return_when=asyncio.FIRST_COMPLETED)
            coming.cancel()
            if news.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), _DEBOUNCE_S)
                news.clear()
                batch = frozenset(changed)
                changed.clear()
                yield batch
    finally:
        stopping.cancel()
        await watcher.close()


def _events_of_this_system() -> FolderEvents:
    if platform.system() == "Linux":
        return InotifyEvents()
    from sagelet.supervision.native_events import NativeEvents  # noqa: PLC0415 - with watchfiles

    return NativeEvents()
