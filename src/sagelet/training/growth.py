"""Tells those who wait for a job that its log has grown; one watcher, while any job runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from sagelet.supervision import watching

PUBLISH_EVERY_S = 0.5


class LogGrowth:
    """Watches the folder in which the log files of all jobs lie."""

    def __init__(self, folder: Path, publish: Callable[[str], None]) -> None:
        """Name the folder; it is watched only while there are jobs to watch for."""
        self._folder = folder
        self._publish = publish
        self._arns: dict[Path, str] = {}
        self._idle = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def watching(self, arn: str, files: Iterable[Path]) -> Iterator[None]:
        """Watch a job's log files, which exist, for as long as the body runs."""
        added = dict.fromkeys(files, arn)
        self._arns |= added
        if self._task is None or self._idle.is_set():
            self._idle = asyncio.Event()
            self._task = asyncio.create_task(self._watch(self._idle))
        try:
            yield
        finally:
            for file in added:
                self._arns.pop(file, None)
            if not self._arns:
                self._idle.set()

    async def close(self) -> None:
        """Watch no more."""
        self._idle.set()
        if self._task is not None:
            await self._task

    async def _watch(self, idle: asyncio.Event) -> None:
        """Publish the jobs whose logs grew, each at most so often."""
        async for changed in watching.watch([self._folder], stop=idle):
            for arn in {self._arns[path] for path in changed & self._arns.keys()}:
                self._publish(arn)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(idle.wait(), PUBLISH_EVERY_S)
