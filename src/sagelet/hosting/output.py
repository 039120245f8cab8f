"""What workers print: pipes to lines, lines to the endpoint's log stream, off the event loop.

A worker never waits for us: its pipe is read as fast as it writes. What comes faster than it can be
kept is dropped and counted, but for its end, which tells how it came to that.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import deque
from collections.abc import Callable

from sagelet.errors import SageletError
from sagelet.hosting.allowance import Allowance
from sagelet.hosting.traces import Tracer, Traces
from sagelet.journal.rotating import RotatingStream
from sagelet.journal.streams import LogStreams
from sagelet.worker.loglines import Record

log = logging.getLogger(__name__)

LINE_LIMIT = 250_000
"""A log event on AWS has at most 256 KiB; a longer line is cut into several."""
_TAIL_LINES = 40
_FLUSH_AFTER_S = 0.02
_WAITING_LIMIT = 8 * 2**20
_RECORD_BYTES = 128
"""What an empty line takes in memory while it waits."""
_SKIPPED_S = 1.0
_SKIPPED_TAIL = 16 * 2**10
_MIB = 2**20
KEPT_BYTES = 64 * _MIB


class LogSink:
    """One log: takes lines on the event loop, writes them in batches from a thread."""

    def __init__(
        self, logs: LogStreams, group: str, stream: str, *, kept_bytes: int = KEPT_BYTES
    ) -> None:
        """Write to a stream, which the first batch makes, and keep so much of it."""
        self._file = RotatingStream(logs, group, stream, kept_bytes=kept_bytes)
        self._stream = stream
        self._records: list[Record] = []
        self._waiting = 0
        self._dropped = 0
        self._writing: asyncio.Task[None] | None = None

    def keep(self, kept_bytes: int) -> None:
        """Keep so much of the log from now on."""
        self._file.kept_bytes = kept_bytes

    def add(self, line: str) -> None:
        """Take a line, to be written soon."""
        size = len(line) + _RECORD_BYTES
        if self._waiting + size > _WAITING_LIMIT:
            self._dropped += 1
        else:
            self._waiting += size
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
            await asyncio.shield(self._writing)  # whoever gives up the wait loses no line

    async def _write(self) -> None:
        try:
            await asyncio.sleep(_FLUSH_AFTER_S)  # so that lines which come together go together
            while self._records:
                records, self._records, self._waiting = self._records, [], 0
                if self._dropped:
                    text = f"[{self._dropped} lines came faster than they could be kept]"
                    records.append((records[-1][0], text))
                    self._dropped = 0
                await asyncio.to_thread(self._file.append, records)
        except (OSError, SageletError) as error:
            log.warning("lines of %s are lost: %s", self._stream, error)
        finally:
            self._writing = None


class OutputPipe(asyncio.Protocol):
    """The reading end of a worker's stdout and stderr."""

    def __init__(self, on_line: Callable[[str], None], traces: Traces | None = None) -> None:
        """Call back for each line."""
        self._tracer = Tracer(Traces() if traces is None else traces)
        loop = asyncio.get_running_loop()
        self._on_line = on_line
        self._rest = b""
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._allowance = Allowance()
        self._skipped = _Skipped()
        self._later = loop.call_later
        self._until: asyncio.TimerHandle | None = None
        self._transport: asyncio.BaseTransport | None = None
        self.ended = loop.create_future()

    @classmethod
    async def read(
        cls, descriptor: int, on_line: Callable[[str], None], traces: Traces
    ) -> OutputPipe:
        """Read a pipe, which belongs to this object from now on."""
        loop = asyncio.get_running_loop()
        file = os.fdopen(descriptor, "rb", 0)
        _, pipe = await loop.connect_read_pipe(lambda: cls(on_line, traces), file)
        return pipe

    @property
    def tail(self) -> str:
        """The last lines."""
        return "\n".join(self._tail)

    def close(self) -> None:
        """Read no more, whoever may still write."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Cut what came into lines, or pass over it for a second where it is too much."""
        if self._tracer.is_needed:
            data = self._tracer.without_marks(data)
        if self._until is not None:
            self._skipped.add(data)
        elif self._allowance.take(data, time.monotonic()):
            self._take(data)
        else:
            self._give_out_the_rest()
            self._skipped.add(data)
            self._until = self._later(_SKIPPED_S, self._go_on)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give out what was passed over last, and a last line without an end."""
        del exc  # how it was lost makes no difference
        self._rest += self._tracer.last()
        if self._until is not None:
            self._until.cancel()
            self._go_on()
        self._give_out_the_rest()
        if not self.ended.done():
            self.ended.set_result(None)

    def _take(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._emit(line)
        while len(self._rest) > LINE_LIMIT:
            self._emit(self._rest[:LINE_LIMIT])
            self._rest = self._rest[LINE_LIMIT:]

    def _go_on(self) -> None:
        """Tell what was passed over, and take the end of it."""
        skipped, self._skipped, self._until = self._skipped, _Skipped(), None
        self._emit(skipped.told.encode())
        self._take(skipped.end)

    def _give_out_the_rest(self) -> None:
        if self._rest:
            self._emit(self._rest)
            self._rest = b""

    def _emit(self, line: bytes) -> None:
        for start in range(0, len(line) or 1, LINE_LIMIT):
            text = line[start : start + LINE_LIMIT].decode("utf-8", "replace").rstrip("\r")
            self._tail.append(text)
            self._on_line(text)


class _Skipped:
    """Output that nobody has looked at, but for its end."""

    def __init__(self) -> None:
        self.end = b""
        self._size = 0
        self._lines = 0

    def add(self, data: bytes) -> None:
        """Pass over some more."""
        self._size += len(data)
        self._lines += data.count(b"\n")
        self.end = (self.end + data)[-_SKIPPED_TAIL:]

    @property
    def told(self) -> str:
        """What the log says of it."""
        return (
            f"[{self._size / _MIB:.1f} MiB of output ({self._lines} lines) came faster than a log "
            "takes; all but the end of it, which follows, was dropped]"
        )
