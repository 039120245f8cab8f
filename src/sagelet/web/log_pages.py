"""Pages of a log: of all its streams together, in order of time, from either end.

Everything is read by CloudWatch's own calls. A page never ends amid a millisecond, so that times
alone say where the next one goes on. GetLogEvents, which reads backward, tells where the last lines
begin; FilterLogEvents, which reads forward only, has them merged and with their ids.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeAlias

from sagelet.errors import LogGroupNotFound, LogStreamNotFound
from sagelet.web.ansi import MOST_SPANS
from sagelet.web.backend import Backend
from sagelet.web.log_lines import LineReader, LogLine, standing

Event: TypeAlias = Mapping[str, Any]

LINES_AT_MOST = 2_000
_STREAMS_AT_MOST = 200
_PAGES_AT_MOST = 100
_SEARCHED_PAGES = 16
"""How many pages one search reads: each is up to 16 MB of a log."""

_SPANS_AT_MOST = 20_000
_LEAST_SPANS = 8
_MAY_BE_CUT_AT = 100_000
"""GetLogEvents ends at 1 MB as it is stored; a short page of fewer characters is all there is."""


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which lines: from `start_ms` on, before `end_ms`; the last `limit` of them, or the first.

    `stream` is one stream, otherwise all that begin with `prefix`; `search` is a text that lines
    have in them, in this very case.
    """

    group: str
    prefix: str = ""
    stream: str = ""
    search: str = ""
    start_ms: int | None = None
    end_ms: int | None = None
    limit: int = 500
    is_from_start: bool = False

    @property
    def is_newest(self) -> bool:
        """Whether nothing newer can follow."""
        return self.end_ms is None and not self.is_from_start


@dataclass(frozen=True, slots=True)
class LogPage:
    """Lines, oldest first. Older lines end before `older_ms`, newer ones begin with `newer_ms`.

    Either is None where there are none. `is_partial` says that a search did not come to the end.
    """

    lines: tuple[LogLine, ...] = ()
    older_ms: int | None = None
    newer_ms: int | None = None
    is_partial: bool = False

    def document(self, *, is_styled: bool) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "lines": [line.document(is_styled=is_styled) for line in self.lines],
            "older": self.older_ms,
            "newer": self.newer_ms,
            "is_partial": self.is_partial,
        }


async def read_lines(backend: Backend, query: LogQuery) -> LogPage:
    """Return a page of a log; one that has not been written to has no lines."""
    try:
        if query.search and not query.is_from_start:
            return await _found(backend, query)
        if query.is_from_start:
            return await _first(backend, query)
        return await _last(backend, query)
    except (LogGroupNotFound, LogStreamNotFound):
        return LogPage()


async def streams_of(backend: Backend, group: str, prefix: str = "") -> Sequence[str]:
    """Return the names of a log's streams; none where nothing has been written."""
    try:
        return await _streams(backend, LogQuery(group, prefix))
    except LogGroupNotFound:
        return ()


async def all_events(backend: Backend, query: LogQuery) -> AsyncIterator[Sequence[Event]]:
    """Yield all events of a query, whatever its limit.

    Raises:
        LogGroupNotFound: nothing has been written.
    """
    async for events, _ in _filtered(backend, query, pages=None):
        yield events


async def _first(backend: Backend, query: LogQuery) -> LogPage:
    events: list[Event] = []
    async for page, _ in _filtered(backend, query, pages=_PAGES_AT_MOST, limit=query.limit + 1):
        events += page
        if len(events) > query.limit:
            break
    newer_ms = None
    if len(events) > query.limit:
        # What is cut off has its whole millisecond on the next page, if not all has this one.
        edge = events[query.limit]["timestamp"]
        events = [event for event in events if event["timestamp"] < edge] or events
        newer_ms = events[-1]["timestamp"] + 1
    begun = query.start_ms or 0
    has_older = await _is_any_before(backend, query, begun)
    lines = await asyncio.to_thread(_lines, query, events)
    return LogPage(lines, older_ms=begun if has_older else None, newer_ms=newer_ms)


async def _last(backend: Backend, query: LogQuery) -> LogPage:
    times: list[int] = []
    floor = 0
    for stream in await _streams(backend, query):
        page = await backend.call(
            "logs",
            "GetLogEvents",
            logGroupName=query.group,
            logStreamName=stream,
            limit=query.limit,
            **_bounds(query.start_ms, query.end_ms),
        )
        times += [event["timestamp"] for event in page["events"]]
        if _may_be_cut(page["events"], query.limit):
            floor = max(floor, page["events"][0]["timestamp"])
    if not times:
        return LogPage()
    # Before what is known of every stream there may be any number of lines of some.
    begun = max(sorted(times)[-query.limit :][0], floor)
    events: list[Event] = []
    async for found, _ in _filtered(backend, query, start_ms=begun, pages=_PAGES_AT_MOST):
        events += found
    has_older = await _is_any_before(backend, query, begun)
    lines = await asyncio.to_thread(_lines, query, events)
    return LogPage(lines, older_ms=begun if has_older else None)


def _may_be_cut(events: Sequence[Event], limit: int) -> bool:
    """Say whether a stream may have more lines than the last ones that were told at once."""
    size = sum(len(event["message"]) for event in events)
    return len(events) < limit and size >= _MAY_BE_CUT_AT


async def _found(backend: Backend, query: LogQuery) -> LogPage:
    """Search from the beginning on, and keep the last of what is found."""
    found: deque[Event] = deque(maxlen=query.limit + 1)
    is_partial = False
    async for page, has_more in _filtered(backend, query, pages=_SEARCHED_PAGES):
        found += page
        is_partial = has_more
    events = list(found)
    older_ms = None
    if len(events) > query.limit:
        edge = events[0]["timestamp"]
        events = [event for event in events if event["timestamp"] > edge] or events
        older_ms = events[0]["timestamp"]
    lines = await asyncio.to_thread(_lines, query, events)
    return LogPage(lines, older_ms=older_ms, is_partial=is_partial)


async def _streams(backend: Backend, query: LogQuery) -> Sequence[str]:
    if query.stream:
        return (query.stream,)
    asked: dict[str, Any] = {"logGroupName": query.group}
    if query.prefix:
        asked["logStreamNamePrefix"] = query.prefix
    else:
        # An endpoint that was made very often has as many streams: the latest are looked at.
        asked |= {"orderBy": "LastEventTime", "descending": True}
    streams: list[str] = []
    while len(streams) < _STREAMS_AT_MOST:
        page = await backend.call("logs", "DescribeLogStreams", **asked)
        streams += [each["logStreamName"] for each in page["logStreams"]]
        if "nextToken" not in page:
            break
        asked["nextToken"] = page["nextToken"]
    return streams


async def _filtered(
    backend: Backend,
    query: LogQuery,
    *,
    pages: int | None,
    start_ms: int | None = None,
    limit: int = 10_000,
) -> AsyncIterator[tuple[Sequence[Event], bool]]:
    """Yield pages of events, each with whether there are more."""
    asked: dict[str, Any] = {
        "logGroupName": query.group,
        "limit": limit,
        # FilterLogEvents takes in the end, which is not ours.
        **_bounds(
            query.start_ms if start_ms is None else start_ms,
            None if query.end_ms is None else query.end_ms - 1,
        ),
        **({"filterPattern": quoted(query.search)} if query.search else {}),
        **_which(query),
    }
    for _ in count() if pages is None else range(pages):
        page = await backend.call("logs", "FilterLogEvents", **asked)
        yield page["events"], "nextToken" in page
        if "nextToken" not in page:
            return
        asked["nextToken"] = page["nextToken"]


async def _is_any_before(backend: Backend, query: LogQuery, ms: int) -> bool:
    start_ms = None if query.is_from_start else query.start_ms
    asked = LogQuery(query.group, query.prefix, query.stream, start_ms=start_ms, end_ms=ms)
    if ms <= (start_ms or 0):
        return False
    async for page, _ in _filtered(backend, asked, pages=1, limit=1):
        return bool(page)
    return False


def _which(query: LogQuery) -> dict[str, Any]:
    if query.stream:
        return {"logStreamNames": [query.stream]}
    return {"logStreamNamePrefix": query.prefix} if query.prefix else {}


def _bounds(start_ms: int | None, end_ms: int | None) -> dict[str, int]:
    bounds = {"startTime": start_ms, "endTime": end_ms}
    return {name: max(0, ms) for name, ms in bounds.items() if ms is not None}


def quoted(text: str) -> str:
    """Return a text as a filter pattern that means just it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _lines(query: LogQuery, events: Sequence[Event]) -> tuple[LogLine, ...]:
    share = _SPANS_AT_MOST // max(1, len(events))
    reader = LineReader(query.group, max(_LEAST_SPANS, min(share, MOST_SPANS)))
    lines = [reader.line(event) for event in events]
    return tuple(standing(lines, is_newest=query.is_newest))
