"""Reading several streams as one, in order of time."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from sagelet.journal.pages import FilterPage, LogEvent
from sagelet.journal.reading import Entry, StreamFile
from sagelet.journal.tokens import FilterToken

PAGE_BYTES = 1024 * 1024

# A page ends here even when little of what was read matched; the client asks on with its token.
_SCAN_BYTES = 16 * 1024 * 1024
# CloudWatch takes events that are up to two hours ahead of the time at which they are written.
_AHEAD_MS = 2 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: from `start_ms` up to and with `end_ms`, at most `limit` events."""

    start_ms: int
    end_ms: int | None
    matches: Callable[[str], bool]
    limit: int
    after: FilterToken | None = None


def search(files: Mapping[str, Path], wanted: Search) -> FilterPage:
    """Return a page of the events of some streams, given by name, merged by time."""
    merged = heapq.merge(
        *(_entries(stream, path, wanted) for stream, path in sorted(files.items())),
        key=lambda found: (found[1].ms, found[0], found[1].start),
    )
    events: list[LogEvent] = []
    scanned = taken = 0
    last: tuple[str, Entry] | None = None
    for stream, entry in merged:
        if len(events) >= wanted.limit or taken >= PAGE_BYTES or scanned >= _SCAN_BYTES:
            # There is more: this entry at least.
            return FilterPage(tuple(events), _token_after(last))
        last = (stream, entry)
        scanned += entry.end - entry.start
        if wanted.matches(entry.message):
            taken += entry.end - entry.start
            events.append(event_of(stream, entry))
    return FilterPage(tuple(events), None)


def event_of(stream: str, entry: Entry) -> LogEvent:
    """Return an entry as an event; its id is unique in its group and sorts by time."""
    number = f"{entry.ms:020d}{crc32(stream.encode()):012d}{entry.start:024d}"
    return LogEvent(stream=stream, ms=entry.ms, message=entry.message, id=number)


def _entries(stream: str, path: Path, wanted: Search) -> Iterator[tuple[str, Entry]]:
    try:
        written_ms = path.stat().st_mtime_ns // 1_000_000
        if written_ms + _AHEAD_MS < wanted.start_ms:
            return
        file = StreamFile(path)
    except FileNotFoundError:
        return
    start, floor_ms = _beginning(stream, file, wanted)
    end = file.end if wanted.end_ms is None else file.first_at(wanted.end_ms + 1)
    for entry in file.entries(start, end, floor_ms):
        yield stream, entry


def _beginning(stream: str, file: StreamFile, wanted: Search) -> tuple[int, int]:
    """Return where to go on in a stream, and the latest time before that.

    Streams are merged by time, then name: those before the token's stream have been read up to and
    with its moment, those after it up to its moment.
    """
    first = file.first_at(wanted.start_ms) if wanted.start_ms else 0
    after = wanted.after
    if after is None:
        return first, 0
    if stream == after.stream:
        return max(first, after.offset), after.ms
    return max(first, file.first_at(after.ms + (stream < after.stream))), 0


def _token_after(last: tuple[str, Entry] | None) -> str | None:
    if last is None:
        return None
    stream, entry = last
    return str(FilterToken(entry.ms, stream, entry.end))
