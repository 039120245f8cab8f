"""How often somebody may ask: a bucket of tokens each, which fills up as time goes by."""

from __future__ import annotations

import time
from collections.abc import Callable

_KNOWN_AT_MOST = 10_000


class RateLimiter:
    """Buckets in memory. A full one holds what may be asked in a minute."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """Begin with every bucket full."""
        self._now = now
        self._buckets: dict[str, tuple[float, float]] = {}

    def __len__(self) -> int:
        """Return how many askers are remembered."""
        return len(self._buckets)

    def take(self, who: str, per_minute: int) -> float | None:
        """Let somebody ask once more, or return the seconds that they have to wait.

        `per_minute` 0 is no limit.
        """
        if per_minute <= 0:
            return None
        now, rate = self._now(), per_minute / 60
        tokens, since = self._buckets.pop(who, (float(per_minute), now))
        tokens = min(float(per_minute), tokens + (now - since) * rate)
        # Put back at the end: who asked the longest ago is forgotten first, with a bucket that has
        # had the most time to fill.
        self._buckets[who] = (tokens - 1 if tokens >= 1 else tokens, now)
        if len(self._buckets) > _KNOWN_AT_MOST:
            del self._buckets[next(iter(self._buckets))]
        return None if tokens >= 1 else (1 - tokens) / rate
