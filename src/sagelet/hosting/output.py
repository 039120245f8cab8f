"""What workers print: pipes to lines, lines to the endpoint's log stream, off the event loop.

A worker never waits for us: its pipe is read as fast as it writes, and what comes faster than it
can be kept is dropped and counted.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import deque
from collections.abc import Callable

from sagelet.errors import SageletError
from sagelet.journal.streams import LogStreams
from sagelet.worker.loglines import Record

log = logging.getLogger(__name__)

LINE_LIMIT = 250_000
"""A log event on AWS has at most 256 KiB; a longer line is cut into several."""
_TAIL_LINES = 20
_FLUSH_AFTER_S = 0.02
_WAITING_LIMIT = 8 * 2**20


class LogSink:
    """One log stream: takes lines on the event loop, writes them in batches from a thread."""

    def __init__(self, logs: LogStreams, group: str, stream: str) -> None:
        """Write to a stream, which the first batch makes."""
        self._logs = logs
        self._group = group
        self._stream = stream
        self._records: list[Record] = []
        self._waiting = 0
        self._dropped = 0
        self._writing: asyncio.Task[None] | None = None

    def add(self, line: str) -> None:
        """Take a line, to be written soon."""
        self._waiting += len(line)
        if self._waiting > _WAITING_LIMIT:
            self._waiting -= len(line)
            self._dropped += 1
        else:
            self._records.append((time.time_ns() // 1_000_000, line))
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    def add_text(self, text: str) -> None:
        """Take a text of several lines, one event each."""
        for line in text.splitlines():
            self.add(line)

    async def flush(self) -> None:
        """Wait until all lines are written."""
        while self._writing is not None:
            await self._writing

    async def _write(self) -> None:
        try:
            await asyncio.sleep(_FLUSH_AFTER_S)  # so that lines which come together go together
            while self._records:
                records, self._records, self._waiting = self._records, [], 0
                if self._dropped:
                    text = f"[{self._dropped} lines came faster than they could be kept]"
                    records.append((records[-1][0], text))
                    self._dropped = 0
                await asyncio.to_thread(self._logs.append, self._group, self._stream, records)
        except (OSError, SageletError) as error:
            log.warning("lines of %s are lost: %s", self._stream, error)
        finally:
            self._writing = None


class OutputPipe(asyncio.Protocol):
    """The reading end of a worker's stdout and stderr."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        """Call back for each line."""
        self._on_line = on_line
        self._rest = b""
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self.ended = asyncio.get_running_loop().create_future()

    @classmethod
    async def read(cls, descriptor: int, on_line: Callable[[str], None]) -> OutputPipe:
        """Read a pipe, which belongs to this object from now on."""
        loop = asyncio.get_running_loop()
        file = os.fdopen(descriptor, "rb", 0)
        _, pipe = await loop.connect_read_pipe(lambda: cls(on_line), file)
        return pipe

    @property
    def tail(self) -> str:
        """The last lines."""
        return "\n".join(self._tail)

    def data_received(self, data: bytes) -> None:
        """Cut what came into lines."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._emit(line)
        while len(self._rest) > LINE_LIMIT:
            self._emit(self._rest[:LINE_LIMIT])
            self._rest = self._rest[LINE_LIMIT:]

    def connection_lost(self, exc: Exception | None) -> None:
        """Give out a last line without an end."""
        del exc  # how it was lost makes no difference
        if self._rest:
            self._emit(self._rest)
            self._rest = b""
        if not self.ended.done():
            self.ended.set_result(None)

    def _emit(self, line: bytes) -> None:
        for start in range(0, len(line) or 1, LINE_LIMIT):
            text = line[start : start + LINE_LIMIT].decode("utf-8", "replace").rstrip("\r")
            self._tail.append(text)
            self._on_line(text)
