"""Counts what a variant answers: how many, how fast, and where the time went."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Sequence
from itertools import islice
from math import inf
from statistics import median

from sagelet.domain.invocation import Timing
from sagelet.journal.endpoint_metrics import VariantMetrics
from sagelet.journal.series import Sample
from sagelet.journal.spreads import Spread

_WINDOW = 1000
_WEIGHT = 0.1
_PERCENTILES = {"p50": 50, "p90": 90, "p99": 99}
_US = 1000.0


class Meter:
    """The counters of one variant; a reload goes on with them.

    `pace_ms` is about how long a worker took for each of the last requests. It begins high, so
    that nothing is taken for quick before it was seen to be. `due` is when (`time.monotonic`) the
    history wants a call next; it has an allowance of its own for those that fail.
    """

    def __init__(self, metrics: VariantMetrics | None = None, *, due: float = inf) -> None:
        """Begin at nothing; `metrics` gets what was counted, over time."""
        self.requests = 0
        self.errors = 0
        self.differs: Counter[str] = Counter()
        self.pace_ms = 1000.0
        self.due = self._good_due = self._failure_due = due
        self._metrics = metrics
        self._window: deque[Timing] = deque(maxlen=_WINDOW)
        self._folded = 0
        self._fold_at = _WINDOW
        self._failed: Counter[str] = Counter()

    def count(self, status: int, timing: Timing, differs: Sequence[str] = ()) -> None:
        """Count an answer."""
        self.requests += 1
        if not 100 <= status < 400:
            self._count_failure(status)
        if differs:
            self.differs.update(differs)
        self._window.append(timing)
        if self.requests >= self._fold_at:
            self.fold()

    def pace(self, took_ms: float) -> None:
        """Learn from how long a worker took for a request."""
        self.pace_ms += _WEIGHT * (took_ms - self.pace_ms)

    def was_recorded(self, status: int, next_due: float) -> None:
        """Note that the history has been told of an answer, and when it wants the next."""
        if 100 <= status < 400:
            self._good_due = next_due
        else:
            self._failure_due = next_due
        self.due = self._good_due

    def fold(self, at_ms: int | None = None) -> None:
        """Pass on what was counted since the last time; it was measured at about that time.

        Not with each request: a thousand at once take a fraction of the time.
        """
        fresh, self._folded = self.requests - self._folded, self.requests
        failed, self._failed = self._failed, Counter()
        self._fold_at = self.requests + _WINDOW
        if not fresh or self._metrics is None:
            return
        timings = list(islice(reversed(self._window), fresh))
        ms = int(time.time() * 1000) if at_ms is None else at_ms
        waits = [timing.queue_ms * _US for timing in timings]
        whole = [timing.total_ms * _US for timing in timings]
        models = [max(0.0, total - wait) for total, wait in zip(whole, waits, strict=True)]
        self._metrics.add(
            ms,
            {
                "Invocations": _counted(ms, fresh, fresh),
                "Invocation4XXErrors": _counted(ms, fresh, failed["4XX"]),
                "Invocation5XXErrors": _counted(ms, fresh, failed["5XX"]),
                "InvocationModelErrors": _counted(ms, fresh, failed.total()),
                "ModelLatency": Spread.of_values(ms, models),
                "OverheadLatency": Spread.of_values(ms, waits),
            },
        )

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

    def _count_failure(self, status: int) -> None:
        self.errors += 1
        kind = "none" if status < 400 else "4XX" if status < 500 else "5XX"
        self._failed[kind] += 1
        self.due = min(self.due, self._failure_due)


def _counted(ms: int, answers: int, count: int) -> Sample:
    """Return the sample of a value that is 1 for some answers and 0 for the others."""
    return Sample(ms, float(count > 0), answers, count, float(count == answers), float(count > 0))


def _percentile(ordered: Sequence[float], percent: int) -> float:
    """Return the smallest value that at least so many of a hundred do not exceed."""
    return round(ordered[max(0, -(-len(ordered) * percent // 100) - 1)], 3)
