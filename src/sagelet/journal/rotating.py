"""A log that has a bound: it goes on in another stream when its own is full, the oldest go.

    AllTraffic/01j…        the first
    AllTraffic/01j….2      goes on here

What a name's parts are, the folder alone tells: nothing else is remembered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sagelet.journal.streams import LogStreams
from sagelet.worker.loglines import Record

_PARTS = 4
_MIB = 2**20


class RotatingStream:
    """One log of about so many bytes at most. Several may write to one, each in its own time."""

    def __init__(self, logs: LogStreams, group: str, stream: str, *, kept_bytes: int) -> None:
        """Keep up to `kept_bytes`, of which at least three quarters are there once it is full."""
        self._logs = logs
        self._group = group
        self._stream = stream
        self.kept_bytes = kept_bytes

    def append(self, records: Sequence[Record]) -> None:
        """Append events, in the part that is written to now or in a new one.

        Raises:
            DiskFull: no space is left.
        """
        parts = sorted(self._parts()) or [1]
        part = parts[-1]
        if self._logs.size_bytes(self._group, self._name(part)) >= self.kept_bytes // _PARTS:
            part += 1
            gone = [each for each in parts if each <= part - _PARTS]
            for each in gone:
                self._logs.path_of(self._group, self._name(each)).unlink(missing_ok=True)
            if records:
                records = [(records[0][0], self._goes_on(part, gone)), *records]
        self._logs.append(self._group, self._name(part), records)

    def _parts(self) -> Iterator[int]:
        """Find the parts that there are."""
        if not self._logs.has_group(self._group):
            return
        for name in self._logs.streams(self._group, self._stream):
            rest = name.removeprefix(self._stream)
            if not rest:
                yield 1
            elif rest[0] == "." and rest[1:].isdecimal():
                yield int(rest[1:])

    def _name(self, part: int) -> str:
        return self._stream if part == 1 else f"{self._stream}.{part}"

    def _goes_on(self, part: int, gone: Sequence[int]) -> str:
        text = f"this log goes on from {self._name(part - 1)}"
        if gone:
            kept = f"{self.kept_bytes / _MIB:g} MiB are kept"
            text += f"; what is older than {self._name(gone[-1] + 1)} was removed: {kept}"
        return f"[{text}]"
