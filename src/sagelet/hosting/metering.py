"""Counts what a variant answers: how many, how fast, and where the time went."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from statistics import median

from sagelet.domain.invocation import Timing

_WINDOW = 1000
_WEIGHT = 0.1
_PERCENTILES = {"p50": 50, "p90": 90, "p99": 99}


class Meter:
    """The counters of one variant; a reload goes on with them.

    `pace_ms` is about how long a worker took for each of the last requests. It begins high, so
    that nothing is taken for quick before it was seen to be.
    """

    def __init__(self) -> None:
        """Begin at nothing."""
        self.requests = 0
        self.errors = 0
        self.differs: Counter[str] = Counter()
        self.pace_ms = 1000.0
        self._window: deque[Timing] = deque(maxlen=_WINDOW)

    def count(self, status: int, timing: Timing, differs: Sequence[str] = ()) -> None:
        """Count an answer."""
        self.requests += 1
        if not 100 <= status < 400:
            self.errors += 1
        if differs:
            self.differs.update(differs)
        self._window.append(timing)

    def pace(self, took_ms: float) -> None:
        """Learn from how long a worker took for a request."""
        self.pace_ms += _WEIGHT * (took_ms - self.pace_ms)

    def latency_ms(self) -> dict[str, float]:
        """Return percentiles of the whole time, by name."""
        totals = sorted(timing.total_ms for timing in self._window)
        return {
            name: _percentile(totals, percent) for name, percent in _PERCENTILES.items() if totals
        }

    def phases_ms(self) -> dict[str, float]:
        """Return the median of the wait and of each handler, by name."""
        waits = [timing.queue_ms for timing in self._window]
        phases: dict[str, list[float]] = {"queue": waits} if waits else {}
        for timing in self._window:
            for name, took_ms in timing.handlers_ms.items():
                phases.setdefault(name, []).append(took_ms)
        return {name: round(median(times), 3) for name, times in phases.items()}


def _percentile(ordered: Sequence[float], percent: int) -> float:
    """Return the smallest value that at least so many of a hundred do not exceed."""
    return round(ordered[max(0, -(-len(ordered) * percent // 100) - 1)], 3)
