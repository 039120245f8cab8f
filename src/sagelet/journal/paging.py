"""Pages of one stream, forward and backward, as GetLogEvents gives them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from sagelet.journal.filtering import PAGE_BYTES, event_of
from sagelet.journal.pages import LogPage
from sagelet.journal.reading import Entry, StreamFile
from sagelet.journal.tokens import EventsToken, read_events_token

# Two steps of four times as much make just more than a page.
_BACKWARD_BYTES = 68 * 1024


@dataclass(frozen=True, slots=True)
class Range:
    """Which events: from `start_ms` on, before `end_ms`; and how many from which end."""

    start_ms: int
    end_ms: int | None
    limit: int
    from_head: bool


@dataclass(frozen=True, slots=True)
class _Span:
    """What was read: the entries, and where they begin and end; `floor_ms` is for what follows."""

    entries: tuple[Entry, ...]
    start: int
    end: int
    floor_ms: int


def read_page(file: StreamFile, stream: str, wanted: Range, text: str | None) -> LogPage:
    """Return a page: the one that the token asks for, or the first or the last one.

    Raises:
        InvalidRequest: the token is none of ours.
    """
    token = None if text is None else read_events_token(text)
    if token is not None and (token.inode != file.inode or token.offset > file.end):
        # The file was replaced or cut short: what the token counted from is gone.
        token = EventsToken(token.way, 0 if token.way == "f" else file.end, 0, file.inode)
        text = str(token)
    first = file.first_at(wanted.start_ms) if wanted.start_ms else 0
    last = file.end if wanted.end_ms is None else file.first_at(wanted.end_ms)
    if token is None:
        way, offset = ("f", first) if wanted.from_head else ("b", last)
        token = EventsToken(way, offset, 0, file.inode)
    if token.way == "f":
        span = _forward(file, max(token.offset, first), last, token.floor_ms, wanted.limit)
    else:
        span = _backward(file, first, min(token.offset, last), wanted.limit)
    forward = str(EventsToken("f", span.end, span.floor_ms, file.inode))
    backward = str(EventsToken("b", span.start, 0, file.inode))
    if not span.entries and text is not None:
        forward, backward = (text, backward) if token.way == "f" else (forward, text)
    return LogPage(
        events=tuple(event_of(stream, entry) for entry in span.entries),
        forward=forward,
        backward=backward,
    )


def _forward(file: StreamFile, start: int, end: int, floor_ms: int, limit: int) -> _Span:
    entries: list[Entry] = []
    size_bytes = 0
    for entry in file.entries(start, end, floor_ms):
        size_bytes += entry.end - entry.start
        if entries and (size_bytes > PAGE_BYTES or len(entries) == limit):
            break
        entries.append(entry)
    if not entries:
        return _Span((), start, start, floor_ms)
    return _Span(tuple(entries), entries[0].start, entries[-1].end, entries[-1].ms)


def _backward(file: StreamFile, start: int, end: int, limit: int) -> _Span:
    """Read the last events before `end`: a little at first, then more until the page is full."""
    wanted_bytes = _BACKWARD_BYTES
    while True:
        begin = file.line_start(max(start, end - wanted_bytes))
        entries = _last(file.entries(begin, end, file.floor_at(begin)), limit)
        enough = len(entries) == limit or wanted_bytes > PAGE_BYTES
        if begin <= start or (entries and enough):
            break
        wanted_bytes *= 4
    if not entries:
        return _Span((), start, end, file.floor_at(end))
    return _Span(tuple(entries), entries[0].start, entries[-1].end, entries[-1].ms)


def _last(entries: Iterable[Entry], limit: int) -> list[Entry]:
    """Return the last entries, at most `limit` and at most 1 MB, but one at least."""
    kept: deque[Entry] = deque()
    size_bytes = 0
    for entry in entries:
        kept.append(entry)
        size_bytes += entry.end - entry.start
        while len(kept) > 1 and (len(kept) > limit or size_bytes > PAGE_BYTES):
            dropped = kept.popleft()
            size_bytes -= dropped.end - dropped.start
    return list(kept)
