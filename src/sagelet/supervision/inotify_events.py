"""Folder events by way of inotify: all folders share one descriptor, read on the event loop.

    root folder ── its real folder, and each below ── Tree: every entry counts
             └──── link in it ── the folder that its target lies in ── Target: one entry counts

A real folder is watched once, whoever looks at it: its number leads to its views. While folders are
walked (in a thread) nothing is read; the kernel keeps the events.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from sagelet.supervision.folder_events import Changed, Root
from sagelet.supervision.folder_files import is_noise
from sagelet.supervision.inotify import Event, Inotify, Kind

log = logging.getLogger(__name__)

_LOOK_AGAIN_S = 0.5
"""How often it is looked whether roots have come, or are another folder now."""
_MOST_HOPS = 40
_APPEARED = Kind.CREATE | Kind.MOVED_TO
_SAVED = Kind.CLOSE_WRITE | Kind.MOVED_TO | Kind.MOVED_FROM | Kind.DELETE

_Identity: TypeAlias = tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class _Tree:
    """A folder of a root's, as it is called there: all that happens in it counts."""

    root: Root
    named: Path

    def counts(self, entry: str, *, is_folder: bool) -> bool:
        return not is_noise(entry, is_folder=is_folder)

    def name_of(self, entry: str) -> Path:
        return self.named / entry

    def place_of(self, entry: str) -> Path:
        return self.named / entry


@dataclass(frozen=True, slots=True)
class _Target:
    """A folder in which one entry counts: `named` is a link of a root's that leads to it."""

    root: Root
    named: Path
    place: Path

    def counts(self, entry: str, *, is_folder: bool) -> bool:
        del is_folder
        return entry == self.place.name

    def name_of(self, entry: str) -> Path:
        del entry
        return self.named

    def place_of(self, entry: str) -> Path:
        del entry
        return self.place


_View: TypeAlias = _Tree | _Target


@dataclass(slots=True)
class _Told:
    """What is to be told to one root; `walked` are looked into first."""

    saved: set[Path] = field(default_factory=set)
    unfinished: set[Path] = field(default_factory=set)
    walked: set[Path] = field(default_factory=set)


class InotifyEvents:
    """A source of folder events; raises OSError where the kernel's limits are reached."""

    def __init__(self) -> None:
        """Open the descriptor."""
        self._inotify = Inotify()
        self._views: dict[int, list[_View]] = {}
        self._roots: dict[Root, _Identity] = {}
        self._walking = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_open = True
        self._reading(on=True)
        self._begin(self._look_after_roots())

    async def add(self, root: Root) -> None:
        """Watch a folder; what changes from now on is told."""
        self._roots[root] = None
        try:
            await self._walk(root, [root.folder])
        except OSError:
            await self.remove(root)
            raise

    async def remove(self, root: Root) -> None:
        """Watch it no more."""
        async with self._walking:
            self._roots.pop(root, None)
            self._drop(root, root.folder)

    async def close(self) -> None:
        """Watch nothing any more."""
        self._is_open = False
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        async with self._walking:
            self._reading(on=False)
            self._inotify.close()

    def _read(self) -> None:
        """Tell what has happened."""
        told: dict[Root, _Told] = {}
        for event in self._inotify.read():
            if event.kind & Kind.OVERFLOW:
                log.info("more has changed than could be told; all folders are looked at")
                for root in self._roots:
                    told.setdefault(root, _Told()).walked.add(root.folder)
            elif event.kind & Kind.IGNORED:
                self._views.pop(event.number, None)
            else:
                self._sort(event, told)
        for root, these in told.items():
            if these.walked:
                self._begin(self._walk_and_tell(root, these))
            else:
                root.tell(Changed(frozenset(these.saved), frozenset(these.unfinished)))

    def _sort(self, event: Event, told: dict[Root, _Told]) -> None:
        is_folder = bool(event.kind & Kind.IS_FOLDER)
        for view in self._views.get(event.number, ()):
            if not view.counts(event.name, is_folder=is_folder):
                continue
            path = view.name_of(event.name)
            these = told.setdefault(view.root, _Told())
            if is_folder or (event.kind & _APPEARED and view.place_of(event.name).is_symlink()):
                these.walked.add(path)
            elif event.kind & _SAVED:
                these.saved.add(path)
                these.unfinished.discard(path)
            else:
                these.unfinished.add(path)

    async def _walk_and_tell(self, root: Root, told: _Told) -> None:
        """Watch what has appeared, then tell of it: it may have been filled before the watch."""
        try:
            await self._walk(root, told.walked)
        except OSError as error:
            root.lost(error)
            return
        if root in self._roots:
            root.tell(Changed(frozenset(told.saved | told.walked), frozenset(told.unfinished)))

    async def _look_after_roots(self) -> None:
        """Find roots that have come, gone, or been replaced: their parents are not watched."""
        while True:
            await asyncio.sleep(_LOOK_AGAIN_S)
            now = await asyncio.to_thread(_identities, tuple(self._roots))
            for root, identity in now.items():
                if root in self._roots and self._roots[root] != identity:
                    await self._walk_and_tell(root, _Told(walked={root.folder}))

    async def _walk(self, root: Root, places: Iterable[Path]) -> None:
        """Watch some places of a root anew, with all that is below them and what links lead to."""
        async with self._not_reading():
            if root not in self._roots:
                return  # it was removed meanwhile
            for place in places:
                self._drop(root, place)
            self._roots[root] = await asyncio.to_thread(self._watch, root, tuple(places))

    def _watch(self, root: Root, places: Iterable[Path]) -> _Identity:
        """Walk and watch; it blocks. Folders are watched before they are listed."""
        identity = _identity(root.folder)
        rest = list(places)
        while rest:
            place = rest.pop()
            if place.is_symlink():
                self._follow(root, place)
            if place.is_dir() and self._view(place, _Tree(root, place)):
                rest += [Path(entry.path) for entry in _entries(place)]
        return identity

    def _follow(self, root: Root, link: Path) -> None:
        """Watch where the targets of a link, and of links behind it, lie."""
        at = link
        for _ in range(_MOST_HOPS):
            if not at.is_symlink():
                return
            at = at.parent / at.readlink()
            self._view(at.parent, _Target(root, link, at))

    def _view(self, folder: Path, view: _View) -> bool:
        """Look at a folder; False where it is not there, or this root looks at it as a tree."""
        try:
            number = self._inotify.add(os.path.realpath(folder))
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return False
        views = self._views.setdefault(number, [])
        if isinstance(view, _Tree) and any(
            isinstance(v, _Tree) and v.root is view.root for v in views
        ):
            return False  # a link to a folder that the root has already, or a circle
        if view not in views:
            views.append(view)
        return True

    def _drop(self, root: Root, place: Path) -> None:
        """Look no more at what a root has in a place."""
        for number, views in tuple(self._views.items()):
            kept = [v for v in views if v.root is not root or not v.named.is_relative_to(place)]
            if len(kept) == len(views):
                continue
            self._views[number] = kept
            if not kept:
                del self._views[number]
                self._inotify.remove(number)

    @asynccontextmanager
    async def _not_reading(self) -> AsyncIterator[None]:
        async with self._walking:
            self._reading(on=False)
            try:
                yield
            finally:
                self._reading(on=self._is_open)

    def _reading(self, *, on: bool) -> None:
        loop = asyncio.get_running_loop()
        if on:
            loop.add_reader(self._inotify.descriptor, self._read)
        else:
            loop.remove_reader(self._inotify.descriptor)

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Return the folders and links in a folder."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                is_folder = entry.is_dir()
                if (is_folder or entry.is_symlink()) and not is_noise(
                    entry.name, is_folder=is_folder
                ):
                    yield entry
    except OSError:
        return  # it is gone again, or may not be read


def _identities(roots: Iterable[Root]) -> dict[Root, _Identity]:
    return {root: _identity(root.folder) for root in roots}


def _identity(folder: Path) -> _Identity:
    """Return which folder a path is now; None if it is none."""
    try:
        stat = folder.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino
