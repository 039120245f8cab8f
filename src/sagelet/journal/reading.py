"""Reading one stream's file by byte offsets, so that a page costs the same in a file of any size.

Several processes append to a stream, so that a line may be a little older than the one before it.
Clients skip what they have seen by time and count, and need times that never fall: the time that
is shown is the latest one so far. Then the events from a moment on, or up to it, are the bytes from
the first line of that moment on, or up to it. That line is found by bisection; a reader that starts
in the middle looks back over `LOOK_BACK_BYTES` for lines that are out of order, and no further.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sagelet.worker.loglines import decode_record

LOOK_BACK_BYTES = 256 * 1024

_CHUNK_BYTES = 64 * 1024
_TIME = re.compile(rb"^\[(\d{1,15}),", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line that holds an event: where it begins and ends, the time shown for it, its message."""

    start: int
    end: int
    ms: int
    message: str


class StreamFile:
    """A stream's file as long as it was when this reader came; a line in writing is left out."""

    def __init__(self, path: Path) -> None:
        """Look at the file.

        Raises:
            FileNotFoundError: there is none.
        """
        self._path = path
        status = path.stat()
        self.inode = status.st_ino
        self.end = self._after_last_newline(status.st_size)

    def entries(self, start: int, end: int, floor_ms: int = 0) -> Iterator[Entry]:
        """Read the events between two offsets; `floor_ms` is the latest time before them."""
        for offset, line in self._lines(self.line_start(start), end):
            # A line that was never finished holds no event, but its time counts as everywhere.
            floor_ms = max(floor_ms, _time_of(line))
            record = decode_record(line)
            if record is not None:
                yield Entry(offset, offset + len(line), floor_ms, record[1])

    def first_at(self, ms: int) -> int:
        """Return where the first event of that time or later begins; the end if there is none."""
        low, high = 0, self.end
        while high - low > LOOK_BACK_BYTES:
            middle = self.line_start((low + high) // 2)
            if self._time_in(middle, high) < ms:
                low = middle
            else:
                high = (low + high) // 2
        for offset, line in self._lines(self.line_start(max(0, low - LOOK_BACK_BYTES)), self.end):
            if _time_of(line) >= ms:
                return offset
        return self.end

    def floor_at(self, offset: int) -> int:
        """Return the latest time before an offset, 0 at the beginning."""
        block = self._block(self.line_start(offset - LOOK_BACK_BYTES), offset)
        return max((int(match[1]) for match in _TIME.finditer(block)), default=0)

    def line_start(self, offset: int) -> int:
        """Return where the first line that begins at or after an offset begins."""
        if offset <= 0:
            return 0
        at = offset - 1
        while at < self.end:
            block = self._block(at, min(at + _CHUNK_BYTES, self.end))
            newline = block.find(b"\n")
            if newline >= 0 or not block:
                return at + newline + 1 if block else self.end
            at += len(block)
        return self.end

    def _time_in(self, start: int, end: int) -> float:
        """Return the first time between two offsets; infinity where there is none."""
        times = (_time_of(line) for _, line in self._lines(start, end))
        return next((ms for ms in times if ms), math.inf)

    def _lines(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """Read whole lines that begin between two offsets, each with its own."""
        rest = b""
        at, chunk_bytes = start, _CHUNK_BYTES
        while start < end:
            block = self._block(at, min(at + chunk_bytes, self.end))
            if not block:
                return
            at += len(block)
            *lines, rest = (rest + block).split(b"\n")
            # A very long line is not pieced together from very many small blocks.
            chunk_bytes = _CHUNK_BYTES if lines else 2 * chunk_bytes
            for line in lines:
                if start >= end:
                    return
                yield start, line + b"\n"
                start += len(line) + 1

    def _after_last_newline(self, size: int) -> int:
        at = size
        while at > 0:
            begin = max(0, at - _CHUNK_BYTES)
            newline = self._block(begin, at).rfind(b"\n")
            if newline >= 0:
                return begin + newline + 1
            at = begin
        return 0

    def _block(self, start: int, end: int) -> bytes:
        # Opened for each block: a filter reads thousands of streams at the same time.
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return b""
        try:
            return os.pread(descriptor, end - start, start)
        finally:
            os.close(descriptor)


def _time_of(line: bytes) -> int:
    match = _TIME.match(line)
    return int(match[1]) if match else 0
