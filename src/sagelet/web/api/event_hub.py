"""What happens in the daemon, numbered, kept for a while and passed to whoever listens.

    store.changes ──┐
    host's notes  ──┼──> EventHub ──> ring of the last events ──> a Listener a client
    log files     ──┘

It begins when somebody first asks for events, and costs nothing before. All of it happens on the
daemon's event loop; only `store.changes` calls from other threads.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from sagelet.store.changes import News
from sagelet.web.api.documents import newest_number
from sagelet.web.api.listeners import Changed, Event, Grown, Happening, Listener, Noted, after
from sagelet.web.api.listeners import topics_of_note as topics_of
from sagelet.web.api.log_growth import LogGrowth
from sagelet.web.api.topics import Topics
from sagelet.web.backend import Backend
from sagelet.web.faults import Refused

STREAMS_AT_MOST = 64
KEPT = 2_000
TOGETHER_S = 0.1
_NOTES_WAIT_S = 600.0

# An ARN's resource type -> the topic of one, and of them all.
_KINDS = {
    "endpoint": ("endpoint", "endpoints"),
    "training-job": ("job", "jobs"),
    "model": ("model", "models"),
    "calls": ("calls", ""),
}


class EventHub:
    """Numbers what happens. A change that is repeated within `TOGETHER_S` is told once."""

    def __init__(self, backend: Backend) -> None:
        """Listen to nothing yet."""
        self.instance = secrets.token_hex(8)
        self._store = backend.store
        self._notes = backend.host.notes
        self._growth = LogGrowth(backend.logs, self._grown)
        # Milliseconds: the next daemon's numbers are above this one's, whose clients come back.
        self._number = self._first = int(time.time() * 1000)
        self._kept: deque[Event] = deque(maxlen=KEPT)
        self._listeners: set[Listener] = set()
        self._due: dict[str, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._noting: asyncio.Task[None] | None = None
        self._unobserve: Callable[[], None] | None = None
        self.closing = asyncio.Event()

    @property
    def number(self) -> int:
        """The newest event's number; what a page shows is at least as new."""
        self._start()
        return self._number

    def listen(self, topics: Topics, since: int | None = None) -> Listener:
        """Return a new client's queue, with what happened after event `since`.

        Raises:
            Refused: 503 where too many listen, or where the daemon is stopping.
        """
        if self.closing.is_set():
            raise Refused(503, "the daemon is stopping", {"retry-after": "2"})
        if len(self._listeners) >= STREAMS_AT_MOST:
            raise Refused(503, f"{STREAMS_AT_MOST} streams are open", {"retry-after": "5"})
        self._start()
        listener = Listener(topics, self._number)
        if since is not None:
            self._catch_up(listener, since)
        for topic in topics.logs:
            self._growth.watch(topic.group, topic.prefix)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Forget a client."""
        if listener in self._listeners:
            self._listeners.remove(listener)
            for topic in listener.topics.logs:
                self._growth.leave(topic.group, topic.prefix)

    def touch(self, *topics: str) -> None:
        """Tell that topics, in lower case, are not what they were."""
        self._due.update(dict.fromkeys(topics))
        if self._timer is None:
            self._flush()

    async def unless_closing(self, news: Coroutine[Any, Any, object]) -> None:
        """Wait for something, and no longer than there is a daemon."""
        either = {asyncio.ensure_future(news), asyncio.ensure_future(self.closing.wait())}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in either:
                each.cancel()

    def close(self) -> None:
        """Let everybody go."""
        self.closing.set()
        for listener in self._listeners:
            listener.end()
        if self._unobserve is not None:
            self._unobserve()
        if self._noting is not None:
            self._noting.cancel()
        if self._timer is not None:
            self._timer.cancel()
        self._growth.close()

    def _catch_up(self, listener: Listener, since: int) -> None:
        oldest = self._kept[0].number if len(self._kept) == KEPT else self._first + 1
        if not oldest - 1 <= since <= self._number:
            # Another daemon's number, or one from so long ago that what followed is forgotten.
            listener.lose()
            return
        for event in after(self._kept, since):
            listener.offer(event)

    def _start(self) -> None:
        if self._noting is not None or self.closing.is_set():
            return
        loop = asyncio.get_running_loop()

        def observed(arn: str, news: News) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._changed, arn, news)

        self._unobserve = self._store.changes.observe(observed)
        self._noting = loop.create_task(self._note(newest_number(self._notes.after())))

    async def _note(self, seen: int) -> None:
        while True:
            if not await self._notes.wait(seen, _NOTES_WAIT_S):
                continue
            for note in self._notes.after(seen):
                seen = note.number
                self._tell(Noted(note))
                self.touch(*topics_of(note))

    def _changed(self, arn: str, news: News) -> None:
        kind, _, name = arn.rpartition(":")[2].partition("/")
        one, all_of_them = _KINDS.get(kind, (None, ""))
        if one is None or self.closing.is_set():
            return
        is_of_all = bool(all_of_them) and news is not News.LOG
        self.touch(f"{one}:{name.lower()}", *((all_of_them,) if is_of_all else ()))

    def _grown(self, group: str, stream: str) -> None:
        self._tell(Grown(group, stream))

    def _flush(self) -> None:
        """Tell what is due, and gather what comes until the time is over."""
        self._timer = None
        if not self._due or self.closing.is_set():
            return
        due, self._due = self._due, {}
        for topic in due:
            self._tell(Changed(topic))
        self._timer = asyncio.get_running_loop().call_later(TOGETHER_S, self._flush)

    def _tell(self, what: Happening) -> None:
        self._number += 1
        event = Event(self._number, what)
        self._kept.append(event)
        for listener in self._listeners:
            listener.offer(event)
