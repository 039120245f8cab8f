"""One child process, however it was started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from dataclasses import dataclass

import psutil

from sagelet.supervision.process import ProcessId


@dataclass(slots=True)
class Usage:
    """What a process has used, told with its exit."""

    peak_bytes: int = 0


class Child:
    """A process that a launcher started. It leads its own session and process group."""

    def __init__(
        self,
        process: ProcessId,
        *,
        warm: bool,
        exit_code: asyncio.Future[int],
        usage: Usage | None = None,
    ) -> None:
        """Take a process whose exit code somebody will put into `exit_code`, `usage` before."""
        self.process = process
        self.warm = warm
        self._exit_code = exit_code
        self._usage = usage or Usage()

    @property
    def peak_bytes(self) -> int:
        """The most memory that it had at once; known when it has ended, 0 where it is not."""
        return self._usage.peak_bytes

    @property
    def has_ended(self) -> bool:
        """Whether it has ended, and its code is known."""
        return self._exit_code.done()

    async def wait(self) -> int:
        """Wait for its end; return its exit code, negative for a signal."""
        return await asyncio.shield(self._exit_code)

    def signal(self, number: int) -> None:
        """Send a signal to its process group; nothing happens where it has ended."""
        if self.has_ended or not self.process.is_running:
            return
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:  # so young that it has no group of its own yet
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, number)

    async def stop(self, grace_s: float) -> int:
        """Ask it to end (SIGTERM), and after the grace end it and all below it (SIGKILL)."""
        self.signal(signal.SIGTERM)
        try:
            return await asyncio.wait_for(self.wait(), grace_s)
        except TimeoutError:
            self._kill_tree()
            return await self.wait()

    def _kill_tree(self) -> None:
        below: list[psutil.Process] = []
        with contextlib.suppress(psutil.Error):
            below = psutil.Process(self.process.pid).children(recursive=True)
        self.signal(signal.SIGKILL)
        for process in below:
            with contextlib.suppress(psutil.Error):
                process.kill()
