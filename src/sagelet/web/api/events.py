"""`GET /api/v1/events`: what happens, as a stream of events or asked for again and again.

Accept: text/event-stream   ?topics=endpoints,job:NAME,log:GROUP     see `topics`
anything else               ?after=N&endpoint=NAME&wait=SECONDS      the host's notes as JSON
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sagelet import __version__
from sagelet.web.access.guard import require_owner
from sagelet.web.access.principals import Owner
from sagelet.web.api.asked import seconds, whole_number
from sagelet.web.api.documents import newest_number, shown_note
from sagelet.web.api.listeners import Listener
from sagelet.web.api.sse import (
    HEARTBEAT_S,
    MEDIA_TYPE,
    EventStream,
    event,
    heartbeat,
    unless_gone,
    while_signed_in,
)
from sagelet.web.api.topics import read_topics
from sagelet.web.json_answers import JsonAnswer
from sagelet.web.site import Site

_HELD_AT_MOST_S = 30.0
_RETRY = b"retry: 1000\n\n"


class EventsApi:
    """`/api/v1/events`."""

    def __init__(self, site: Site, *, heartbeat_s: float = HEARTBEAT_S) -> None:
        """Stand on the site's parts; a stream is never silent for longer than a heartbeat."""
        self._site = site
        self._heartbeat_s = heartbeat_s

    def routes(self) -> Sequence[BaseRoute]:
        """Return where they are."""
        return [Route("/api/v1/events", self._events, methods=["GET"])]

    async def _events(self, request: Request) -> Response:
        who = require_owner(request)
        if MEDIA_TYPE in request.headers.get("accept", ""):
            return self._stream(request, who)
        return JsonAnswer(await unless_gone(request, self._notes(request.query_params)))

    def _stream(self, request: Request, who: Owner) -> Response:
        topics = read_topics(request.query_params.get("topics", ""))
        last = request.headers.get("last-event-id") or request.query_params.get("since")
        # An id that is none of ours is as old as can be: what is shown is to be looked at anew.
        since = None if not last else int(last) if last.isdecimal() and len(last) < 19 else 0
        hub = self._site.events
        listener = hub.listen(topics, since)
        hello = event(
            "hello",
            {"instance": hub.instance, "version": __version__},
            listener.number if since is None else None,
        )

        return EventStream(
            self._told(hello, listener),
            ending=hub.closing,
            leave=partial(hub.leave, listener),
            may_go_on=while_signed_in(self._site.access, request, who),
            heartbeat_s=self._heartbeat_s,
        )

    async def _told(self, hello: bytes, listener: Listener) -> AsyncGenerator[bytes, None]:
        yield _RETRY + hello
        while not listener.is_over:
            await listener.wait(self._heartbeat_s)
            messages = listener.fetch()
            told = b"".join(event(m.name, m.data, m.number) for m in messages)
            yield told or heartbeat(listener.number)

    async def _notes(self, asked: Mapping[str, str]) -> dict[str, Any]:
        notes = self._site.backend.host.notes
        after = whole_number("after", asked.get("after", "0"))
        until = asyncio.get_running_loop().time() + seconds(
            "wait", asked.get("wait", "0"), at_most=_HELD_AT_MOST_S
        )
        seen = newest_number(notes.after(0))
        # A number that has not been reached was another daemon's: this one has been started since.
        after = after if after <= seen else 0
        while True:
            news = notes.after(after, endpoint=asked.get("endpoint"))
            left = until - asyncio.get_running_loop().time()
            if news or left <= 0 or self._site.events.closing.is_set():
                last = max((seen, *(note.number for note in news)))
                return {"events": [shown_note(note) for note in news], "last": last}
            await self._site.events.unless_closing(notes.wait(seen, left))
            seen = newest_number(notes.after(0))
