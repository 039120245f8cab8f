"""What the host has to say of its endpoints: reloads, crashes, recoveries. The last thousand."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime

from sagelet.domain.clock import Clock

_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that happened. `number` counts all notes since the daemon started."""

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

    def add(self, endpoint: str, variant: str, text: str, *, is_problem: bool = False) -> Note:
        """Keep a note."""
        with self._lock:
            self._count += 1
            note = Note(self._count, self._clock.now(), endpoint, variant, text, is_problem)
            self._notes.append(note)
        return note

    def after(self, number: int = 0, *, endpoint: str | None = None) -> tuple[Note, ...]:
        """Return the notes that follow a number, of one endpoint or of all."""
        with self._lock:
            notes = tuple(self._notes)
        wanted = (endpoint, None)
        return tuple(
            n for n in notes if n.number > number and (endpoint is None or n.endpoint in wanted)
        )
