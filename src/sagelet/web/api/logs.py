"""`GET /api/v1/logs?group=G`: lines of a log as JSON, or as a stream that goes on.

    prefix=, stream=      the streams that begin with it, or the one
    q=  (or search=)      a text that lines have in them
    start=, end=, after=, before=   ms since the epoch; `after` reads forward from there
    limit=                500, at most 2,000
    styled=1              colours, as pieces with CSS classes
    follow=1              as server-sent events: `lines`, for as long as somebody listens

An id of the stream is a line's; whoever comes back with it (`Last-Event-ID`) goes on behind it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import replace
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sagelet.errors import LogGroupNotFound, LogStreamNotFound
from sagelet.web.access.guard import require_owner
from sagelet.web.access.principals import Owner
from sagelet.web.api.listeners import Listener
from sagelet.web.api.sse import HEARTBEAT_S, EventStream, event, heartbeat, while_signed_in
from sagelet.web.api.topics import LogTopic, Topics
from sagelet.web.faults import Refused
from sagelet.web.json_answers import JsonAnswer
from sagelet.web.log_lines import LineReader, LogLine, standing
from sagelet.web.log_pages import Event, LogQuery, all_events, read_lines
from sagelet.web.log_view import query_of
from sagelet.web.site import Site

# Lines of several streams are written side by side: a later one may be of an earlier time.
_BACK_MS = 2_000


class LogsApi:
    """`/api/v1/logs`."""

    def __init__(self, site: Site) -> None:
        """Stand on the site's parts."""
        self._site = site

    def routes(self) -> Sequence[BaseRoute]:
        """Return where it is."""
        return [Route("/api/v1/logs", self._logs, methods=["GET"])]

    async def _logs(self, request: Request) -> Response:
        who = require_owner(request)
        asked = dict(request.query_params)
        if not asked.get("group"):
            raise Refused(400, "name the log: ?group=/aws/sagemaker/Endpoints/NAME")
        asked.setdefault("q", asked.get("search", ""))
        asked.setdefault("start", asked.get("since", ""))
        query = query_of(asked, group=asked["group"], prefix=asked.get("prefix", ""))
        is_styled = asked.get("styled") == "1"
        if asked.get("follow") == "1":
            return self._follow(request, query, who, is_styled=is_styled)
        page = await read_lines(self._site.backend, query)
        return JsonAnswer(page.document(is_styled=is_styled))

    def _follow(
        self, request: Request, query: LogQuery, who: Owner, *, is_styled: bool
    ) -> Response:
        hub = self._site.events
        topic = LogTopic(query.group, query.stream or query.prefix)
        listener = hub.listen(Topics({}, (topic,)))
        reader = _Follower(self._site, query, _last_id(request))
        return EventStream(
            _told(listener, reader, is_styled=is_styled),
            ending=hub.closing,
            leave=partial(hub.leave, listener),
            may_go_on=while_signed_in(self._site.access, request, who),
        )


async def _told(
    listener: Listener, reader: _Follower, *, is_styled: bool
) -> AsyncGenerator[bytes, None]:
    def told(lines: Sequence[LogLine]) -> bytes:
        shown = [line.document(is_styled=is_styled) for line in lines]
        return event("lines", {"lines": shown}, reader.last)

    lines = await reader.begin()
    yield told(lines) if lines else heartbeat()
    while not listener.is_over:
        async for lines in reader.fresh():
            yield told(lines)
        await listener.wait(HEARTBEAT_S)
        if not listener.fetch():
            yield heartbeat()


class _Follower:
    """Reads what is new in a log, each line once."""

    def __init__(self, site: Site, query: LogQuery, last: str) -> None:
        """Go on behind the line `last`, or begin with what `query` asks for."""
        self.last = last
        self._backend = site.backend
        self._query = query
        self._lines = LineReader(query.group)
        self._from_ms = query.start_ms or 0
        self._seen: dict[str, int] = {}

    async def begin(self) -> Sequence[LogLine]:
        """Return the last lines, where neither a line nor a time is told to begin with."""
        if self.last:
            self._from_ms = max(self._from_ms, _ms_of(self.last) - _BACK_MS)
            await self._pass_over()
        if self.last or self._query.is_from_start:
            return ()
        page = await read_lines(self._backend, self._query)
        if page.lines:
            self.last = max(line.id for line in page.lines)
            await self._pass_over()
        elif self._query.search:
            # Nothing of what was written is looked for: no need to search it again.
            self._from_ms = int(self._backend.clock.now().timestamp() * 1000)
        return page.lines

    async def fresh(self) -> AsyncIterator[Sequence[LogLine]]:
        """Yield lines that were not returned before, the oldest first."""
        async for events in self._events():
            new = [event for event in events if event["eventId"] not in self._seen]
            self._note(new)
            lines = standing([self._lines.line(event) for event in new], is_newest=False)
            if lines:
                yield lines

    async def _pass_over(self) -> None:
        """Take what is there up to the last line for known; what comes late is not."""
        async for events in self._events():
            self._note([event for event in events if event["eventId"] <= self.last])

    async def _events(self) -> AsyncIterator[Sequence[Event]]:
        start_ms = max(self._from_ms, _ms_of(self.last) - _BACK_MS)
        try:
            async for events in all_events(
                self._backend, replace(self._query, start_ms=start_ms, end_ms=None)
            ):
                yield events
        except (LogGroupNotFound, LogStreamNotFound):
            return  # nothing has been written yet

    def _note(self, events: Sequence[Event]) -> None:
        if not events:
            return
        self._seen.update((event["eventId"], event["timestamp"]) for event in events)
        self.last = max(self.last, max(event["eventId"] for event in events))
        edge_ms = _ms_of(self.last) - _BACK_MS
        self._seen = {name: ms for name, ms in self._seen.items() if ms >= edge_ms}


def _ms_of(line_id: str) -> int:
    """Return the time of a line, which its id begins with."""
    return int(line_id[:20] or "0")


def _last_id(request: Request) -> str:
    """Return the line behind which a client wants to go on; an id that is none counts for none."""
    last = request.headers.get("last-event-id", "")
    return last if last.isdecimal() and last.isascii() and len(last) == 56 else ""
