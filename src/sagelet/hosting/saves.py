"""Gathers what is told of a folder until a save seems to be whole.

One file that was closed is taken nearly at once; several, until nothing has changed for a
moment; what git is writing, when git is done; a file that stays open, when nobody writes to it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Set
from pathlib import Path

from sagelet.supervision.folder_events import Changed

_ALONE_S = 0.001
_TOGETHER_S = 0.02
_OPEN_S = 0.1
"""A file to which nothing was written for so long counts as saved, closed or not."""
_AT_MOST_S = 1.0
_GIT_AT_MOST_S = 10.0
_ASKED_OF_GIT = 3
_LOCK = "index.lock"


class Saves:
    """The changed paths of one folder. Everything happens on the event loop."""

    def __init__(self, *, alone_s: float = _ALONE_S, together_s: float = _TOGETHER_S) -> None:
        """Begin with none; wait so long for more after one file, or after several."""
        self._alone_s = alone_s
        self._together_s = together_s
        self._saved: set[Path] = set()
        self._open: dict[Path, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._news = asyncio.Event()

    def tell(self, changed: Changed) -> None:
        """Take what a watcher tells."""
        now = time.monotonic()
        for path in changed.unfinished:
            self._open[path] = now
        for path in changed.saved:
            self._open.pop(path, None)
        self._add(changed.saved)
        if self._open and self._timer is None:
            self._wait_for_open(_OPEN_S)

    async def next(self) -> set[Path]:
        """Wait for a save; return the paths that it may have changed."""
        await self._news.wait()
        begun = time.monotonic()
        while await self._is_going_on(time.monotonic() - begun):
            pass
        self._news.clear()
        saved, self._saved = self._saved, set()
        return saved

    def close(self) -> None:
        """Wait for no file any more."""
        if self._timer is not None:
            self._timer.cancel()

    async def _is_going_on(self, lasted_s: float) -> bool:
        """Wait a moment for more; return whether to wait again."""
        self._news.clear()
        try:
            async with asyncio.timeout(
                self._alone_s if len(self._saved) == 1 else self._together_s
            ):
                await self._news.wait()
        except TimeoutError:
            return lasted_s < _GIT_AT_MOST_S and _git_writes(self._saved)
        return lasted_s < _AT_MOST_S

    def _add(self, paths: Set[Path]) -> None:
        self._saved |= paths
        if paths:
            self._news.set()

    def _wait_for_open(self, within_s: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(within_s, self._take_open)

    def _take_open(self) -> None:
        """Take the files that nobody has written to for a while."""
        self._timer = None
        now = time.monotonic()
        resting = {path for path, at in self._open.items() if now - at >= _OPEN_S}
        for path in resting:
            del self._open[path]
        self._add(resting)
        if self._open:
            self._wait_for_open(_OPEN_S / 2)


def _git_writes(paths: Iterable[Path]) -> bool:
    """Whether git is at work where some files lie: it holds its lock until all are written."""
    folders = sorted({path.resolve().parent for path in paths})
    return any(_is_locked(folder) for folder in folders[:_ASKED_OF_GIT])


def _is_locked(folder: Path) -> bool:
    for place in (folder, *folder.parents):
        git = place / ".git"
        if git.is_file():  # a worktree: the file says where its own data lie
            git = place / git.read_text("utf-8", "replace").removeprefix("gitdir:").strip()
        if git.is_dir():
            return _is_young(git / _LOCK)
    return False


def _is_young(lock: Path) -> bool:
    """Whether a lock is there and not one that a killed git has left behind."""
    try:
        return time.time() - lock.stat().st_mtime < _GIT_AT_MOST_S
    except OSError:
        return False
