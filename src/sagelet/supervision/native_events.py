"""Folder events by way of watchfiles, where there is no inotify: one thread for all folders."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from watchfiles import awatch

from sagelet.supervision.folder_events import Changed, Root
from sagelet.supervision.folder_files import files_below, is_noise

_STEP_MS = 5
_DEBOUNCE_MS = 20
_LOOK_AGAIN_S = 0.5
"""How often it is looked whether folders have come or gone, or links lead elsewhere."""

_Line: TypeAlias = tuple[Root, Path, Path, int]


class NativeEvents:
    """Watches all folders at once, anew whenever what is to be watched has changed."""

    def __init__(self) -> None:
        """Watch nothing yet."""
        self._roots: list[Root] = []
        self._plan: Sequence[_Line] = ()
        self._task: asyncio.Task[None] | None = None
        self._again = asyncio.Event()

    async def add(self, root: Root) -> None:
        """Watch a folder; it is told of itself once the watch stands."""
        self._roots.append(root)
        self._again.set()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def remove(self, root: Root) -> None:
        """Watch it no more."""
        self._roots.remove(root)
        self._again.set()

    async def close(self) -> None:
        """Watch nothing any more."""
        self._roots.clear()
        self._again.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._again.clear()
            self._plan = await self._plan_now()
            if self._plan:
                with contextlib.suppress(FileNotFoundError):  # gone before it was watched
                    await self._watch(sorted({real for _, real, _, _ in self._plan}))
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._again.wait(), _LOOK_AGAIN_S)

    async def _watch(self, paths: Iterable[Path]) -> None:
        """Tell what changes until there is something else to be watched."""
        loop = asyncio.get_running_loop()
        looked = loop.time()
        events = awatch(
            *paths,
            watch_filter=None,
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            stop_event=_Either(self._again),
            rust_timeout=int(_LOOK_AGAIN_S * 1000),
            yield_on_timeout=True,
            force_polling=False,
            ignore_permission_denied=True,
        )
        # What changed before this watch stood is not told, so each folder is looked at.
        standing = loop.call_later(_LOOK_AGAIN_S / 2, self._tell_whole)
        try:
            async with contextlib.aclosing(events):
                async for batch in events:
                    self._tell([Path(path) for _, path in batch])
                    if loop.time() - looked >= _LOOK_AGAIN_S:
                        looked = loop.time()
                        if await self._plan_now() != self._plan:
                            return
        finally:
            standing.cancel()

    async def _plan_now(self) -> Sequence[_Line]:
        roots = tuple(self._roots)
        return await asyncio.to_thread(lambda: [line for root in roots for line in _lines(root)])

    def _tell(self, batch: Iterable[Path]) -> None:
        told: dict[Root, set[Path]] = {}
        for path in batch:
            for root, real, named, _ in self._plan:
                name = _name(path, real, named)
                if name is not None:
                    told.setdefault(root, set()).add(name)
        for root, names in told.items():
            if root in self._roots:
                root.tell(Changed(saved=frozenset(names)))

    def _tell_whole(self) -> None:
        for root in self._roots:
            root.tell(Changed(saved=frozenset({root.folder})))


class _Either(asyncio.Event):
    """Set when the caller's event is; watchfiles also sets the one that it is given itself."""

    def __init__(self, stop: asyncio.Event) -> None:
        super().__init__()
        self._stop = stop

    def is_set(self) -> bool:
        return super().is_set() or self._stop.is_set()


def _lines(root: Root) -> Iterator[_Line]:
    """Return what is watched for a root: real paths, what they are called, and their inodes."""
    links = (path for path in files_below(root.folder) if os.path.realpath(path) != str(path))
    for named in (root.folder, *links):
        with contextlib.suppress(OSError):
            yield root, named.resolve(), named, named.stat().st_ino


def _name(path: Path, real: Path, named: Path) -> Path | None:
    """Return what a changed path is called; None where it does not count."""
    if not path.is_relative_to(real):
        return None
    inner = path.relative_to(real)
    if any(is_noise(part, is_folder=True) for part in inner.parts):
        return None
    return None if is_noise(inner.name, is_folder=False) else named / inner
