"""What happened, and those who listen: a queue each, which neither grows nor makes anybody wait."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sagelet.domain.seams import HostNote
from sagelet.web.api.documents import shown_note
from sagelet.web.api.topics import Topics

WAITING_AT_MOST = 256


@dataclass(frozen=True, slots=True)
class Changed:
    """A topic, in lower case, is not what it was; `endpoint:*` is all endpoints."""

    topic: str


@dataclass(frozen=True, slots=True)
class Noted:
    """The host said something."""

    note: HostNote


@dataclass(frozen=True, slots=True)
class Grown:
    """A log stream has grown; with a topic's prefix as its stream: any of the topic's may have."""

    group: str
    stream: str


Happening: TypeAlias = Changed | Noted | Grown


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; numbers grow, from one daemon of a home to its next one, too."""

    number: int
    what: Happening


@dataclass(frozen=True, slots=True)
class Message:
    """An event as one client is told of it."""

    number: int
    name: str
    data: Mapping[str, Any]


class Listener:
    """One client's queue. What it has not fetched yet is told once, however often it happens.

    A client that is so slow that `WAITING_AT_MOST` events wait is told `reset` instead of them: it
    has to look at everything anew.
    """

    def __init__(self, topics: Topics, number: int) -> None:
        """Begin after event `number`."""
        self.topics = topics
        self._number = number
        self._waiting: dict[Happening, Event] = {}
        self._lost_at: int | None = None
        self._is_over = False
        self._news = asyncio.Event()

    def offer(self, event: Event) -> None:
        """Keep an event, if it concerns the client."""
        self._number = event.number
        if not self._concerns(event.what):
            return
        if len(self._waiting) >= WAITING_AT_MOST and event.what not in self._waiting:
            self.lose()
            return
        self._waiting.pop(event.what, None)
        self._waiting[event.what] = event
        self._news.set()

    def lose(self) -> None:
        """Forget what waits; the client is told that it missed something."""
        self._waiting.clear()
        self._lost_at = self._number
        self._news.set()

    def end(self) -> None:
        """Wake the client for the last time."""
        self._is_over = True
        self._news.set()

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self._is_over

    @property
    def number(self) -> int:
        """The newest event that it need not be told of any more, once what waits is fetched."""
        return self._number

    async def wait(self, timeout_s: float) -> None:
        """Wait until there is something to fetch, or until the time is over."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._news.wait()
        except TimeoutError:
            return

    def fetch(self) -> list[Message]:
        """Return what waits."""
        self._news.clear()
        events, self._waiting = self._waiting.values(), {}
        lost_at, self._lost_at = self._lost_at, None
        lost = [] if lost_at is None else [Message(lost_at, "reset", {})]
        return [*lost, *(message for event in events for message in self._told(event))]

    def _told(self, event: Event) -> Iterator[Message]:
        match event.what:
            case Changed(topic):
                for asked in self.topics.named(topic):
                    yield Message(event.number, "change", {"topic": asked})
            case Noted(note):
                yield Message(event.number, "note", shown_note(note))
            case Grown(group, stream):
                yield Message(event.number, "log", {"group": group, "stream": stream})

    def _concerns(self, what: Happening) -> bool:
        match what:
            case Changed(topic):
                return bool(self.topics.named(topic))
            case Noted(note):
                return bool(self.topics.named(*topics_of_note(note)))
            case Grown(group, stream):
                return self.topics.logs_with(group, stream)


def topics_of_note(note: HostNote) -> tuple[str, str]:
    """Return whom a note concerns: one without a name concerns all endpoints."""
    return "endpoints", f"endpoint:{note.endpoint.lower() or '*'}"


def after(events: Iterable[Event], number: int) -> Iterator[Event]:
    """Return the events that follow a number."""
    return (event for event in events if event.number > number)
