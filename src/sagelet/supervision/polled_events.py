"""Folders that are looked at every now and then: for file systems that tell nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from sagelet.supervision.folder_events import Changed, Root
from sagelet.supervision.folder_files import files_below

_Look: TypeAlias = Mapping[Path, tuple[int, int, int]]


class PolledEvents:
    """Compares inode, size and time of every file, again and again."""

    def __init__(self, every_s: float) -> None:
        """Choose how often."""
        self._every_s = every_s
        self._seen: dict[Root, _Look] = {}
        self._task: asyncio.Task[None] | None = None

    async def add(self, root: Root) -> None:
        """Watch a folder."""
        self._seen[root] = await asyncio.to_thread(_look, root.folder)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def remove(self, root: Root) -> None:
        """Watch it no more."""
        self._seen.pop(root, None)

    async def close(self) -> None:
        """Watch nothing any more."""
        self._seen.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            for root in tuple(self._seen):
                now = await asyncio.to_thread(_look, root.folder)
                before = self._seen.get(root)
                if before is None:
                    continue  # it was removed meanwhile
                self._seen[root] = now
                differing = {path for path, _ in before.items() ^ now.items()}
                if differing:
                    root.tell(Changed(saved=frozenset(differing)))


def _look(folder: Path) -> _Look:
    found = {}
    for path in files_below(folder):
        try:
            stat = path.stat()
        except OSError:
            continue  # it is gone, or a link to nothing
        found[path] = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
    return found
