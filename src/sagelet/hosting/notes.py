"""What the host has to say of its endpoints: reloads, crashes, recoveries. The last thousand."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime

from sagelet.domain.clock import Clock

_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that happened. `number` counts all notes since the daemon started.

    `endpoint` is empty where it concerns them all.
    """

    number: int
    at: datetime
    endpoint: str
    variant: str
    text: str
    is_problem: bool


class HostingNotes:
    """The latest notes, in memory. May be read from any thread."""

    def __init__(self, clock: Clock, *, kept: int = _KEPT) -> None:
        """Begin with none."""
        self._clock = clock
        self._lock = threading.Lock()
        self._notes: deque[Note] = deque(maxlen=kept)
        self._count = 0
        self._waiting: set[tuple[asyncio.Event, asyncio.AbstractEventLoop]] = set()

    def add(self, endpoint: str, variant: str, text: str, *, is_problem: bool = False) -> Note:
        """Keep a note."""
        with self._lock:
            self._count += 1
            note = Note(self._count, self._clock.now(), endpoint, variant, text, is_problem)
            self._notes.append(note)
            waiting, self._waiting = self._waiting, set()
        for news, loop in waiting:
            loop.call_soon_threadsafe(news.set)
        return note

    async def wait(self, number: int, timeout_s: float) -> bool:
        """Wait until there are notes after a number; False if none came in time."""
        waiter = (asyncio.Event(), asyncio.get_running_loop())
        with self._lock:
            if self._count > number:
                return True
            self._waiting.add(waiter)
        try:
            async with asyncio.timeout(timeout_s):
                return await waiter[0].wait()
        except TimeoutError:
            return False
        finally:
            with self._lock:
                self._waiting.discard(waiter)

    def after(self, number: int = 0, *, endpoint: str | None = None) -> tuple[Note, ...]:
        """Return the notes that follow a number, of one endpoint or of all.

        What concerns all endpoints has no name, and is told with each.
        """
        with self._lock:
            notes = tuple(self._notes)
        wanted = (endpoint, "")
        return tuple(
            n for n in notes if n.number > number and (endpoint is None or n.endpoint in wanted)
        )
