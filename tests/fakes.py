"""Typed, in-memory stand-ins for the Protocols in `sagelet.domain`, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class HeldClock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) -> None:
        self._now = at

    def now(self) -> datetime:
        return self._now

    def move(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
